//! The system that is killed, in a home and on ports of its own.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use local::{
    App, Home, Options, Part, Process, Reservation, Secrets, Supervisor, System, Tokens, options::Launcher,
    ports::Block,
};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

use crate::settings::Settings;

const POLL: Duration = Duration::from_millis(100);
/// How long a part may take to come back before the run is given up.
const BACK: Duration = Duration::from_mins(1);

/// The running system.
pub(crate) struct Stage {
    pub(crate) system: System,
    pub(crate) secrets: Secrets,
    pub(crate) tokens: Tokens,
    pub(crate) http: reqwest::Client,
    pub(crate) time_zone: String,
    folder: Mutex<Option<TempDir>>,
    _reservation: Reservation,
}

impl Stage {
    /// Starts everything from the repository's run file, under a supervisor that brings back whatever ends.
    pub(crate) async fn set(settings: &Settings, extra_env: BTreeMap<String, String>) -> Result<Self> {
        let repo = testkit::repo()?;
        let reservation = Reservation::take()?;
        let folder = TempDir::with_prefix("pms-chaos-")?;
        let home = Home::create(folder.path())?;
        end_when_interrupted(home.clone());
        let time_zone = time_zone(&repo)?;
        let options = Options {
            kafka_files: testkit::kafka_files(&repo).await?,
            runtime_dir: testkit::runtime_dir(&repo).await?,
            repo,
            home: home.clone(),
            ports: reservation.ports,
            broker: settings.broker,
            launcher: Launcher::Supervisor,
            instances: settings.instances,
            payer_simulator: false,
            bin_dir: settings.bin_dir.clone(),
            log_level: "info".to_owned(),
            // What the test says counts more.
            extra_env: local::unlimited().into_iter().chain(extra_env).collect(),
            quiet: true,
        };
        let system = match System::up(&options).await {
            Ok(system) => system,
            Err(error) => {
                end(&home);
                return Err(error);
            }
        };
        Ok(Self {
            system,
            secrets: Secrets::read(&home)?.context("there are no secrets")?,
            tokens: Tokens::read(&home)?,
            http: reqwest::Client::builder().no_proxy().build()?,
            time_zone,
            folder: Mutex::new(Some(folder)),
            _reservation: reservation,
        })
    }

    pub(crate) fn home(&self) -> &Home {
        self.system.home()
    }

    pub(crate) fn supervisor(&self) -> Result<&Supervisor> {
        self.system.supervisor().context("the system has no supervisor")
    }

    pub(crate) fn block(&self, app: App) -> Block {
        self.system.ports().app(app)
    }

    /// The broker's first process.
    pub(crate) fn broker(&self) -> Option<Process> {
        let of_broker = |name: &str| !["postgres", "sentry"].contains(&name);
        self.system.foundation().into_iter().find(|(name, _)| of_broker(name)).map(|(_, process)| process)
    }

    /// Waits until a part has run for a while.
    pub(crate) async fn running(&self, part: Part, at_least: Duration) -> Result<()> {
        let begun = Instant::now();
        let supervisor = self.supervisor()?;
        loop {
            let life = supervisor.life(part).filter(|life| life.process.is_running());
            if life.is_some_and(|life| life.started.elapsed() >= at_least) {
                return Ok(());
            }
            if begun.elapsed() > BACK {
                bail!("{part} does not come back");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until every service says, through its sidecar, that it is ready.
    pub(crate) async fn ready(&self, limit: Duration) -> Result<()> {
        let begun = Instant::now();
        for app in App::ALL {
            let url = format!("http://127.0.0.1:{}/v1.0/invoke/{app}/method/readyz", self.block(app).http);
            loop {
                let request = self.http.get(&url).header("dapr-api-token", &self.tokens.dapr_api_token);
                let answer = request.timeout(Duration::from_secs(3)).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                if begun.elapsed() > limit {
                    bail!("{app} does not get ready again");
                }
                tokio::time::sleep(POLL).await;
            }
        }
        Ok(())
    }

    /// Where the superuser reaches the server, without a database.
    pub(crate) fn postgres_url(&self) -> String {
        let url = self.system.postgres().admin_url(&self.secrets.superuser_password);
        url.rsplit_once('/').map_or(url.clone(), |(server, _)| server.to_owned())
    }

    /// A connection to an app's database as the superuser.
    pub(crate) async fn database(&self, app: App) -> Result<PgConnection> {
        let database = app.database().context("the app has no database")?;
        Ok(PgConnection::connect(&format!("{}/{database}", self.postgres_url())).await?)
    }

    /// The rows of a query that answers one JSON value each.
    pub(crate) async fn rows(&self, app: App, query: &str) -> Result<Vec<Value>> {
        let mut connection = self.database(app).await?;
        let rows = sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(&mut connection).await?;
        connection.close().await?;
        Ok(rows)
    }

    /// The one number that a query answers.
    pub(crate) async fn number(&self, app: App, query: &str) -> Result<i64> {
        let mut connection = self.database(app).await?;
        let number = sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(number)
    }

    /// Runs statements as the superuser, all of them or none.
    pub(crate) async fn execute(&self, app: App, statements: &str) -> Result<()> {
        let mut connection = self.database(app).await?;
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    /// What a service has logged since the start, through all its lives.
    pub(crate) fn log_of(&self, part: Part) -> String {
        std::fs::read_to_string(self.home().log(&part.to_string())).unwrap_or_default()
    }

    /// Ends everything; the home stays when it is asked to.
    pub(crate) async fn strike(&self, keep: bool) -> Result<()> {
        if let Some(supervisor) = self.system.supervisor() {
            supervisor.stop().await;
        }
        let stopped = self.system.down().await;
        local::system::kill_all(self.home());
        let folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner).take();
        if keep {
            drop(folder.map(TempDir::keep));
        } else {
            local::postgres::remove_data(self.home())?;
        }
        stopped
    }
}

fn end(home: &Home) {
    local::system::kill_all(home);
    let _ = local::postgres::remove_data(home);
}

/// The clinic's zone, from the run file that everything is started from.
fn time_zone(repo: &Path) -> Result<String> {
    let file = std::fs::read_to_string(repo.join("dapr/dapr.yaml"))?;
    let zone = file.lines().find_map(|line| line.trim().strip_prefix("CLINIC_TIME_ZONE:"));
    Ok(zone.context("dapr.yaml names no zone")?.trim().trim_matches('"').to_owned())
}

/// A run that is interrupted leaves nothing.
fn end_when_interrupted(home: Home) {
    use tokio::signal::unix::{SignalKind, signal};
    tokio::spawn(async move {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        end(&home);
        let _ = std::fs::remove_dir_all(home.root());
        std::process::exit(130);
        #[expect(unreachable_code, reason = "gives the block its type")]
        anyhow::Ok(())
    });
}
