//! The parts and what a test does with them.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use local::{
    App, Home, Kafka, Postgres, Process, Reservation, Secrets, Sentry, Signal, Tokens, access, broker,
    postgres::Shutdown,
};
use runtime::Environment;
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::{
    issuer::Issuer,
    place::{kafka_files, repo, runtime_dir},
    sidecar::Sidecars,
};

/// Real parts around one app; clones share them.
#[derive(Clone)]
pub struct Parts(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) app: App,
    pub(crate) reservation: Reservation,
    pub(crate) home: Home,
    pub(crate) secrets: Secrets,
    pub(crate) sidecars: Sidecars,
    pub(crate) issuer: Issuer,
    pub(crate) client: reqwest::Client,
    own_sidecar: Mutex<Option<Process>>,
    handle: Handle,
    folder: Mutex<Option<TempDir>>,
}

/// Tells the optional output bindings where the test receives; nothing else is at the gateway's port.
fn add_receiver(home: &Home, port: u16) -> Result<()> {
    let path = home.app_secrets(App::Patient);
    let mut secrets: BTreeMap<String, String> = serde_json::from_slice(&fs::read(&path)?)?;
    secrets.insert("reminders-url".to_owned(), format!("http://127.0.0.1:{port}/messages"));
    Ok(fs::write(&path, serde_json::to_vec(&secrets)?)?)
}

impl Parts {
    pub(crate) async fn start(app: App) -> Result<Self> {
        let repo = repo()?;
        let reservation = Reservation::take()?;
        let ports = reservation.ports;
        let folder = TempDir::with_prefix("pms-test-")?;
        let home = Home::create(folder.path())?;
        let runtime = runtime_dir(&repo).await?;
        let files = kafka_files(&repo).await?;
        let secrets = Secrets::prepare(&home, ports, broker::Kind::Kafka)?;
        let postgres = Postgres::new(&home, ports.postgres());
        let kafka = Kafka::new(&home, ports, &files);
        let sentry = Sentry::new(&home, ports, &runtime);
        tokio::try_join!(
            async {
                postgres.start(&secrets.superuser_password).await?;
                local::system::migrate(&postgres, &secrets).await
            },
            async {
                kafka.start().await?;
                kafka.create_topics(&access::topics(&repo)?).await
            },
            sentry.start(),
        )?;
        let tokens = Tokens::renew(&home)?;
        let trust_anchors = sentry.trust_anchors()?;
        let sidecars = Sidecars { repo, home: home.clone(), ports, runtime, tokens, trust_anchors };
        let issuer = Issuer::of(&home)?;
        if app != App::Auth {
            issuer.serve(ports.app(App::Auth).app).await?;
            sidecars.start(App::Auth, true)?;
        }
        if app == App::Patient {
            add_receiver(&home, ports.app(App::Gateway).app)?;
        }
        let own_sidecar = sidecars.start(app, true)?;
        Ok(Self(Arc::new(Inner {
            app,
            reservation,
            home,
            secrets,
            sidecars,
            issuer,
            client: reqwest::Client::builder().no_proxy().build()?,
            own_sidecar: Mutex::new(Some(own_sidecar)),
            handle: Handle::current(),
            folder: Mutex::new(Some(folder)),
        })))
    }

    /// The variables that the service under test would be started with, and these.
    pub fn environment(&self, more: &[(&str, &str)]) -> Environment {
        let block = self.0.sidecars.ports.app(self.0.app);
        let tokens = &self.0.sidecars.tokens;
        let own = [
            ("APP_PORT", block.app.to_string()),
            ("DAPR_HTTP_PORT", block.http.to_string()),
            ("DAPR_GRPC_PORT", block.grpc.to_string()),
            ("DAPR_API_TOKEN", tokens.dapr_api_token.clone()),
            ("APP_API_TOKEN", tokens.app_api_token.clone()),
            ("PUBLIC_ADDRESS", format!("127.0.0.1:{}", self.0.sidecars.ports.gateway())),
        ];
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Environment::of(own.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(more))
    }

    /// Waits until sidecar and service are ready.
    pub async fn ready(&self) -> Result<()> {
        self.0.sidecars.ready(self.0.app).await?;
        self.eventually("the service is ready", || async {
            let answer = self.0.client.get(self.app_url("/readyz")).send().await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()))
        })
        .await
    }

    /// The secrets of the test's own home.
    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// A secret of the app.
    pub fn secret(&self, name: &str) -> Result<String> {
        let secrets: BTreeMap<String, String> =
            serde_json::from_slice(&fs::read(self.0.home.app_secrets(self.0.app))?)?;
        secrets.get(name).cloned().with_context(|| format!("there is no secret {name}"))
    }

    /// Changes or removes a secret of the app; its sidecar answers it from now on.
    pub fn set_secret(&self, name: &str, value: Option<&str>) -> Result<()> {
        let path = self.0.home.app_secrets(self.0.app);
        let mut secrets: BTreeMap<String, String> = serde_json::from_slice(&fs::read(&path)?)?;
        match value {
            Some(value) => secrets.insert(name.to_owned(), value.to_owned()),
            None => secrets.remove(name),
        };
        Ok(fs::write(&path, serde_json::to_vec(&secrets)?)?)
    }

    /// The port at which a test receives what the optional output bindings hand over.
    pub fn receiver_port(&self) -> u16 {
        self.0.sidecars.ports.app(App::Gateway).app
    }

    /// Kills PostgreSQL as a loss of power would.
    pub async fn stop_postgres(&self) -> Result<()> {
        local::postgres::stop(&self.0.home, Shutdown::Immediate).await
    }

    /// Starts PostgreSQL again.
    pub async fn start_postgres(&self) -> Result<()> {
        let postgres = Postgres::new(&self.0.home, self.0.reservation.ports.postgres());
        postgres.start(&self.0.secrets.superuser_password).await.map(drop)
    }

    /// Kills the app's sidecar.
    pub async fn kill_sidecar(&self) {
        let sidecar = self.0.own_sidecar.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sidecar) = sidecar {
            sidecar.end(Signal::KILL, std::time::Duration::from_secs(5)).await;
        }
    }

    /// Starts the app's sidecar again.
    pub async fn start_sidecar(&self) -> Result<()> {
        let sidecar = self.0.sidecars.start(self.0.app, true)?;
        *self.0.own_sidecar.lock().unwrap_or_else(PoisonError::into_inner) = Some(sidecar);
        self.0.sidecars.ready(self.0.app).await
    }

    pub(crate) fn handle(&self) -> Handle {
        self.0.handle.clone()
    }

    #[expect(clippy::print_stderr, reason = "what a failed test shows")]
    pub(crate) fn show_logs(&self) {
        eprintln!("{}", local::launch::tail(&self.0.home.log(&format!("{}-sidecar", self.0.app))));
    }

    pub(crate) fn end(&self) {
        local::system::kill_all(&self.0.home);
        let _ = local::postgres::remove_data(&self.0.home);
        drop(self.0.folder.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
