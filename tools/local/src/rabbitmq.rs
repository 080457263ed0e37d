//! RabbitMQ of the home's own: on loopback, quorum queues, a user for each app.
//!
//! Exchanges, queues and what an app may do with them are written down before anybody connects: an event that is published
//! before its reader has come for the first time waits in the reader's queue. The server's own network of nodes listens on
//! loopback, too, and lets in who has its cookie.

use std::{net::Ipv4Addr, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
    time::timeout,
};

use crate::{
    access::Topic,
    home::{Home, read_optional, write_private},
    launch::launch,
    ports::{Ports, expect_free},
    process::{Process, Signal, wait_ready},
    rabbitmq_definitions::definitions,
    secrets::{BROKER_OPERATOR, Secrets},
};

const PART: &str = "rabbitmq";
/// Erlang compiles nothing ahead, and a cluster of one still takes all steps of one.
const START: Duration = Duration::from_mins(2);
const STOP: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(2);

/// Where Debian and Ubuntu have the server's own scripts: those in the path refuse to run as anybody but `rabbitmq`.
const SCRIPTS: &str = "/usr/lib/rabbitmq/bin";
const SERVER: &str = "rabbitmq-server";
/// Tells who listens where in the network of nodes; Erlang starts it and nobody ends it.
const NAME_SERVER: &str = "epmd";
/// Protocol header of AMQP 0-9-1, and the type of the frame that a server answers it with.
const GREETING: &[u8] = b"AMQP\0\0\x09\x01";
const METHOD: u8 = 1;

/// The broker of a home.
#[derive(Clone, Debug)]
pub struct RabbitMq {
    home: Home,
    ports: Ports,
}

/// Stops the home's broker, if it runs.
pub async fn stop(home: &Home) -> Result<()> {
    if let Some(process) = Process::recorded(home, PART) {
        process.end(Signal::TERM, STOP).await;
        if process.is_running() {
            bail!("RabbitMQ (process {}) cannot be stopped", process.pid());
        }
    }
    for process in Process::all_of(home).into_iter().filter(|process| process.name().as_deref() == Some(NAME_SERVER)) {
        process.end(Signal::TERM, ANSWER).await;
    }
    Ok(())
}

/// The server's program, or nothing when it is not installed.
pub fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::iter::once(PathBuf::from(SCRIPTS))
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(SERVER))
        .find(|file| file.exists())
}

impl RabbitMq {
    /// The broker of this home.
    pub fn new(home: &Home, ports: Ports) -> Self {
        Self { home: home.clone(), ports }
    }

    /// The running process.
    pub fn process(&self) -> Option<Process> {
        Process::recorded(&self.home, PART)
    }

    /// Where clients connect.
    pub fn address(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.ports.rabbitmq())
    }

    /// Starts the broker unless it runs, and waits until it has read what it held before.
    pub async fn start(&self) -> Result<Process> {
        if let Some(running) = self.process() {
            if self.is_ready().await {
                return Ok(running);
            }
            stop(&self.home).await?;
        }
        for port in [self.ports.rabbitmq(), self.ports.rabbitmq_nodes()] {
            expect_free(port)?;
        }
        let secrets = Secrets::read(&self.home)?.context("there are no secrets")?;
        if !self.definitions_file().exists() {
            write_private(&self.definitions_file(), &definitions(&secrets, &[])?)?;
        }
        write_private(&self.configuration_file(), &self.configuration())?;
        let cookie = secrets.broker_password(BROKER_OPERATOR).context("there is no operator of the broker")?;
        write_private(&self.home.rabbitmq().join(".erlang.cookie"), cookie)?;
        let program = program().context("RabbitMQ is missing: sudo apt-get install rabbitmq-server")?;
        let process = launch(&self.home, PART, &mut self.command(program))?;
        wait_ready(&process, &self.home.log(PART), START, async || self.is_ready().await).await?;
        Ok(process)
    }

    /// Makes the exchange of each topic and a queue for each of its readers, and lets each app do with them what it may.
    ///
    /// The server reads that when it starts. It is stopped once more when it has: one that is killed within minutes of a
    /// queue's making has forgotten whose the queue's files are, and with them what it has confirmed.
    pub async fn define(&self, topics: &[Topic]) -> Result<()> {
        let secrets = Secrets::read(&self.home)?.context("there are no secrets")?;
        let wanted = definitions(&secrets, topics)?;
        if read_optional(&self.definitions_file())?.as_ref() == Some(&wanted) {
            return Ok(());
        }
        write_private(&self.definitions_file(), &wanted)?;
        for _ in 0..2 {
            stop(&self.home).await?;
            self.start().await?;
        }
        Ok(())
    }

    fn definitions_file(&self) -> PathBuf {
        self.home.rabbitmq().join("definitions.json")
    }

    fn configuration_file(&self) -> PathBuf {
        self.home.rabbitmq().join("rabbitmq.conf")
    }

    /// The port opens when everything has been recovered and defined.
    async fn is_ready(&self) -> bool {
        let greeting = async {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.rabbitmq())).await?;
            stream.write_all(GREETING).await?;
            let kind = stream.read_u8().await?;
            ensure!(kind == METHOD, "it is no server of AMQP 0-9-1");
            Ok(())
        };
        timeout(ANSWER, greeting).await.is_ok_and(|answer| answer.is_ok())
    }

    /// The server with all that it takes from its environment.
    fn command(&self, program: PathBuf) -> Command {
        let folder = self.home.rabbitmq();
        let nodes = self.ports.rabbitmq_nodes().to_string();
        let names = self.ports.rabbitmq_names().to_string();
        let mut command = Command::new(program);
        command
            .current_dir(&folder)
            .env("HOME", &folder)
            .env("RABBITMQ_NODENAME", "rabbit@localhost")
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_CONFIG_FILE", self.configuration_file())
            .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
            .env("RABBITMQ_LOG_BASE", folder.join("log"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("plugins"))
            .env("RABBITMQ_DIST_PORT", nodes)
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}")
            .env("ERL_EPMD_ADDRESS", Ipv4Addr::LOCALHOST.to_string())
            .env("ERL_EPMD_PORT", names)
            // The script becomes the server, instead of watching over it.
            .env("RUNNING_UNDER_SYSTEMD", "true");
        command
    }

    fn configuration(&self) -> String {
        format!(
            "listeners.tcp.1 = {address}\n\
             load_definitions = {definitions}\n\
             log.file = false\n\
             log.console = true\n\
             log.console.level = warning\n\
             # A client that is gone is found out by two missed ones.\n\
             heartbeat = 10\n\
             # What is not in a queue's files yet, is in memory, too.\n\
             raft.wal_max_size_bytes = 67108864\n",
            address = self.address(),
            definitions = self.definitions_file().display(),
        )
    }
}
