//! Apache Kafka of the home's own: one node that is broker and controller, on loopback, in a bounded heap.

use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use tokio::process::Command;
use uuid::Uuid;

use crate::{
    access::Topic,
    home::{Home, read_optional, write_private},
    launch::launch,
    ports::{Ports, expect_free},
    process::{Process, Signal, output, wait_ready},
};

const PART: &str = "kafka";
const START: Duration = Duration::from_mins(1);
const STOP: Duration = Duration::from_secs(15);

/// A broker that was killed comes back only when its session has ended: nine seconds, by Kafka's default.
const SESSION_MS: u32 = 3000;
const HEARTBEAT_MS: u32 = 500;

/// Enough for a broker of one node; the pages that matter are the kernel's. Optimising what it compiles would take a
/// tenth of all CPU while the system is young.
const HEAP: [&str; 5] =
    ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true"];

/// For a program that ends in a second, optimising costs more than it gives.
const SHORT: [&str; 3] = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/// The broker of a home.
#[derive(Clone, Debug)]
pub struct Kafka {
    home: Home,
    ports: Ports,
    files: PathBuf,
}

/// Kafka's jars in the cache, fetched now if they were not before; needs Maven and a JDK.
///
/// The answer is what [`Kafka::new`] wants.
pub async fn fetch(repo: &Path) -> Result<PathBuf> {
    let mut script = Command::new(repo.join("tools/local/kafka/fetch.sh"));
    let printed = output(script.stderr(Stdio::inherit())).await?;
    Ok(printed.trim().into())
}

/// Stops the home's broker, if it runs.
pub async fn stop(home: &Home) -> Result<()> {
    if let Some(process) = Process::recorded(home, PART) {
        process.end(Signal::TERM, STOP).await;
        if process.is_running() {
            bail!("Kafka (process {}) cannot be stopped", process.pid());
        }
    }
    Ok(())
}

impl Kafka {
    /// The broker of this home; `files` is the directory that `tools/local/kafka/fetch.sh` prints.
    pub fn new(home: &Home, ports: Ports, files: &Path) -> Self {
        Self { home: home.clone(), ports, files: files.to_owned() }
    }

    /// The running process.
    pub fn process(&self) -> Option<Process> {
        Process::recorded(&self.home, PART)
    }

    /// Where clients connect.
    pub fn address(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.ports.kafka())
    }

    /// Formats the storage if there is none, starts the broker unless it runs, and waits until it serves.
    pub async fn start(&self) -> Result<Process> {
        if let Some(running) = self.process() {
            if self.is_ready() {
                return Ok(running);
            }
            stop(&self.home).await?;
        }
        expect_free(self.ports.kafka())?;
        let properties = self.home.kafka().join("server.properties");
        write_private(&properties, &self.properties())?;
        if !self.data().join("meta.properties").exists() {
            self.format(&properties).await?;
        }
        let mut command = self.java(&HEAP);
        command
            // Every line of a consumer group's life is at this level, and nothing else is of use.
            .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=info")
            .arg("-Dorg.slf4j.simpleLogger.showDateTime=true")
            .arg("-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX")
            .arg("kafka.Kafka")
            .arg(&properties);
        let process = launch(&self.home, PART, &mut command)?;
        // The port opens when the broker has caught up and may serve.
        wait_ready(&process, &self.home.log(PART), START, async || self.is_ready()).await?;
        Ok(process)
    }

    /// Creates those of the topics that are missing, and waits for a broker that is still starting.
    pub async fn create_topics(&self, topics: &[Topic]) -> Result<()> {
        let wanted: Vec<String> = topics.iter().map(|topic| format!("{}={}", topic.name, topic.partitions)).collect();
        // Lies with the data, and so goes with it.
        let record = self.home.kafka().join("topics");
        let known = read_optional(&record)?.unwrap_or_default();
        if wanted.iter().all(|topic| known.lines().any(|line| line == topic)) {
            return Ok(());
        }
        let mut command = self.java(&SHORT);
        command.arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=error");
        command.arg("Topics").arg(self.address()).args(&wanted);
        output(&mut command).await.context("creating topics")?;
        write_private(&record, &wanted.join("\n"))
    }

    async fn format(&self, properties: &Path) -> Result<()> {
        // What an interrupted format left is refused by the next one.
        if self.data().exists() {
            fs::remove_dir_all(self.data())?;
        }
        let cluster = BASE64_URL_SAFE_NO_PAD.encode(Uuid::now_v7().as_bytes());
        let mut command = self.java(&SHORT);
        command.args(["kafka.tools.StorageTool", "format", "--cluster-id"]).arg(cluster);
        command.arg("--config").arg(properties);
        output(&mut command).await.context("formatting Kafka's storage")?;
        Ok(())
    }

    fn java(&self, options: &[&str]) -> Command {
        let mut classes = self.files.join("jars/*").into_os_string();
        classes.push(":");
        classes.push(self.files.join("classes"));
        let mut command = Command::new("java");
        command.args(options).arg("-cp").arg(classes);
        command.current_dir(self.home.kafka());
        command
    }

    fn data(&self) -> PathBuf {
        self.home.kafka().join("data")
    }

    fn is_ready(&self) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.kafka())).is_ok()
    }

    fn properties(&self) -> String {
        let broker = self.address();
        let controller = format!("{}:{}", Ipv4Addr::LOCALHOST, self.ports.kafka_controller());
        format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.voters=1@{controller}\n\
             controller.listener.names=CONTROLLER\n\
             listeners=PLAINTEXT://{broker},CONTROLLER://{controller}\n\
             advertised.listeners=PLAINTEXT://{broker}\n\
             log.dirs={data}\n\
             broker.session.timeout.ms={SESSION_MS}\n\
             broker.heartbeat.interval.ms={HEARTBEAT_MS}\n\
             auto.create.topics.enable=false\n\
             default.replication.factor=1\n\
             min.insync.replicas=1\n\
             offsets.topic.replication.factor=1\n\
             offsets.topic.num.partitions=4\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             transaction.state.log.num.partitions=1\n\
             share.coordinator.state.topic.replication.factor=1\n\
             share.coordinator.state.topic.min.isr=1\n\
             share.coordinator.state.topic.num.partitions=1\n\
             group.initial.rebalance.delay.ms=0\n",
            data = self.data().display()
        )
    }
}
