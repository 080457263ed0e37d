//! Sentry, the certificate authority of the sidecars.

use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::{
    home::{Home, write_private},
    launch::launch,
    ports::{Ports, expect_free},
    process::{Process, Signal, wait_ready},
};

/// The domain in every sidecar's identity, `spiffe://<domain>/ns/<namespace>/<app>`.
pub const TRUST_DOMAIN: &str = "localhost";

/// The namespace in it.
pub const NAMESPACE: &str = "default";

const CONFIGURATION: &str = include_str!("../../../dapr/sentry.yaml");

const PART: &str = "sentry";
const START: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(5);

/// Sentry's own root lasts a year; an older one is made again at a start.
const RENEW_AFTER: Duration = Duration::from_hours(300 * 24);

/// The authority of a home.
#[derive(Clone, Debug)]
pub struct Sentry {
    home: Home,
    ports: Ports,
    program: PathBuf,
}

/// Stops the home's authority, if it runs.
pub async fn stop(home: &Home) {
    if let Some(process) = Process::recorded(home, PART) {
        process.end(Signal::TERM, STOP).await;
    }
}

impl Sentry {
    /// The authority of this home; `runtime` is the directory that `dapr/runtime/build.sh` prints.
    pub fn new(home: &Home, ports: Ports, runtime: &Path) -> Self {
        Self { home: home.clone(), ports, program: runtime.join(".dapr/bin/sentry") }
    }

    /// The running process.
    pub fn process(&self) -> Option<Process> {
        Process::recorded(&self.home, PART)
    }

    /// Starts it unless it runs, and waits until it signs.
    pub async fn start(&self) -> Result<Process> {
        if let Some(running) = self.process() {
            if self.is_ready() {
                return Ok(running);
            }
            stop(&self.home).await;
        }
        expect_free(self.ports.sentry())?;
        self.drop_old_root()?;
        let configuration = self.home.sentry().join("configuration.yaml");
        write_private(&configuration, CONFIGURATION)?;
        let mut command = Command::new(&self.program);
        command
            .arg("--config")
            .arg(configuration)
            .arg("--issuer-credentials")
            .arg(self.home.sentry())
            .args(["--trust-domain", TRUST_DOMAIN])
            .args(["--listen-address", "127.0.0.1", "--healthz-listen-address", "127.0.0.1"])
            .args(["--port", &self.ports.sentry().to_string()])
            .args(["--healthz-port", &self.ports.sentry_health().to_string()])
            .args(["--enable-metrics=false", "--log-as-json"])
            .env("NAMESPACE", NAMESPACE)
            .current_dir(self.home.sentry());
        let process = launch(&self.home, PART, &mut command)?;
        wait_ready(&process, &self.home.log(PART), START, async || self.is_ready()).await?;
        Ok(process)
    }

    /// The root certificate, which every sidecar gets as `DAPR_TRUST_ANCHORS`.
    pub fn trust_anchors(&self) -> Result<String> {
        let path = self.root_certificate();
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    }

    fn root_certificate(&self) -> PathBuf {
        self.home.sentry().join("ca.crt")
    }

    fn is_ready(&self) -> bool {
        let address = (Ipv4Addr::LOCALHOST, self.ports.sentry());
        self.root_certificate().exists() && TcpStream::connect(address).is_ok()
    }

    fn drop_old_root(&self) -> Result<()> {
        let root = self.root_certificate();
        let age = fs::metadata(&root).and_then(|file| file.modified()).ok();
        if age.and_then(|made| made.elapsed().ok()).is_some_and(|age| age > RENEW_AFTER) {
            fs::remove_file(root)?;
        }
        Ok(())
    }
}
