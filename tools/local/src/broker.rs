//! The broker: which there are, and what the system asks of one, whichever it is.
//!
//! A kind is a folder of `components/` and a server here; nothing else in the repository knows which one runs.
//! How to add one is in `docs/brokers.md`.

use std::{fmt, path::Path, str::FromStr, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{
    access::Topic,
    app::App,
    home::Home,
    kafka::{self, Kafka},
    ports::Ports,
    process::{Process, Signal},
    rabbitmq::{self, RabbitMq},
    redis::{self, Redis},
    secrets::Secrets,
};

const DIED: Duration = Duration::from_secs(5);

/// The brokers that can be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Apache Kafka.
    #[default]
    Kafka,
    /// Redis streams.
    Redis,
    /// RabbitMQ.
    #[serde(rename = "rabbitmq")]
    RabbitMq,
}

impl Kind {
    /// Every kind, the default first.
    pub const ALL: [Self; 3] = [Self::Kafka, Self::Redis, Self::RabbitMq];

    /// What `BROKER` says, which is the folder of `components/`, and the name of the process and its log.
    pub fn id(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Redis => "redis",
            Self::RabbitMq => "rabbitmq",
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Kafka => "Kafka",
            Self::Redis => "Redis",
            Self::RabbitMq => "RabbitMQ",
        }
    }

    /// Where it listens for clients.
    pub fn port(self, ports: Ports) -> u16 {
        match self {
            Self::Kafka => ports.kafka(),
            Self::Redis => ports.redis(),
            Self::RabbitMq => ports.rabbitmq(),
        }
    }

    /// Until when the last event has been applied, after whatever was killed is back.
    ///
    /// It is what a test waits for at most: the sweeper's ten seconds, then the broker's own part in this.
    pub fn drains_within(self) -> Duration {
        match self {
            // A killed consumer's partitions are given to others when its session has ended, after 6 s; its queue's messages
            // at once, when its connection has.
            Self::Kafka | Self::RabbitMq => Duration::from_secs(45),
            // A message that a killed consumer held is given out again 10 to 12 s after it was taken
            // (`components/redis/pubsub.yaml`), and by hundreds: what is behind the first hundred waits for the next look.
            Self::Redis => Duration::from_mins(1),
        }
    }

    /// What an app's `pubsub` component reads from its secret store.
    pub(crate) fn secrets(self, app: App, ports: Ports, secrets: &Secrets) -> Result<Vec<(&'static str, String)>> {
        let mut values = vec![("pubsub-brokers", format!("127.0.0.1:{}", self.port(ports)))];
        if matches!(self, Self::Redis | Self::RabbitMq) {
            let password =
                secrets.broker_password(app.id()).with_context(|| format!("{app} has no broker's password"))?;
            values.push(("pubsub-username", app.id().to_owned()));
            values.push(("pubsub-password", password.to_owned()));
        }
        Ok(values)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(id: &str) -> Result<Self> {
        let Some(kind) = Self::ALL.into_iter().find(|kind| kind.id() == id) else {
            bail!("no server is known for `{id}`; there are {}", Self::ALL.map(Self::id).join(", "));
        };
        Ok(kind)
    }
}

/// The broker of a home.
#[derive(Clone, Debug)]
pub enum Broker {
    /// Apache Kafka.
    Kafka(Kafka),
    /// Redis streams.
    Redis(Redis),
    /// RabbitMQ.
    RabbitMq(RabbitMq),
}

/// Stops whichever broker of the home runs.
pub async fn stop(home: &Home) -> Result<()> {
    tokio::try_join!(kafka::stop(home), redis::stop(home), rabbitmq::stop(home)).map(drop)
}

impl Broker {
    /// The broker of this home; `kafka_files` is the directory that `tools/local/kafka/fetch.sh` prints.
    pub fn new(kind: Kind, home: &Home, ports: Ports, kafka_files: &Path) -> Self {
        match kind {
            Kind::Kafka => Self::Kafka(Kafka::new(home, ports, kafka_files)),
            Kind::Redis => Self::Redis(Redis::new(home, ports)),
            Kind::RabbitMq => Self::RabbitMq(RabbitMq::new(home, ports)),
        }
    }

    /// Which it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Kafka(_) => Kind::Kafka,
            Self::Redis(_) => Kind::Redis,
            Self::RabbitMq(_) => Kind::RabbitMq,
        }
    }

    /// The running process.
    pub fn process(&self) -> Option<Process> {
        match self {
            Self::Kafka(kafka) => kafka.process(),
            Self::Redis(redis) => redis.process(),
            Self::RabbitMq(rabbitmq) => rabbitmq.process(),
        }
    }

    /// Where clients connect.
    pub fn address(&self) -> String {
        match self {
            Self::Kafka(kafka) => kafka.address(),
            Self::Redis(redis) => redis.address(),
            Self::RabbitMq(rabbitmq) => rabbitmq.address(),
        }
    }

    /// Starts it unless it runs, and waits until it serves.
    pub async fn start(&self) -> Result<Process> {
        match self {
            Self::Kafka(kafka) => kafka.start().await,
            Self::Redis(redis) => redis.start().await,
            Self::RabbitMq(rabbitmq) => rabbitmq.start().await,
        }
    }

    /// Makes the running broker ready for these topics.
    pub async fn prepare(&self, topics: &[Topic]) -> Result<()> {
        match self {
            Self::Kafka(kafka) => kafka.create_topics(topics).await,
            Self::Redis(redis) => redis.admit(topics).await,
            Self::RabbitMq(rabbitmq) => rabbitmq.define(topics).await,
        }
    }

    /// Kills it at once, as a crash would.
    pub async fn kill(&self) -> Result<()> {
        let process = self.process().with_context(|| format!("{} does not run", self.kind().title()))?;
        process.end(Signal::KILL, DIED).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_known_by_its_folder() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse::<Kind>().unwrap(), kind);
        }
        let error = "nats".parse::<Kind>().unwrap_err().to_string();
        assert_eq!(error, "no server is known for `nats`; there are kafka, redis, rabbitmq");
    }
}
