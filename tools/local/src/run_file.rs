//! What a rendered run file (`dapr.yaml`) starts, process by process, as the CLI would start it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_yaml_ng::{Mapping, Value};
use tokio::process::Command;

use crate::{
    app::App,
    part::{Part, Role},
};

/// What the CLI passes for what a run file leaves out.
const UNLIMITED: &str = "-1";

/// What plays the clearing house, put behind the apps of any run file.
pub(crate) const BESIDE: &str = "clearinghouse.yaml";

/// The repository's run file for a system with this many instances.
pub(crate) fn name(instances: u8) -> Result<&'static str> {
    match instances {
        1 => Ok("dapr.yaml"),
        2 => Ok("two-instances.yaml"),
        other => bail!("there is a run file for 1 or 2 instances, and none for {other}"),
    }
}

/// A process that can be started any number of times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) part: Part,
    file: PathBuf,
    arguments: Vec<OsString>,
    environment: BTreeMap<String, String>,
    directory: PathBuf,
}

impl Program {
    /// A part that is any program, for tests.
    #[cfg(test)]
    pub(crate) fn of(part: Part, file: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(Into::into).collect();
        Self { part, file: file.into(), arguments, environment: BTreeMap::new(), directory: "/".into() }
    }

    /// How it is started.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.file);
        command.args(&self.arguments).envs(&self.environment).current_dir(&self.directory);
        command
    }
}

/// The fields of the run file that are known here; another one is an error, not something left undone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    #[serde(rename = "appID")]
    app_id: String,
    app_dir_path: PathBuf,
    command: Vec<String>,
    app_port: u16,
    #[serde(rename = "daprHTTPPort")]
    http_port: u16,
    #[serde(rename = "daprGRPCPort")]
    grpc_port: u16,
    #[serde(rename = "daprInternalGRPCPort")]
    internal_port: u16,
    metrics_port: u16,
    config_file_path: String,
    resources_paths: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    app_protocol: String,
    log_level: String,
    #[serde(default)]
    enable_app_health_check: bool,
    app_health_check_path: Option<String>,
    app_health_probe_interval: Option<u32>,
    app_health_probe_timeout: Option<u32>,
    app_health_threshold: Option<u32>,
    read_buffer_size: Option<String>,
    // Everything goes to the home's logs.
    #[serde(rename = "appLogDestination")]
    _app_log: Option<String>,
    #[serde(rename = "daprdLogDestination")]
    _daprd_log: Option<String>,
}

/// The services and sidecars of a rendered run file; `environment` is what the CLI would have in its own.
pub(crate) fn programs(file: &str, daprd: &Path, environment: &BTreeMap<String, String>) -> Result<Vec<Program>> {
    let file: Value = serde_yaml_ng::from_str(file)?;
    let common = file.get("common").and_then(Value::as_mapping).cloned().unwrap_or_default();
    let apps = file.get("apps").and_then(Value::as_sequence).context("a run file has a list `apps`")?;
    let mut programs = Vec::new();
    let mut seen = BTreeMap::new();
    for entry in apps {
        let entry = entry.as_mapping().context("an app in a run file is a mapping")?;
        let entry: Entry = serde_yaml_ng::from_value(merged(&common, entry).into())?;
        let app = App::parse(&entry.app_id).with_context(|| format!("there is no app {}", entry.app_id))?;
        let instance = seen.entry(app).and_modify(|count| *count += 1).or_insert(1);
        programs.push(entry.service(Part::service(app).of_instance(*instance), environment)?);
        programs.push(entry.sidecar(Part::sidecar(app).of_instance(*instance), daprd, environment));
    }
    Ok(programs)
}

/// An app's own words come before what is said for all, variable by variable in `env`.
fn merged(common: &Mapping, app: &Mapping) -> Mapping {
    let mut merged = common.clone();
    for (key, value) in app {
        match (merged.get_mut(key).and_then(Value::as_mapping_mut), value.as_mapping()) {
            (Some(all), Some(own)) => all.extend(own.clone()),
            _ => {
                merged.insert(key.clone(), value.clone());
            }
        }
    }
    merged
}

impl Entry {
    fn service(&self, part: Part, environment: &BTreeMap<String, String>) -> Result<Program> {
        debug_assert_eq!(part.role, Role::Service);
        let (program, arguments) = self.command.split_first().context("an app's command is empty")?;
        let mut environment = environment.clone();
        environment.extend(
            [
                ("APP_ID", self.app_id.clone()),
                ("APP_PORT", self.app_port.to_string()),
                ("DAPR_HTTP_PORT", self.http_port.to_string()),
                ("DAPR_GRPC_PORT", self.grpc_port.to_string()),
                ("DAPR_METRICS_PORT", self.metrics_port.to_string()),
                ("APP_PROTOCOL", self.app_protocol.clone()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        environment.extend(self.env.clone());
        Ok(Program {
            part,
            file: program.into(),
            arguments: arguments.iter().map(Into::into).collect(),
            environment,
            directory: self.app_dir_path.clone(),
        })
    }

    fn sidecar(&self, part: Part, daprd: &Path, environment: &BTreeMap<String, String>) -> Program {
        let mut flags = vec![
            ("--config", self.config_file_path.clone()),
            ("--app-protocol", self.app_protocol.clone()),
            ("--log-level", self.log_level.clone()),
            ("--app-max-concurrency", UNLIMITED.to_owned()),
            ("--app-id", self.app_id.clone()),
            ("--app-port", self.app_port.to_string()),
            ("--dapr-http-port", self.http_port.to_string()),
            ("--dapr-grpc-port", self.grpc_port.to_string()),
            ("--dapr-internal-grpc-port", self.internal_port.to_string()),
            ("--metrics-port", self.metrics_port.to_string()),
        ];
        flags.extend(self.resources_paths.iter().map(|path| ("--resources-path", path.clone())));
        let number = |value: Option<u32>| value.map(|value| value.to_string());
        let optional = [
            ("--app-health-check-path", self.app_health_check_path.clone()),
            ("--app-health-probe-interval", number(self.app_health_probe_interval)),
            ("--app-health-probe-timeout", number(self.app_health_probe_timeout)),
            ("--app-health-threshold", number(self.app_health_threshold)),
            ("--read-buffer-size", self.read_buffer_size.clone()),
        ];
        flags.extend(optional.into_iter().filter_map(|(flag, value)| Some((flag, value?))));
        let mut arguments: Vec<OsString> =
            flags.into_iter().flat_map(|(flag, value)| [flag.into(), value.into()]).collect();
        if self.enable_app_health_check {
            arguments.push("--enable-app-health-check".into());
        }
        Program {
            part,
            file: daprd.to_owned(),
            arguments,
            environment: environment.clone(),
            directory: self.app_dir_path.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
version: 1
common:
  appProtocol: http
  logLevel: info
  enableAppHealthCheck: true
  appHealthCheckPath: /livez
  appHealthProbeInterval: 1
  env: {A: common, B: common}
apps:
- {appID: patient, appDirPath: /home, command: [/home/bin/patient, --verbose], appPort: 20, daprHTTPPort: 21,
   daprGRPCPort: 22, daprInternalGRPCPort: 23, metricsPort: 24, configFilePath: /c.yaml, resourcesPaths: [/a, /b],
   logLevel: debug, env: {B: own}}
- {appID: patient, appDirPath: /home, command: [/home/bin/patient], appPort: 60, daprHTTPPort: 61,
   daprGRPCPort: 62, daprInternalGRPCPort: 63, metricsPort: 64, configFilePath: /c.yaml, resourcesPaths: [/a]}
";

    fn parsed(file: &str) -> Result<Vec<Program>> {
        programs(file, Path::new("/daprd"), &BTreeMap::from([("TOKEN".to_owned(), "t".to_owned())]))
    }

    #[test]
    fn a_service_is_started_with_its_ports_and_variables() {
        let programs = parsed(FILE).unwrap();
        let service = &programs[0];
        assert_eq!(service.part, Part::service(App::Patient));
        assert_eq!((service.file.to_str(), service.directory.to_str()), (Some("/home/bin/patient"), Some("/home")));
        assert_eq!(service.arguments, ["--verbose"]);
        for (name, value) in
            [("APP_PORT", "20"), ("DAPR_GRPC_PORT", "22"), ("TOKEN", "t"), ("A", "common"), ("B", "own")]
        {
            assert_eq!(service.environment[name], value);
        }
    }

    #[test]
    fn a_sidecar_is_started_as_the_cli_does_it() {
        let sidecar = &parsed(FILE).unwrap()[1];
        assert_eq!((sidecar.part, sidecar.file.to_str()), (Part::sidecar(App::Patient), Some("/daprd")));
        let line: Vec<_> = sidecar.arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        let line = line.join(" ");
        for flags in [
            "--app-id patient --app-port 20 --dapr-http-port 21 --dapr-grpc-port 22 --dapr-internal-grpc-port 23",
            "--log-level debug",
            "--resources-path /a --resources-path /b",
            "--app-health-check-path /livez --app-health-probe-interval 1 --enable-app-health-check",
        ] {
            assert!(line.contains(flags), "{flags} is not in {line}");
        }
        assert!(!line.contains("threshold"), "{line}");
        assert!(!sidecar.environment.contains_key("APP_PORT"), "the CLI's own environment and nothing more");
    }

    #[test]
    fn the_second_of_one_id_is_the_second_instance() {
        let parts: Vec<_> = parsed(FILE).unwrap().into_iter().map(|program| program.part).collect();
        let first = [Part::service(App::Patient), Part::sidecar(App::Patient)];
        assert_eq!(parts, [first, first.map(|part| part.of_instance(2))].concat());
    }

    #[test]
    fn a_field_that_would_be_left_undone_is_an_error() {
        assert!(parsed(&FILE.replace("appProtocol: http", "appProtocol: http\n  unixDomainSocket: /tmp")).is_err());
    }
}
