//! A system of the bench's own: started, asked, and ended with all that it made.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use access::Role;
use anyhow::{Context as _, Result};
use local::{App, Home, Options, Ports, Postgres, Reservation, Secrets, System, Tokens, options::Launcher};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use testkit::Issuer;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use crate::{client::Client, options::Setup};

const QUIET: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);
const WAITING: &str = "select count(*) from document.outbox";

/// A running system.
pub struct Rig {
    system: System,
    secrets: Secrets,
    issuer: Issuer,
    /// Open all the while: a connection that is made anew costs PostgreSQL more than many counts.
    lookout: Mutex<Lookout>,
    folder: Option<TempDir>,
    _reservation: Reservation,
}

/// Connections that see how far the events are.
struct Lookout {
    patient: PgConnection,
    billing: PgConnection,
    analytics: PgConnection,
}

impl Lookout {
    async fn open(system: &System, secrets: &Secrets) -> Result<Self> {
        Ok(Self {
            patient: connect(system, secrets, App::Patient).await?,
            billing: connect(system, secrets, App::Billing).await?,
            analytics: connect(system, secrets, App::Analytics).await?,
        })
    }
}

/// How many of each there are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Accounts that are stored.
    pub accounts: i64,
    /// Patients that analytics knows.
    pub known_patients: i64,
    /// Accounts that analytics knows.
    pub known_accounts: i64,
    /// Events that wait.
    pub waiting: i64,
}

impl Rig {
    /// Starts a system from the programs in `bin_dir`, in a home of its own or in the folder `name` of the given one.
    pub async fn start(setup: &Setup, name: &str, bin_dir: &Path) -> Result<Self> {
        let repo = testkit::repo()?;
        let reservation = Reservation::take()?;
        let folder = setup.home.is_none().then(|| TempDir::with_prefix("pms-bench-")).transpose()?;
        let root = match (&setup.home, &folder) {
            (Some(home), _) => home.join(name),
            (None, Some(folder)) => folder.path().to_owned(),
            (None, None) => PathBuf::new(),
        };
        fs::create_dir_all(&root)?;
        let home = Home::create(&root)?;
        end_when_interrupted(home.clone(), folder.is_some());
        let options = Options {
            repo: repo.clone(),
            home: home.clone(),
            ports: reservation.ports,
            broker: setup.broker,
            launcher: Launcher::Cli,
            instances: setup.instances,
            payer_simulator: false,
            bin_dir: bin_dir.to_owned(),
            runtime_dir: testkit::runtime_dir(&repo).await?,
            kafka_files: testkit::kafka_files(&repo).await?,
            log_level: setup.log_level.clone(),
            extra_env: local::unlimited().into_iter().chain(setup.environment()?).collect(),
            quiet: true,
        };
        let system = match System::up(&options).await {
            Ok(system) => system,
            Err(error) => {
                end_at_once(&home, folder.is_some());
                return Err(error);
            }
        };
        let secrets = Secrets::read(&home)?.context("there are no secrets")?;
        let lookout = Lookout::open(&system, &secrets).await.inspect_err(|_| end_at_once(&home, folder.is_some()))?;
        let (issuer, lookout) = (Issuer::of(&home)?, Mutex::new(lookout));
        Ok(Self { system, secrets, issuer, lookout, folder, _reservation: reservation })
    }

    /// The system itself.
    pub fn system(&self) -> &System {
        &self.system
    }

    /// Its home.
    pub fn home(&self) -> &Home {
        self.system.home()
    }

    /// Its ports.
    pub fn ports(&self) -> Ports {
        self.system.ports()
    }

    /// The administrator's e-mail address and password.
    pub fn administrator(&self) -> (&str, &str) {
        (&self.secrets.administrator_email, &self.secrets.administrator_password)
    }

    /// A client of the public port, with a new token of an administrator: one lasts ten minutes.
    pub fn client(&self) -> Result<Client> {
        self.client_of(Role::Admin)
    }

    /// A client of the public port, with a new token of a user of this role.
    pub fn client_of(&self, role: Role) -> Result<Client> {
        Client::new(&self.system.url(), Some(&self.issuer.token("bench", role)?))
    }

    /// A client of the gateway's own sidecar, which asks `patient` as the gateway does.
    pub fn bare_client(&self) -> Result<Client> {
        let url = format!("http://127.0.0.1:{}/v1.0/invoke/patient/method", self.ports().app(App::Gateway).http);
        let client = Client::new(&url, Some(&self.issuer.token("bench", Role::Admin)?))?;
        client.with_api_token(&Tokens::read(self.home())?.dapr_api_token)
    }

    /// A client of an app's own port, past every sidecar; only the floor answers it.
    pub fn app_client(&self, app: App) -> Result<Client> {
        Client::new(&format!("http://127.0.0.1:{}", self.ports().app(app).app), None)
    }

    /// A new access token of a user.
    pub fn token(&self, name: &str, role: Role) -> Result<String> {
        self.issuer.token(name, role)
    }

    /// A connection to an app's database as the superuser.
    pub async fn database(&self, app: App) -> Result<PgConnection> {
        connect(&self.system, &self.secrets, app).await
    }

    /// What there is now.
    pub async fn counts(&self) -> Result<Counts> {
        let Lookout { patient, billing, analytics } = &mut *self.lookout.lock().await;
        Ok(Counts {
            accounts: number(billing, "select count(*) from projection.accounts").await?,
            known_patients: number(analytics, "select count(*) from fact.patients").await?,
            known_accounts: number(analytics, "select count(*) from fact.accounts").await?,
            waiting: number(patient, WAITING).await? + number(billing, WAITING).await?,
        })
    }

    /// How many patients are stored.
    pub async fn patients(&self) -> Result<i64> {
        number(&mut self.lookout.lock().await.patient, "select count(*) from projection.patients").await
    }

    /// How many events of patients wait.
    pub async fn waiting(&self) -> Result<i64> {
        number(&mut self.lookout.lock().await.patient, WAITING).await
    }

    /// Waits until every event of `more` registrations after `before` was applied; tells whether that came to be.
    pub async fn quiet(&self, before: Counts, more: u64) -> Result<bool> {
        let (begun, more) = (Instant::now(), i64::try_from(more)?);
        loop {
            if self.counts().await?.settled_since(before, more) {
                return Ok(true);
            }
            if begun.elapsed() > QUIET {
                return Ok(false);
            }
            sleep(POLL).await;
        }
    }

    /// Stops everything, and deletes it unless the home was given.
    pub async fn end(mut self) -> Result<()> {
        let stopped = self.system.down().await;
        end_at_once(self.system.home(), self.folder.is_some());
        drop(self.folder.take());
        stopped
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if self.folder.is_some() {
            end_at_once(self.system.home(), true);
        }
    }
}

impl Counts {
    fn settled_since(self, before: Self, more: i64) -> bool {
        let others = [
            self.accounts - before.accounts,
            self.known_patients - before.known_patients,
            self.known_accounts - before.known_accounts,
        ];
        self.waiting == 0 && others.iter().all(|others| *others == more)
    }
}

async fn connect(system: &System, secrets: &Secrets, app: App) -> Result<PgConnection> {
    let database = app.database().context("the app has no database")?;
    let cluster = Postgres::new(system.home(), system.ports().postgres());
    let url = cluster.admin_url(&secrets.superuser_password);
    let url = format!("{}/{database}", url.rsplit_once('/').context("a URL")?.0);
    Ok(PgConnection::connect(&url).await?)
}

async fn number(connection: &mut PgConnection, query: &'static str) -> Result<i64> {
    Ok(sqlx::query_scalar(query).fetch_one(connection).await?)
}

fn end_at_once(home: &Home, delete: bool) {
    local::system::kill_all(home);
    if delete {
        let _ = local::postgres::remove_data(home);
    }
}

/// A run that is interrupted leaves nothing.
fn end_when_interrupted(home: Home, delete: bool) {
    use tokio::signal::unix::{SignalKind, signal};
    tokio::spawn(async move {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        end_at_once(&home, delete);
        if delete {
            let _ = fs::remove_dir_all(home.root());
        }
        std::process::exit(130);
        #[expect(unreachable_code, reason = "gives the block its type")]
        anyhow::Ok(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_quiet_when_everyone_knows_the_same() {
        let before = Counts { accounts: 7, ..Counts::default() };
        let after = Counts { accounts: 10, known_patients: 3, known_accounts: 3, waiting: 0 };
        assert!(after.settled_since(before, 3));
        for unsettled in [
            Counts { waiting: 1, ..after },
            Counts { accounts: 9, ..after },
            Counts { known_patients: 2, ..after },
            Counts { known_accounts: 4, ..after },
        ] {
            assert!(!unsettled.settled_since(before, 3), "{unsettled:?}");
        }
    }
}
