//! daprd as `dapr run` would start it, for one app.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use local::{App, Home, Ports, Process, Tokens, launch::launch, ports::Block};
use serde::Deserialize;
use tokio::{process::Command, time::Instant};

const READY: Duration = Duration::from_secs(30);

/// What every sidecar of a test shares.
pub(crate) struct Sidecars {
    pub(crate) repo: PathBuf,
    pub(crate) home: Home,
    pub(crate) ports: Ports,
    pub(crate) runtime: PathBuf,
    pub(crate) tokens: Tokens,
    pub(crate) trust_anchors: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    apps: Vec<RunApp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RunApp {
    #[serde(rename = "appID")]
    app_id: String,
    config_file_path: String,
    resources_paths: Vec<String>,
}

impl Sidecars {
    /// Starts the sidecar of `app`; with `serving` it calls the app and waits for it.
    pub(crate) fn start(&self, app: App, serving: bool) -> Result<Process> {
        let run: Run = serde_yaml_ng::from_str(&fs::read_to_string(self.repo.join("dapr/dapr.yaml"))?)?;
        let run = run.apps.into_iter().find(|run| run.app_id == app.id()).context("dapr.yaml has no such app")?;
        let configuration = self.in_repo(&run.config_file_path);
        let mut resources = run.resources_paths;
        if app == App::Patient {
            // What an operator may add; its receiver is the test's.
            resources.push("../components/reminders".to_owned());
        }
        self.start_daprd(app.id(), self.ports.app(app), &configuration, &resources, serving)
    }

    /// Starts a sidecar for the app of this id at these ports.
    pub(crate) fn start_daprd(
        &self,
        id: &str,
        block: Block,
        configuration: &Path,
        resources: &[String],
        serving: bool,
    ) -> Result<Process> {
        let mut command = Command::new(self.runtime.join(".dapr/bin/daprd"));
        command.args(["--app-id", id, "--log-as-json"]);
        command.args(["--dapr-http-port", &block.http.to_string(), "--dapr-grpc-port", &block.grpc.to_string()]);
        command.args([
            "--dapr-internal-grpc-port",
            &block.internal.to_string(),
            "--metrics-port",
            &block.metrics.to_string(),
        ]);
        for listen in [
            "dapr-listen-addresses",
            "dapr-internal-grpc-listen-address",
            "dapr-public-listen-address",
            "metrics-listen-address",
        ] {
            command.args([&format!("--{listen}"), "127.0.0.1"]);
        }
        command.args(["--enable-mtls", "--sentry-address", &format!("127.0.0.1:{}", self.ports.sentry())]);
        command.arg("--config").arg(configuration);
        for path in resources {
            command.arg("--resources-path").arg(self.in_repo(path));
        }
        if serving {
            command.args(["--app-port", &block.app.to_string(), "--app-protocol", "http", "--enable-app-health-check"]);
            command.args(["--app-health-check-path", "/livez", "--app-health-probe-interval", "1"]);
        }
        command
            .current_dir(self.home.root())
            .env("DAPR_API_TOKEN", &self.tokens.dapr_api_token)
            .env("APP_API_TOKEN", &self.tokens.app_api_token)
            .env("DAPR_TRUST_ANCHORS", &self.trust_anchors)
            .env("NAMESPACE", local::sentry::NAMESPACE)
            .env("PMS_PORT_BASE", self.ports.base().to_string())
            .env("PMS_INSTANCES", "1");
        launch(&self.home, &format!("{id}-sidecar"), &mut command)
    }

    /// Waits until the sidecar of `app` answers.
    pub(crate) async fn ready(&self, app: App) -> Result<()> {
        self.ready_at(app.id(), self.ports.app(app)).await
    }

    /// Waits until the sidecar at these ports answers.
    pub(crate) async fn ready_at(&self, id: &str, block: Block) -> Result<()> {
        let url = format!("http://127.0.0.1:{}/v1.0/healthz", block.http);
        let until = Instant::now() + READY;
        while Instant::now() < until {
            if reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!(
            "the sidecar of {id} does not get ready\n{}",
            local::launch::tail(&self.home.log(&format!("{id}-sidecar")))
        )
    }

    /// Paths in `dapr.yaml` begin at a folder beside `dapr/`.
    pub(crate) fn in_repo(&self, path: &str) -> PathBuf {
        self.repo.join(Path::new(path).strip_prefix("..").unwrap_or(Path::new(path)))
    }
}
