//! The system that all trials share, and what a trial may do to it.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use access::Role;
use anyhow::{Context as _, Result, bail};
use local::{
    App, Home, Launcher, Options, Part, Ports, Process, Reservation, Secrets, System, Tokens, broker, system::Killed,
};
use reqwest::Client;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use testkit::Issuer;

use crate::{collector::Collector, door::Door};

/// A connection that is idle for 5 s is closed by the gateway, and what is sent at that moment is lost.
const REUSED: Duration = Duration::from_secs(4);

const POLL: Duration = Duration::from_millis(50);

/// The running system.
pub(crate) struct Stage {
    pub(crate) system: System,
    pub(crate) collector: Collector,
    pub(crate) collector_port: u16,
    pub(crate) secrets: Secrets,
    pub(crate) tokens: Tokens,
    pub(crate) issuer: Issuer,
    pub(crate) repo: PathBuf,
    pub(crate) client: Client,
    /// The resident KiB of each part when it had just started and nobody had asked anything.
    pub(crate) weights: Vec<(Part, u64)>,
    killed: Mutex<BTreeMap<String, Killed>>,
    /// People of whom events told and whom `patient` does not know.
    strangers: AtomicU64,
    folder: Mutex<Option<TempDir>>,
    _reservation: Reservation,
}

impl Stage {
    /// Starts everything in a home of its own, on ports that nobody else has.
    pub(crate) async fn set(weigh: bool) -> Result<Self> {
        let repo = testkit::repo()?;
        let reservation = Reservation::take()?;
        let ports = reservation.ports;
        let folder = TempDir::with_prefix("pms-e2e-")?;
        let home = Home::create(folder.path())?;
        end_when_interrupted(home.clone());
        let (collector, collector_port) = Collector::start().await?;
        let options = Options {
            repo: repo.clone(),
            home: home.clone(),
            ports,
            broker: broker()?,
            launcher: Launcher::Cli,
            instances: instances()?,
            payer_simulator: true,
            bin_dir: programs()?,
            runtime_dir: testkit::runtime_dir(&repo).await?,
            kafka_files: testkit::kafka_files(&repo).await?,
            log_level: "info".to_owned(),
            extra_env: local::unlimited(),
            quiet: true,
        };
        let started = async {
            // Weighed as it is by default; only then it is started again with a collector.
            let weights = if weigh { weigh_all(&System::up(&options).await?) } else { Vec::new() };
            let system = System::up(&Options { extra_env: exporting_to(collector_port), ..options }).await?;
            anyhow::Ok((system, weights))
        };
        let (system, weights) = match started.await {
            Ok(started) => started,
            Err(error) => {
                local::system::kill_all(&home);
                let _ = local::postgres::remove_data(&home);
                return Err(error);
            }
        };
        Ok(Self {
            system,
            weights,
            collector,
            collector_port,
            secrets: Secrets::read(&home)?.context("there are no secrets")?,
            tokens: Tokens::read(&home)?,
            issuer: Issuer::of(&home)?,
            repo,
            client: Client::builder().no_proxy().timeout(Duration::from_secs(20)).pool_idle_timeout(REUSED).build()?,
            killed: Mutex::default(),
            strangers: AtomicU64::new(0),
            folder: Mutex::new(Some(folder)),
            _reservation: reservation,
        })
    }

    pub(crate) fn home(&self) -> &Home {
        self.system.home()
    }

    pub(crate) fn ports(&self) -> Ports {
        self.system.ports()
    }

    /// An access token of a user with this role.
    pub(crate) fn token(&self, role: Role) -> Result<String> {
        self.issuer.token(&role.to_string(), role)
    }

    /// The public port, for a user with this role.
    pub(crate) fn public(&self, role: Role) -> Result<Door> {
        Ok(Door::new(&self.client, self.system.url(), None).with_token(&self.token(role)?))
    }

    /// The gateway's own sidecar, for a user with this role.
    pub(crate) fn gateways_sidecar(&self, role: Role) -> Result<Door> {
        let base = format!("{}/v1.0/invoke/gateway/method", self.sidecar_url(App::Gateway));
        Ok(Door::new(&self.client, base, Some(&self.tokens.dapr_api_token)).with_token(&self.token(role)?))
    }

    pub(crate) fn sidecar_url(&self, app: App) -> String {
        format!("http://127.0.0.1:{}", self.ports().app(app).http)
    }

    /// The services of an app: one, or one for each instance.
    pub(crate) fn services(&self, app: App) -> Vec<Part> {
        self.system.parts().filter(|part| part.app == app && part.is_service()).collect()
    }

    /// Kills every service of an app.
    pub(crate) async fn kill_every(&self, app: App) -> Result<()> {
        for service in self.services(app) {
            self.kill(service).await?;
        }
        Ok(())
    }

    /// Starts every service of an app again.
    pub(crate) fn respawn_every(&self, app: App) -> Result<()> {
        self.services(app).into_iter().try_for_each(|service| self.respawn(service))
    }

    /// Kills a service or sidecar; it is away until [`respawn`](Self::respawn) or the trial's end.
    pub(crate) async fn kill(&self, part: Part) -> Result<()> {
        let killed = self.system.kill(part).await?;
        self.killed().insert(part.to_string(), killed);
        Ok(())
    }

    /// Asks a service to end, as a deployment does, and does not wait for it.
    pub(crate) fn terminate(&self, part: Part) -> Result<Process> {
        let (process, killed) = self.system.terminate(part)?;
        self.killed().insert(part.to_string(), killed);
        Ok(process)
    }

    /// Starts what was killed again.
    pub(crate) fn respawn(&self, part: Part) -> Result<()> {
        let killed = self.killed().remove(&part.to_string()).with_context(|| format!("{part} was not killed"))?;
        killed.respawn().map(drop)
    }

    /// Undoes whatever a trial did, and waits until all is ready.
    pub(crate) async fn mend(&self) -> Result<()> {
        for part in self.system.parts() {
            // A part that was not paused does not notice.
            let _ = self.system.resume(part);
        }
        let killed = std::mem::take(&mut *self.killed());
        self.system.start_postgres().await?;
        self.system.start_broker().await?;
        for killed in killed.into_values() {
            killed.respawn()?;
        }
        self.ready().await
    }

    /// Waits until every service says that it is ready, by its sidecar: which then knows it, too.
    pub(crate) async fn ready(&self) -> Result<()> {
        for part in self.system.parts().filter(|part| part.is_service()) {
            let block = self.ports().instance(part.app, part.instance).context("no ports")?;
            let base = format!("http://127.0.0.1:{}/v1.0/invoke/{}/method", block.http, part.app);
            let door = Door::new(&self.client, base, Some(&self.tokens.dapr_api_token));
            let ready = async || Ok(door.get("/readyz").await.is_ok_and(|answer| answer.status == 200));
            self.eventually(&format!("{part} is ready"), ready).await?;
        }
        Ok(())
    }

    /// Waits until every event has left and every consumer has applied what it was sent.
    pub(crate) async fn settled(&self) -> Result<()> {
        let [patients, accounts] = ["projection.patients", "projection.accounts"].map(|table| {
            format!("select (select count(*) from {table}) as made, (select count(*) from document.outbox) as waiting")
        });
        let facts =
            "select (select count(*) from fact.patients) as patients, (select count(*) from fact.accounts) as accounts";
        let strangers = self.strangers.load(Ordering::SeqCst);
        self.eventually("every event has been applied", async || {
            let patients = self.count(App::Patient, &patients).await?;
            let accounts = self.count(App::Billing, &accounts).await?;
            let facts = self.count(App::Analytics, facts).await?;
            let expected = patients["made"].as_u64().map(|made| made + strangers);
            let others = [&accounts["made"], &facts["patients"], &facts["accounts"]];
            let left = [&patients, &accounts].iter().all(|publisher| publisher["waiting"] == 0);
            Ok(left && others.iter().all(|count| count.as_u64() == expected))
        })
        .await
    }

    /// Says that events told of people whom `patient` does not know.
    pub(crate) fn note_strangers(&self, more: u64) {
        self.strangers.fetch_add(more, Ordering::SeqCst);
    }

    /// The one row that a query of an app's database answers.
    pub(crate) async fn count(&self, app: App, query: &str) -> Result<Value> {
        let mut connection = self.database(app).await?;
        let query = AssertSqlSafe(format!("select to_jsonb(answer) from ({query}) as answer"));
        let row = sqlx::query_scalar(query).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(row)
    }

    /// A connection to an app's database as the superuser.
    pub(crate) async fn database(&self, app: App) -> Result<PgConnection> {
        let database = app.database().context("the app has no database")?;
        let url = self.system.postgres().admin_url(&self.secrets.superuser_password);
        let url = format!("{}/{database}", url.rsplit_once('/').context("a URL")?.0);
        Ok(PgConnection::connect(&url).await?)
    }

    /// How often the services of an app have logged a text, before they were killed and after.
    pub(crate) fn logged(&self, app: App, text: &str) -> usize {
        self.logs(app).map(|log| log.matches(text).count()).sum()
    }

    /// How many lines of the services of an app have all of these texts.
    pub(crate) fn logged_lines(&self, app: App, texts: &[&str]) -> usize {
        let fits = |line: &&str| texts.iter().all(|text| line.contains(text));
        self.logs(app).map(|log| log.lines().filter(fits).count()).sum()
    }

    fn logs(&self, app: App) -> impl Iterator<Item = String> {
        let logs = |part: Part| [format!("{part}"), format!("{part}-respawned"), format!("{part}-respawned.old")];
        let read = |log: String| std::fs::read_to_string(self.home().log(&log)).unwrap_or_default();
        self.services(app).into_iter().flat_map(logs).map(read)
    }

    /// Waits until something is so.
    pub(crate) async fn eventually(&self, what: &str, condition: impl AsyncFn() -> Result<bool>) -> Result<()> {
        within(self.system.broker().drains_within(), what, condition).await.map(drop)
    }

    #[expect(clippy::print_stderr, reason = "what a failed test shows")]
    pub(crate) fn show_logs(&self) {
        let mut logs: Vec<_> = self.system.parts().map(|part| part.to_string()).collect();
        logs.extend(["dapr", "postgres", self.system.broker().id()].map(str::to_owned));
        for log in logs {
            eprintln!("{}", local::launch::tail(&self.home().log(&log)));
        }
    }

    /// Stops everything and leaves nothing.
    pub(crate) async fn strike(&self) -> Result<()> {
        let stopped = self.system.down().await;
        local::system::kill_all(self.home());
        local::postgres::remove_data(self.home())?;
        drop(self.folder.lock().unwrap_or_else(PoisonError::into_inner).take());
        stopped
    }

    fn killed(&self) -> MutexGuard<'_, BTreeMap<String, Killed>> {
        self.killed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until something is so; answers how long it took.
pub(crate) async fn within(limit: Duration, what: &str, condition: impl AsyncFn() -> Result<bool>) -> Result<Duration> {
    let begun = Instant::now();
    while !condition().await? {
        if begun.elapsed() > limit {
            bail!("within {limit:?} it did not come true that {what}");
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(begun.elapsed())
}

fn weigh_all(system: &System) -> Vec<(Part, u64)> {
    system.parts().filter_map(|part| Some((part, system.process(part)?.resident_kib()))).collect()
}

/// What makes services and sidecars send spans and metrics there, soon.
fn exporting_to(port: u16) -> BTreeMap<String, String> {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}")),
        ("OTEL_EXPORTER_OTLP_INSECURE", "true".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "200".to_owned()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000".to_owned()),
        // What was lost is heard again while a trial waits for it.
        ("RECONCILE_EVERY_SECONDS", "15".to_owned()),
        // A line for each request, where its id can be found; sidecars are told by dapr.yaml and do not read this.
        ("LOG_LEVEL", "info,runtime=debug,sidecar=debug,billing=debug".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .chain(local::unlimited())
    .collect()
}

/// The broker that `BROKER` names, else the default.
#[expect(clippy::disallowed_methods, reason = "a test has no config.rs")]
fn broker() -> Result<broker::Kind> {
    env::var("BROKER").map_or_else(|_| Ok(broker::Kind::default()), |id| id.parse())
}

/// Where the services' programs are: in `PMS_BIN_DIR`, else where cargo built them beside this test.
#[expect(clippy::disallowed_methods, reason = "a test has no config.rs")]
fn programs() -> Result<PathBuf> {
    if let Ok(directory) = env::var("PMS_BIN_DIR") {
        return Ok(directory.into());
    }
    let test = env::current_exe()?;
    Ok(test.parent().and_then(Path::parent).context("cargo's directory")?.to_owned())
}

/// How many instances of `patient` and `billing` there are: one, unless `PMS_INSTANCES` says two.
#[expect(clippy::disallowed_methods, reason = "a test has no config.rs")]
fn instances() -> Result<u8> {
    env::var("PMS_INSTANCES").map_or(Ok(1), |number| number.parse().context("PMS_INSTANCES is a number"))
}

/// A test that is interrupted leaves nothing, either.
fn end_when_interrupted(home: Home) {
    use tokio::signal::unix::{SignalKind, signal};
    tokio::spawn(async move {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        local::system::kill_all(&home);
        let _ = local::postgres::remove_data(&home);
        let _ = std::fs::remove_dir_all(home.root());
        std::process::exit(130);
        #[expect(unreachable_code, reason = "gives the block its type")]
        anyhow::Ok(())
    });
}
