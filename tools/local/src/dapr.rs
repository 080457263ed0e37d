//! The services and their sidecars, as a run file describes them, by `dapr run -f` or a supervisor.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::{
    dapr_yaml::Rendering,
    home::{Home, read_optional, write_private},
    launch::launch,
    options::Options,
    part::{Part, Role},
    ports::Ports,
    process::{Process, Signal},
    run_file::{self, Program},
    secrets::Tokens,
    sentry,
};

const PART: &str = "dapr";

/// How long a service may take to finish what it has begun.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a sidecar may take to leave its consumer groups.
const LEAVE: Duration = Duration::from_secs(8);

/// How long the CLI may take, which has nothing left to do then.
///
/// Just after a start it still tries to tell each sidecar about the run, and would do so for a minute.
const CLI: Duration = Duration::from_millis(500);

/// The services and sidecars that these options describe.
#[derive(Debug)]
pub(crate) struct Dapr<'a> {
    options: &'a Options,
    file: String,
}

impl<'a> Dapr<'a> {
    pub(crate) fn prepare(options: &'a Options) -> Result<Self> {
        let read = |name: &str| {
            let path = options.repo.join("dapr").join(name);
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
        };
        let name = run_file::name(options.instances)?;
        let text = read(name)?;
        let beside = if options.payer_simulator { Some(read(run_file::BESIDE)?) } else { None };
        let rendering = Rendering {
            repo: &options.repo,
            home: options.home.root(),
            bin_dir: &options.bin_dir,
            broker: options.broker.id(),
            ports: options.ports,
            log_level: &options.log_level,
            environment: &options.extra_env,
        };
        let file = rendering.render(&text, beside.as_deref()).with_context(|| format!("dapr/{name}"))?;
        Ok(Self { options, file })
    }

    /// Whether everything runs as these options would start it, from the programs that are there now.
    pub(crate) fn runs(&self) -> bool {
        let home = &self.options.home;
        let running = Part::running(home);
        Process::recorded(home, PART).is_some()
            && read_optional(&rendered(home)).ok().flatten().as_ref() == Some(&self.file)
            && self
                .options
                .parts()
                .all(|wanted| running.iter().any(|(part, process)| *part == wanted && self.is_current(wanted, process)))
    }

    fn is_current(&self, part: Part, process: &Process) -> bool {
        let program = match part.role {
            Role::Service => self.options.bin_dir.join(part.app.program()),
            Role::Sidecar => self.program("daprd"),
        };
        let file = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
        file(&process.image()) == file(&program)
    }

    /// Starts the CLI, which starts them one after another.
    pub(crate) fn start(&self, tokens: &Tokens, trust_anchors: &str) -> Result<Process> {
        let home = &self.options.home;
        write_private(&rendered(home), &self.file)?;
        set_old_logs_aside(home)?;
        let mut command = Command::new(self.program("dapr"));
        command
            .args(["run", "-f"])
            .arg(rendered(home))
            .current_dir(home.root())
            .env("DAPR_RUNTIME_PATH", &self.options.runtime_dir)
            .envs(self.environment(tokens, trust_anchors));
        launch(home, PART, &mut command)
    }

    /// What the CLI would start, for somebody who does it in its place.
    pub(crate) fn programs(&self, tokens: &Tokens, trust_anchors: &str) -> Result<Vec<Program>> {
        let home = &self.options.home;
        write_private(&rendered(home), &self.file)?;
        run_file::programs(&self.file, &self.program("daprd"), &self.environment(tokens, trust_anchors))
    }

    /// What services and sidecars find in their environment besides what the run file says.
    fn environment(&self, tokens: &Tokens, trust_anchors: &str) -> BTreeMap<String, String> {
        let mut environment: BTreeMap<String, String> = [
            ("DAPR_API_TOKEN", tokens.dapr_api_token.clone()),
            ("APP_API_TOKEN", tokens.app_api_token.clone()),
            ("PMS_DAPRD_ARGS", sidecar_arguments(self.options.ports, &self.file)),
            ("PMS_PORT_BASE", self.options.ports.base().to_string()),
            ("PMS_INSTANCES", self.options.instances.to_string()),
            ("DAPR_TRUST_ANCHORS", trust_anchors.to_owned()),
            ("NAMESPACE", sentry::NAMESPACE.to_owned()),
            ("LOG_LEVEL", self.options.log_level.clone()),
            // Measured: 8-20 % less CPU in daprd for 40 MB more.
            ("GOGC", "400".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        environment.extend(self.options.extra_env.clone());
        environment
    }

    fn program(&self, name: &str) -> PathBuf {
        self.options.runtime_dir.join(".dapr/bin").join(name)
    }
}

/// Stops services, then sidecars, then the CLI, each when the one before has finished with it.
///
/// The CLI itself would kill them.
pub(crate) async fn stop(home: &Home) {
    let (services, sidecars): (Vec<_>, Vec<_>) =
        Part::running(home).into_iter().partition(|(part, _)| part.is_service());
    end_all(services, DRAIN).await;
    end_all(sidecars, LEAVE).await;
    if let Some(cli) = cli(home) {
        cli.end(Signal::TERM, CLI).await;
    }
    // What it started meanwhile, when it was interrupted.
    end_all(Part::running(home), LEAVE).await;
}

/// The CLI's process.
pub(crate) fn cli(home: &Home) -> Option<Process> {
    Process::recorded(home, PART)
}

async fn end_all(parts: Vec<(Part, Process)>, limit: Duration) {
    // A stopped process takes no signal but these.
    for (_, process) in &parts {
        process.signal(Signal::TERM);
        process.signal(Signal::CONT);
    }
    let deadline = tokio::time::Instant::now() + limit;
    for (_, process) in parts {
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        if !process.ended(left).await {
            process.end(Signal::KILL, CLI).await;
        }
    }
}

/// What the CLI does not say to daprd: our main appends it, and the last value of a flag wins.
fn sidecar_arguments(ports: Ports, run_file: &str) -> String {
    // The CLI that is built here is older than this setting and passes over it.
    let file: serde_yaml_ng::Value = serde_yaml_ng::from_str(run_file).unwrap_or_default();
    let read_buffer = file["common"]["readBufferSize"].as_str().map(|size| format!(" --read-buffer-size {size}"));
    format!(
        "--dapr-listen-addresses 127.0.0.1 --dapr-internal-grpc-listen-address 127.0.0.1 \
         --dapr-public-listen-address 127.0.0.1 --metrics-listen-address 127.0.0.1 \
         --enable-mtls --sentry-address 127.0.0.1:{} --log-as-json{}",
        ports.sentry(),
        read_buffer.unwrap_or_default()
    )
}

fn rendered(home: &Home) -> PathBuf {
    home.run("dapr.yaml")
}

/// Where this CLI writes, in the directory of its apps.
fn cli_logs(home: &Home) -> PathBuf {
    home.root().join(".dapr/logs")
}

/// Keeps the logs of the run before, and no older ones.
fn set_old_logs_aside(home: &Home) -> Result<()> {
    let (current, old) = (cli_logs(home), home.root().join(".dapr/logs.old"));
    if current.exists() {
        if old.exists() {
            fs::remove_dir_all(&old)?;
        }
        fs::rename(&current, &old)?;
    }
    Ok(fs::create_dir_all(&current)?)
}

/// Gives the logs that the CLI named by the time their plain names: `logs/<app>.log`, `logs/<app>-sidecar.log`.
///
/// Answers the parts that have one, which are those that the CLI has begun to start.
pub(crate) fn link_logs(home: &Home, parts: impl Iterator<Item = Part>) -> Result<Vec<Part>> {
    let mut begun = Vec::new();
    for part in parts {
        let prefix = match part.role {
            Role::Service => format!("{}_app_", part.app),
            Role::Sidecar => format!("{}_daprd_", part.app),
        };
        let mut logs: Vec<_> = fs::read_dir(cli_logs(home))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)))
            .collect();
        // It names them by the second and the app, starts instances in their order, and restarts none.
        logs.sort();
        if let Some(log) = usize::from(part.instance).checked_sub(1).and_then(|index| logs.get(index)) {
            let link = home.log(&part.to_string());
            fs::remove_file(&link).ok();
            symlink(log, link)?;
            begun.push(part);
        }
    }
    Ok(begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_reads_as_long_a_head_as_the_run_file_says() {
        let ports = Ports::new(9000).unwrap();
        let arguments = sidecar_arguments(ports, "common:\n  readBufferSize: 24Ki\napps: []\n");
        assert!(arguments.ends_with(" --read-buffer-size 24Ki"), "{arguments}");
        assert!(!sidecar_arguments(ports, "apps: []\n").contains("--read-buffer-size"));
    }
}
