//! A PostgreSQL cluster of the home's own: on loopback, without a Unix socket, every commit on the disk.

use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, bail};

use crate::{
    home::{Home, read_optional, write_private},
    launch::launch,
    process::{Process, Signal, output, wait_ready},
};

mod place;
mod programs;

use place::{Account, Place};

/// The cluster's superuser.
pub const SUPERUSER: &str = "postgres";

const PART: &str = "postgres";
const START: Duration = Duration::from_mins(1);
const STOP: Duration = Duration::from_secs(20);

/// How a running cluster ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Ends its clients and writes a checkpoint.
    Fast,
    /// Ends at once, as after a loss of power: the next start recovers.
    Immediate,
}

/// Stops the home's cluster, if it runs.
pub async fn stop(home: &Home, how: Shutdown) -> Result<()> {
    let Some(process) = Process::recorded(home, PART) else {
        return Ok(());
    };
    process.signal(match how {
        Shutdown::Fast => Signal::INT,
        Shutdown::Immediate => Signal::QUIT,
    });
    if process.ended(STOP).await {
        return Ok(());
    }
    process.end(Signal::QUIT, STOP).await;
    if process.is_running() {
        bail!("PostgreSQL (process {}) cannot be stopped", process.pid());
    }
    Ok(())
}

/// The cluster of a home.
#[derive(Clone, Debug)]
pub struct Postgres {
    home: Home,
    port: u16,
}

impl Postgres {
    /// The cluster of this home, which is or will be at this port.
    pub fn new(home: &Home, port: u16) -> Self {
        Self { home: home.clone(), port }
    }

    /// The running server's first process.
    pub fn process(&self) -> Option<Process> {
        Process::recorded(&self.home, PART)
    }

    /// Where the superuser connects, as a URL.
    pub fn admin_url(&self, password: &str) -> String {
        let address = Ipv4Addr::LOCALHOST;
        format!("postgres://{SUPERUSER}:{password}@{address}:{}/postgres", self.port)
    }

    /// Makes the cluster if there is none, starts it unless it runs, and waits until it answers.
    ///
    /// `password` is the superuser's; it is set when the cluster is made.
    pub async fn start(&self, password: &str) -> Result<Process> {
        let account = Account::current().await?;
        let place = Place::of(&self.home, &account).await?;
        if let Some(running) = self.process() {
            if place.is_ready(&running, self.port) {
                return Ok(running);
            }
            stop(&self.home, Shutdown::Fast).await?;
        }
        let data = place.data();
        let programs = programs::find(&data).await?;
        if !data.join("PG_VERSION").exists() {
            self.make(&programs, &place, &account, password).await?;
        }
        let mut command = account.command(&programs.join("postgres"));
        command.arg("-D").arg(&data).args(settings(self.port));
        place.forget_stale_lock()?;
        let process = launch(&self.home, PART, &mut command)?;
        let ready = async || place.is_ready(&process, self.port);
        wait_ready(&process, &self.home.log(PART), START, ready).await?;
        Ok(process)
    }

    async fn make(&self, programs: &Path, place: &Place, account: &Account, password: &str) -> Result<()> {
        // Made beside its place and renamed: what was interrupted is never taken for a cluster.
        let part = place.data().with_extension("part");
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        let password_file = place.password_file();
        write_private(&password_file, password)?;
        account.own(&password_file).await?;
        let made = output(
            account
                .command(&programs.join("initdb"))
                .arg("-D")
                .arg(&part)
                .arg("--pwfile")
                .arg(&password_file)
                .args(["--username", SUPERUSER, "--auth=scram-sha-256"])
                .args(["--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]),
        )
        .await;
        fs::remove_file(&password_file)?;
        made?;
        fs::rename(&part, place.data())?;
        Ok(())
    }
}

/// Removes the cluster's data; it must have been stopped.
pub fn remove_data(home: &Home) -> Result<()> {
    Place::remove(home)
}

/// Where the data lies when it is not in the home (see [`place`]).
pub fn data_elsewhere(home: &Home) -> Option<PathBuf> {
    fs::read_link(home.postgres()).ok()
}

fn settings(port: u16) -> impl Iterator<Item = String> {
    [
        format!("port={port}"),
        format!("listen_addresses={}", Ipv4Addr::LOCALHOST),
        "unix_socket_directories=".to_owned(),
        "max_connections=200".to_owned(),
        "fsync=on".to_owned(),
        "synchronous_commit=on".to_owned(),
        "log_line_prefix=%m [%p] %u@%d ".to_owned(),
        // An error's details and its statement name people: only what went wrong is logged.
        "log_error_verbosity=terse".to_owned(),
        "log_min_error_statement=panic".to_owned(),
        // Ends what daprd asked and no longer waits for.
        "client_connection_check_interval=1s".to_owned(),
    ]
    .into_iter()
    .flat_map(|setting| ["-c".to_owned(), setting])
}

/// What PostgreSQL writes about itself while it runs.
struct LockFile {
    pid: Option<u32>,
    port: Option<u16>,
    ready: bool,
}

impl LockFile {
    fn read(data: &Path) -> Result<Option<Self>> {
        let text = read_optional(&lock_path(data))?;
        Ok(text.map(|text| {
            let line = |index: usize| text.lines().nth(index).unwrap_or_default().trim();
            Self { pid: line(0).parse().ok(), port: line(3).parse().ok(), ready: line(7) == "ready" }
        }))
    }
}

fn lock_path(data: &Path) -> PathBuf {
    data.join("postmaster.pid")
}

impl Place {
    fn is_ready(&self, process: &Process, port: u16) -> bool {
        LockFile::read(&self.data())
            .ok()
            .flatten()
            .is_some_and(|lock| lock.ready && lock.pid == Some(process.pid()) && lock.port == Some(port))
    }

    /// After a crash PostgreSQL removes its lock itself, unless another program has got the number since.
    fn forget_stale_lock(&self) -> Result<()> {
        let data = self.data();
        let Some(lock) = LockFile::read(&data)? else {
            return Ok(());
        };
        let holder = lock.pid.and_then(Process::of);
        let is_ours = holder.as_ref().is_some_and(|holder| {
            holder.name().as_deref() == Some("postgres")
                && holder.directory().is_some_and(|directory| same_file(&directory, &data))
        });
        if let Some(holder) = holder.filter(|_| is_ours) {
            bail!(
                "PostgreSQL already runs on {} as process {}, which this home did not start",
                data.display(),
                holder.pid()
            );
        }
        fs::remove_file(lock_path(&data))?;
        Ok(())
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}
