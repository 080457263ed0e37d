//! How large a run is, and how long things may take.

use std::{path::PathBuf, time::Duration};

use local::broker::Kind;

use crate::sabotage::Sabotage;

/// What a run is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Makes the plan, the people and the order of everything that is injected.
    pub seed: u64,
    /// How many writes get a definite answer.
    pub writes: u64,
    /// How many clients make them.
    pub clients: u32,
    /// How many kills of each kind: of services, of sidecars, of the broker, of PostgreSQL.
    pub kills: u32,
    /// How long the relay hangs at the end.
    pub pause: Duration,
    /// The broker.
    pub broker: Kind,
    /// How many instances of those apps that may have several.
    pub instances: u8,
    /// The services' programs.
    pub bin_dir: PathBuf,
    /// The checker's program.
    pub checker: PathBuf,
    /// What is broken on purpose.
    pub sabotage: Option<Sabotage>,
    /// Leave the home where it is, whatever the verdict.
    pub keep: bool,
}

/// How many clients there are unless somebody says otherwise.
pub const CLIENTS: u32 = 16;

/// How long what is under way may take when the last part is back. A broker that is killed delivers again what it had
/// given out, each in its own time, so the limits are the broker's.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until every outbox is empty.
    pub outbox: Duration,
    /// From then until every consumer has applied everything.
    pub consumers: Duration,
    /// Until injected poison has been put aside.
    pub poison: Duration,
    /// Until what waits of remittances is booked, whatever the broker: it is tried every 10 s, when it is 10 s old.
    pub remittances: Duration,
}

impl Limits {
    /// The limits of a broker.
    pub fn of(broker: Kind) -> Self {
        let seconds = Duration::from_secs;
        let (outbox, remittances) = (seconds(60), seconds(60));
        match broker {
            // What was given out to a consumer that died is claimed by another only after the component's processing
            // timeout, which it looks for at an interval.
            Kind::Redis => Self { outbox, consumers: seconds(120), poison: seconds(120), remittances },
            Kind::Kafka | Kind::RabbitMq => Self { outbox, consumers: seconds(60), poison: seconds(60), remittances },
        }
    }
}
