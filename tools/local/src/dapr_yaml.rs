//! `dapr/dapr.yaml` as it stands in the repository, made into the one of this home.
//!
//! The file in the repository is written for the default ports and for paths of the repository.
//! Rendering moves the ports, makes every path absolute, chooses the broker, and runs every program from the home,
//! which also is daprd's working directory (its secret files are named relative to that).

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_yaml_ng::{Mapping, Value};

use crate::ports::Ports;

/// The broker's folder in the repository's file.
const DEFAULT_BROKER: &str = "components/kafka";

/// What is put into the file.
#[derive(Clone, Debug)]
pub(crate) struct Rendering<'a> {
    pub(crate) repo: &'a Path,
    pub(crate) home: &'a Path,
    pub(crate) bin_dir: &'a Path,
    pub(crate) broker: &'a str,
    pub(crate) ports: Ports,
    pub(crate) log_level: &'a str,
    /// For every service, over what the file says.
    pub(crate) environment: &'a BTreeMap<String, String>,
}

impl Rendering<'_> {
    /// The file for this home, with the apps of the one `beside` it behind its own.
    pub(crate) fn render(&self, template: &str, beside: Option<&str>) -> Result<String> {
        let mut file: Value = serde_yaml_ng::from_str(template)?;
        if let Some(beside) = beside {
            let mut beside: Value = serde_yaml_ng::from_str(beside)?;
            let more = apps(&mut beside)?.drain(..).collect::<Vec<_>>();
            apps(&mut file)?.extend(more);
        }
        self.visit(&mut file, "");
        // Relative paths in `common` are meant from the file, those of an app from its directory.
        let here = self.repo.join("dapr");
        if let Some(common) = file.get_mut("common").and_then(Value::as_mapping_mut) {
            self.make_absolute(common, &here);
            common.insert("logLevel".into(), self.log_level.into());
        }
        for app in apps(&mut file)? {
            let app = app.as_mapping_mut().context("an app in dapr.yaml is not a mapping")?;
            self.render_app(app, &here)?;
        }
        Ok(serde_yaml_ng::to_string(&file)?)
    }

    fn render_app(&self, app: &mut Mapping, here: &Path) -> Result<()> {
        let directory = app.get("appDirPath").and_then(Value::as_str).unwrap_or(".");
        self.make_absolute(app, &normal(&here.join(directory)));
        app.insert("appDirPath".into(), path_value(self.home)?);
        for log in ["appLogDestination", "daprdLogDestination"] {
            app.insert(log.into(), "file".into());
        }
        if let Some(program) = app.get_mut("command").and_then(|command| command.get_mut(0)) {
            let name = program.as_str().map(Path::new).and_then(Path::file_name);
            *program = path_value(&self.bin_dir.join(name.context("an app's command is empty")?))?;
        }
        // Always there: the CLI cannot merge common variables into none.
        let environment = app
            .entry("env".into())
            .or_insert_with(|| Mapping::new().into())
            .as_mapping_mut()
            .context("an app's `env` is not a mapping")?;
        for (name, value) in self.environment {
            environment.insert(name.as_str().into(), value.as_str().into());
        }
        Ok(())
    }

    fn make_absolute(&self, section: &mut Mapping, from: &Path) {
        for key in ["configFilePath", "resourcesPath"] {
            if let Some(value) = section.get_mut(key) {
                self.make_path_absolute(value, from);
            }
        }
        for (name, value) in section.get_mut("env").and_then(Value::as_mapping_mut).into_iter().flatten() {
            if name.as_str().is_some_and(|name| name.ends_with("_DIRECTORY")) {
                self.make_path_absolute(value, from);
            }
        }
        if let Some(paths) = section.get_mut("resourcesPaths").and_then(Value::as_sequence_mut) {
            for value in paths {
                self.make_path_absolute(value, from);
            }
        }
    }

    fn make_path_absolute(&self, value: &mut Value, from: &Path) {
        if let Some(text) = value.as_str() {
            let mut path = normal(&from.join(text));
            if path == self.repo.join(DEFAULT_BROKER) {
                path.set_file_name(self.broker);
            }
            *value = path.to_string_lossy().into_owned().into();
        }
    }

    /// Moves ports, wherever they are.
    fn visit(&self, value: &mut Value, key: &str) {
        match value {
            Value::Mapping(mapping) => {
                for (key, value) in mapping {
                    self.visit(value, key.as_str().unwrap_or_default());
                }
            }
            Value::Sequence(items) => items.iter_mut().for_each(|item| self.visit(item, key)),
            Value::Number(number) if key.ends_with("Port") => {
                if let Some(port) = number.as_u64().and_then(|port| u16::try_from(port).ok()) {
                    *value = self.ports.shift(port).into();
                }
            }
            Value::String(text) => *text = self.shift_addresses(text),
            _ => {}
        }
    }

    /// Moves the ports of loopback addresses inside a text, such as `PUBLIC_ADDRESS`.
    fn shift_addresses(&self, text: &str) -> String {
        const HOST: &str = "127.0.0.1:";
        let mut parts = text.split(HOST);
        let mut shifted = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (port, rest) = part.split_at(digits);
            let port = port.parse().map_or(port.to_owned(), |port| self.ports.shift(port).to_string());
            shifted.extend([HOST, &port, rest]);
        }
        shifted
    }
}

fn apps(file: &mut Value) -> Result<&mut Vec<Value>> {
    file.get_mut("apps").and_then(Value::as_sequence_mut).context("a run file has a list `apps`")
}

fn path_value(path: &Path) -> Result<Value> {
    Ok(path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?.into())
}

/// Without `.` and `..`, by the text alone: what it names need not exist.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "
version: 1
common:
  resourcesPaths: [../dapr/subscriptions]
  appProtocol: http
apps:
- appID: gateway
  appDirPath: ..
  appPort: 7450
  daprHTTPPort: 7451
  daprInternalGRPCPort: 7453
  metricsPort: 7454
  appHealthProbeInterval: 7450
  resourcesPaths: [components/base/gateway, components/kafka]
  configFilePath: dapr/config/gateway.yaml
  command: [../.pms/bin/gateway, --verbose]
  env:
    PUBLIC_ADDRESS: 127.0.0.1:7400
    WEB_DIRECTORY: web/dist
    UPSTREAMS: a=127.0.0.1:7411,b=127.0.0.1:9
- appID: auth
  appDirPath: .
  configFilePath: config/auth.yaml
  command: [../.pms/bin/auth]
";

    const BESIDE: &str = "
version: 1
apps:
- appID: clearinghouse
  appDirPath: ../.pms
  appPort: 7480
  resourcesPaths: [../dapr]
  command: [../.pms/bin/payer-simulator]
  env: {PMS_URL: 'http://127.0.0.1:7400'}
";

    fn rendered() -> Value {
        rendered_beside(None)
    }

    fn rendered_beside(beside: Option<&str>) -> Value {
        let rendering = Rendering {
            repo: Path::new("/repo"),
            home: Path::new("/home"),
            bin_dir: Path::new("/home/bin"),
            broker: "redis",
            ports: Ports::new(9000).unwrap(),
            log_level: "debug",
            environment: &BTreeMap::from([("EXTRA".to_owned(), "1".to_owned())]),
        };
        serde_yaml_ng::from_str(&rendering.render(TEMPLATE, beside).unwrap()).unwrap()
    }

    #[test]
    fn every_port_moves_and_no_other_number() {
        let gateway = &rendered()["apps"][0];
        assert_eq!(gateway["appPort"], 9050);
        assert_eq!(gateway["daprHTTPPort"], 9051);
        assert_eq!(gateway["daprInternalGRPCPort"], 9053);
        assert_eq!(gateway["metricsPort"], 9054);
        assert_eq!(gateway["appHealthProbeInterval"], 7450);
        assert_eq!(gateway["env"]["PUBLIC_ADDRESS"], "127.0.0.1:9000");
        assert_eq!(gateway["env"]["UPSTREAMS"], "a=127.0.0.1:9011,b=127.0.0.1:9");
    }

    #[test]
    fn paths_are_absolute_and_the_broker_is_the_chosen_one() {
        let file = rendered();
        let gateway = &file["apps"][0];
        assert_eq!(file["common"]["resourcesPaths"][0], "/repo/dapr/subscriptions");
        assert_eq!(gateway["resourcesPaths"][0], "/repo/components/base/gateway");
        assert_eq!(gateway["resourcesPaths"][1], "/repo/components/redis");
        assert_eq!(gateway["configFilePath"], "/repo/dapr/config/gateway.yaml");
        assert_eq!(file["apps"][1]["configFilePath"], "/repo/dapr/config/auth.yaml");
        assert_eq!(gateway["env"]["WEB_DIRECTORY"], "/repo/web/dist");
    }

    #[test]
    fn programs_run_from_the_home_with_the_given_variables() {
        let file = rendered();
        let gateway = &file["apps"][0];
        assert_eq!(gateway["appDirPath"], "/home");
        assert_eq!(gateway["command"][0], "/home/bin/gateway");
        assert_eq!(gateway["command"][1], "--verbose");
        assert_eq!(gateway["env"]["EXTRA"], "1");
        assert_eq!(file["apps"][1]["env"]["EXTRA"], "1");
        assert_eq!(file["common"]["logLevel"], "debug");
    }

    #[test]
    fn what_stands_beside_comes_last_and_is_rendered_as_the_others() {
        let (file, alone) = (rendered_beside(Some(BESIDE)), rendered());
        assert_eq!(file["apps"].as_sequence().unwrap()[..2], alone["apps"].as_sequence().unwrap()[..]);
        let last = &file["apps"][2];
        assert_eq!((&last["appPort"], &last["env"]["EXTRA"]), (&9080.into(), &"1".into()));
        assert_eq!(last["command"][0], "/home/bin/payer-simulator");
        assert_eq!(last["resourcesPaths"][0], "/repo/dapr");
        assert_eq!(last["env"]["PMS_URL"], "http://127.0.0.1:9000");
    }
}
