//! All parts together: up, down, and what a test does to them in between.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{
    access,
    app::App,
    broker,
    dapr::{self, Dapr},
    home::{Home, read_optional, write_private},
    options::{self, Launcher, Options},
    part::Part,
    ports::{Ports, is_free},
    postgres::{self, Postgres, Shutdown},
    process::{Process, Signal},
    readiness,
    report::Report,
    secrets::{Secrets, Tokens},
    sentry::{self, Sentry},
    snapshot::Snapshot,
    supervisor::{self, Supervisor},
};

const KILLED: Duration = Duration::from_secs(5);
const RECORD: &str = "system.json";

/// A system that was started.
#[derive(Clone, Debug)]
pub struct System {
    home: Home,
    ports: Ports,
    broker: broker::Kind,
    broker_files: PathBuf,
    instances: u8,
    payer_simulator: bool,
    supervisor: Option<Arc<Supervisor>>,
}

/// What the next command has to know about a running system.
#[derive(Serialize, Deserialize)]
struct Record {
    port_base: u16,
    broker: broker::Kind,
    broker_files: PathBuf,
    instances: u8,
    #[serde(default)]
    payer_simulator: bool,
}

/// A part that was killed, and can come back.
#[derive(Clone, Debug)]
#[must_use = "the part stays away until it is respawned"]
pub struct Killed {
    home: Home,
    part: Part,
    snapshot: Snapshot,
}

impl System {
    /// Starts what does not run, and waits until everything is ready.
    ///
    /// On a running system only what differs is started again: everything when the ports changed,
    /// the services and sidecars when their programs or `dapr.yaml` did, otherwise nothing.
    pub async fn up(options: &Options) -> Result<Self> {
        let report = Report::new(options.quiet);
        check(options)?;
        let _alone = lock(&options.home)?;
        let mut system = Self {
            home: options.home.clone(),
            ports: options.ports,
            broker: options.broker,
            broker_files: options.kafka_files.clone(),
            instances: options.instances,
            payer_simulator: options.payer_simulator,
            supervisor: None,
        };
        if let Some(running) = Self::running(&options.home)?
            && (running.ports, running.broker) != (options.ports, options.broker)
        {
            report.say("stopping what runs on other ports or another broker");
            stop_all(&options.home).await?;
        }
        check_ports(options)?;
        let dapr = Dapr::prepare(options)?;
        let unchanged = dapr.runs();
        let secrets = Secrets::prepare(&options.home, options.ports, options.broker)?;
        system.record()?;
        let trust_anchors = system.start_foundation(options, &secrets, unchanged, &report).await?;
        let goes_on = unchanged && options.launcher == Launcher::Cli;
        if let Some(cli) = dapr::cli(&options.home).filter(|_| goes_on) {
            report.say("already running, from the same programs");
            readiness::wait(&system, Some(&cli), &report).await?;
        } else {
            supervisor::halt(&options.home);
            dapr::stop(&options.home).await;
            let tokens = Tokens::renew(&options.home)?;
            let cli = match options.launcher {
                Launcher::Cli => {
                    report.say("starting the services and their sidecars (dapr run)");
                    Some(dapr.start(&tokens, &trust_anchors)?)
                }
                Launcher::Supervisor => {
                    report.say("starting the services and their sidecars, and whichever ends again");
                    let programs = dapr.programs(&tokens, &trust_anchors)?;
                    system.supervisor = Some(Arc::new(Supervisor::start(&options.home, programs)?));
                    None
                }
            };
            readiness::wait(&system, cli.as_ref(), &report).await?;
        }
        report.say(&format!("ready: {}", system.url()));
        Ok(system)
    }

    /// The system that was started in this home and not stopped since.
    pub fn running(home: &Home) -> Result<Option<Self>> {
        let Some(text) = read_optional(&home.run(RECORD))? else {
            return Ok(None);
        };
        let record: Record = serde_json::from_str(&text)?;
        Ok(Some(Self {
            home: home.clone(),
            ports: Ports::new(record.port_base)?,
            broker: record.broker,
            broker_files: record.broker_files,
            instances: record.instances,
            payer_simulator: record.payer_simulator,
            supervisor: None,
        }))
    }

    /// Its home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Its ports.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// Its broker.
    pub fn broker(&self) -> broker::Kind {
        self.broker
    }

    /// Where clients reach it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.gateway())
    }

    /// How many instances there are of the apps that may have several.
    pub fn instances(&self) -> u8 {
        self.instances
    }

    /// Whether what plays the clearing house runs beside it.
    pub fn has_payer_simulator(&self) -> bool {
        self.payer_simulator
    }

    /// Its services and sidecars, and those beside it.
    pub fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        options::parts(self.instances, self.payer_simulator)
    }

    /// Who brings back whatever ends, when that is this process's business.
    pub fn supervisor(&self) -> Option<&Supervisor> {
        self.supervisor.as_deref()
    }

    pub(crate) fn broker_files(&self) -> &Path {
        &self.broker_files
    }

    /// The process of a service or sidecar, if it runs.
    pub fn process(&self, part: Part) -> Option<Process> {
        part.process(&self.home)
    }

    /// The number of a service's process.
    pub fn service_pid(&self, app: App) -> Option<u32> {
        Some(self.process(Part::service(app))?.pid())
    }

    /// The number of a sidecar's process.
    pub fn sidecar_pid(&self, app: App) -> Option<u32> {
        Some(self.process(Part::sidecar(app))?.pid())
    }

    /// Kills a part at once, as a crash would; where there is a [supervisor](Self::supervisor), ask that one.
    pub async fn kill(&self, part: Part) -> Result<Killed> {
        let process = self.running_part(part)?;
        let snapshot = Snapshot::of(&process)?;
        process.end(Signal::KILL, KILLED).await;
        Ok(Killed { home: self.home.clone(), part, snapshot })
    }

    /// Asks a part to end, as a deployment does; it may take its time.
    pub fn terminate(&self, part: Part) -> Result<(Process, Killed)> {
        let process = self.running_part(part)?;
        let killed = Killed { home: self.home.clone(), part, snapshot: Snapshot::of(&process)? };
        process.signal(Signal::TERM);
        Ok((process, killed))
    }

    /// Makes a part hang: it keeps its connections and answers nothing.
    pub fn pause(&self, part: Part) -> Result<()> {
        self.running_part(part)?.signal(Signal::STOP);
        Ok(())
    }

    /// Lets a paused part go on.
    pub fn resume(&self, part: Part) -> Result<()> {
        self.running_part(part)?.signal(Signal::CONT);
        Ok(())
    }

    /// Stops everything, in order, and leaves the data.
    pub async fn down(&self) -> Result<()> {
        if let Some(supervisor) = self.supervisor() {
            supervisor.stop().await;
        }
        down(&self.home).await
    }

    fn running_part(&self, part: Part) -> Result<Process> {
        self.process(part).with_context(|| format!("{part} does not run"))
    }

    fn record(&self) -> Result<()> {
        let record = Record {
            port_base: self.ports.base(),
            broker: self.broker,
            broker_files: self.broker_files.clone(),
            instances: self.instances,
            payer_simulator: self.payer_simulator,
        };
        write_private(&self.home.run(RECORD), &serde_json::to_string(&record)?)
    }

    /// Database, broker and authority, side by side; answers the trust anchors.
    async fn start_foundation(
        &self,
        options: &Options,
        secrets: &Secrets,
        prepared: bool,
        report: &Report,
    ) -> Result<String> {
        // Each to its end, also when another has failed: nothing is left half made.
        let (database, broker, authority) = tokio::join!(
            self.start_database(secrets, prepared, report),
            self.set_up_broker(options, report),
            self.start_authority(options, report),
        );
        database?;
        broker?;
        authority
    }

    async fn start_database(&self, secrets: &Secrets, prepared: bool, report: &Report) -> Result<()> {
        let cluster = Postgres::new(&self.home, self.ports.postgres());
        cluster.start(&secrets.superuser_password).await?;
        report.say(&format!("PostgreSQL on 127.0.0.1:{}", self.ports.postgres()));
        if let Some(elsewhere) = postgres::data_elsewhere(&self.home) {
            let reason = "its user cannot reach the home";
            report.add(&format!("its data is in {}: {reason}", elsewhere.display()));
        }
        if !prepared {
            migrate(&cluster, secrets).await?;
            report.say("databases prepared");
        }
        Ok(())
    }

    async fn set_up_broker(&self, options: &Options, report: &Report) -> Result<()> {
        let broker = self.broker_server();
        let topics = access::topics(&options.repo)?;
        broker.start().await?;
        broker.prepare(&topics).await?;
        report.say(&format!("{} on {} with {} topics", self.broker.title(), broker.address(), topics.len()));
        Ok(())
    }

    async fn start_authority(&self, options: &Options, report: &Report) -> Result<String> {
        let sentry = Sentry::new(&self.home, self.ports, &options.runtime_dir);
        sentry.start().await?;
        report.say(&format!("sentry on 127.0.0.1:{}", self.ports.sentry()));
        sentry.trust_anchors()
    }
}

impl Killed {
    /// Starts the part again as it was started before; its new log is `logs/<part>-respawned.log`.
    pub fn respawn(&self) -> Result<Process> {
        self.snapshot.start(&self.home, &format!("{}-respawned", self.part))
    }
}

/// Prepares the databases of all services.
pub async fn migrate(cluster: &Postgres, secrets: &Secrets) -> Result<()> {
    let mut targets = Vec::new();
    for service in migrate::Service::ALL {
        let password = |role: String| {
            let password = secrets.role_password(&role).map(Into::into);
            password.with_context(|| format!("there is no password of {role}"))
        };
        targets.push(migrate::Target {
            service,
            state_password: password(service.state_role())?,
            functions_password: password(service.functions_role())?,
        });
    }
    migrate::prepare(&cluster.admin_url(&secrets.superuser_password), &targets).await.context("preparing the databases")
}

/// Stops whatever runs of this home, in order, and leaves the data.
pub async fn down(home: &Home) -> Result<()> {
    let _alone = lock(home)?;
    stop_all(home).await
}

/// Kills everything that was started for this home, without asking; for the end of a test that failed.
pub fn kill_all(home: &Home) {
    supervisor::halt(home);
    let mut processes = Process::all_of(home);
    processes.extend(Process::recorded(home, "postgres"));
    for process in &processes {
        // To PostgreSQL this is the signal that takes its children along.
        process.signal(if process.name().as_deref() == Some("postgres") { Signal::QUIT } else { Signal::KILL });
    }
    let wait = Duration::from_millis(20);
    for _ in 0..KILLED.as_millis() / wait.as_millis() {
        if !processes.iter().any(Process::is_running) {
            return;
        }
        std::thread::sleep(wait);
    }
}

async fn stop_all(home: &Home) -> Result<()> {
    supervisor::halt(home);
    dapr::stop(home).await;
    sentry::stop(home).await;
    tokio::try_join!(broker::stop(home), postgres::stop(home, Shutdown::Fast))?;
    // What lost its record, or was started by hand from a part's environment.
    for process in Process::all_of(home) {
        process.end(Signal::KILL, KILLED).await;
    }
    for file in [RECORD, "tokens.json"] {
        fs::remove_file(home.run(file)).ok();
    }
    Ok(())
}

/// Keeps a second command from working on the same home at the same time.
fn lock(home: &Home) -> Result<File> {
    let file = File::options().create(true).append(true).open(home.run("lock"))?;
    if file.try_lock().is_err() {
        bail!("another command is at work on {}", home.root().display());
    }
    Ok(file)
}

/// A port in other hands would show as a part that cannot start; this names it.
fn check_ports(options: &Options) -> Result<()> {
    let home = &options.home;
    if !Process::all_of(home).is_empty() || Process::recorded(home, "postgres").is_some() {
        return Ok(());
    }
    if let Some(port) = options.ports.all().into_iter().find(|port| !is_free(*port)) {
        bail!("port {port} is taken by another program; choose other ports by PMS_PORT_BASE=<number>");
    }
    Ok(())
}

fn check(options: &Options) -> Result<()> {
    for app in App::known().filter(|app| *app != App::Clearinghouse || options.payer_simulator) {
        let program = options.bin_dir.join(app.program());
        if !program.exists() {
            bail!("{} is missing; `make build` makes it", program.display());
        }
    }
    Ok(())
}
