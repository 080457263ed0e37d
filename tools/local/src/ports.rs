//! Every port of a system, derived from one base, so that systems run beside each other.

use std::{
    fs::{self, File},
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use anyhow::{Context as _, Result, bail};

use crate::{app::App, process::Process};

/// The base that `dapr/dapr.yaml` and the documentation are written with.
pub const DEFAULT_BASE: u16 = 7400;

/// How many ports a system may use, counted from its base.
pub const SPAN: u16 = 100;

/// The most instances that an app has ports for.
pub const MOST_INSTANCES: u8 = 2;

/// Ports that anybody may use, with room for the rest.
const ALLOWED: std::ops::RangeInclusive<u16> = 1024..=u16::MAX - SPAN;

/// Where a reservation looks: below Linux's ephemeral ports, which any client may hold for a moment.
const RESERVABLE: std::ops::Range<u16> = 20_000..32_000;

/// The ports of one system, all on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    base: u16,
}

/// The ports of one application and its sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The service.
    pub app: u16,
    /// daprd's HTTP API.
    pub http: u16,
    /// daprd's gRPC API.
    pub grpc: u16,
    /// What daprds call each other on.
    pub internal: u16,
    /// daprd's metrics.
    pub metrics: u16,
}

impl Ports {
    /// The ports above `base`.
    pub fn new(base: u16) -> Result<Self> {
        if !ALLOWED.contains(&base) {
            bail!("the port base {base} is not between {} and {}", ALLOWED.start(), ALLOWED.end());
        }
        Ok(Self { base })
    }

    /// The base itself, which `PMS_PORT_BASE` carries.
    pub fn base(self) -> u16 {
        self.base
    }

    /// The gateway's public HTTP port.
    pub fn gateway(self) -> u16 {
        self.base
    }

    /// PostgreSQL.
    pub fn postgres(self) -> u16 {
        self.base + 1
    }

    /// Kafka's broker.
    pub fn kafka(self) -> u16 {
        self.base + 2
    }

    /// Kafka's controller.
    pub fn kafka_controller(self) -> u16 {
        self.base + 3
    }

    /// Sentry, the sidecars' certificate authority.
    pub fn sentry(self) -> u16 {
        self.base + 4
    }

    /// Sentry's health.
    pub fn sentry_health(self) -> u16 {
        self.base + 5
    }

    /// Redis, when it is the broker.
    pub fn redis(self) -> u16 {
        self.base + 6
    }

    /// RabbitMQ, when it is the broker.
    pub fn rabbitmq(self) -> u16 {
        self.base + 7
    }

    /// RabbitMQ's network of nodes, by which an operator reaches it.
    pub fn rabbitmq_nodes(self) -> u16 {
        self.base + 8
    }

    /// Where that network's nodes are named.
    pub fn rabbitmq_names(self) -> u16 {
        self.base + 9
    }

    /// The ports of an application's first instance.
    pub fn app(self, app: App) -> Block {
        self.at(blocks(app)[0])
    }

    /// The ports of one of its instances, counted from 1.
    pub fn instance(self, app: App, instance: u8) -> Option<Block> {
        let index = usize::from(instance).checked_sub(1)?;
        Some(self.at(*blocks(app).get(index)?))
    }

    /// Whether the application has ports for that many instances.
    pub fn has_instance(app: App, instance: u8) -> bool {
        (1..=blocks(app).len()).contains(&usize::from(instance))
    }

    /// Which instance of the application has this port of its own.
    pub fn instance_at(self, app: App, port: u16) -> Option<u8> {
        (1..=MOST_INSTANCES).find(|instance| self.instance(app, *instance).is_some_and(|block| block.app == port))
    }

    fn at(self, offset: u16) -> Block {
        let app = self.base + offset;
        Block { app, http: app + 1, grpc: app + 2, internal: app + 3, metrics: app + 4 }
    }

    /// Every port that a system listens on.
    pub fn all(self) -> Vec<u16> {
        let mut ports = vec![
            self.gateway(),
            self.postgres(),
            self.kafka(),
            self.kafka_controller(),
            self.sentry(),
            self.sentry_health(),
        ];
        for block in App::known().flat_map(blocks).map(|offset| self.at(*offset)) {
            ports.extend([block.app, block.http, block.grpc, block.internal, block.metrics]);
        }
        ports
    }

    /// The same port of the system at this base, when `port` belongs to the one at the default base.
    pub fn shift(self, port: u16) -> u16 {
        match port.checked_sub(DEFAULT_BASE) {
            Some(offset) if offset < SPAN => self.base + offset,
            _ => port,
        }
    }
}

/// Where the blocks of an application's instances begin, as `dapr/access.yaml` says it to the sidecars.
fn blocks(app: App) -> &'static [u16] {
    match app {
        App::Auth => &[10],
        App::Patient => &[20, 60],
        App::Billing => &[30, 70],
        App::Analytics => &[40],
        App::Gateway => &[50],
        App::Clearinghouse => &[80],
    }
}

/// The base of the system that a process was started for.
pub(crate) fn base_of(process: &Process) -> Option<u16> {
    process.variable("PMS_PORT_BASE")?.to_str()?.parse().ok()
}

/// Ports that nobody else who reserves gets before this is dropped.
#[derive(Debug)]
pub struct Reservation {
    /// The ports.
    pub ports: Ports,
    _lock: File,
}

impl Reservation {
    /// Finds a base whose ports are all free, for a test's own system.
    ///
    /// Tests of several processes ask at once, and a free port is taken only when its server has
    /// started: hence the locked file for each base.
    pub fn take() -> Result<Self> {
        let locks = std::env::temp_dir().join("pms-ports");
        fs::create_dir_all(&locks)?;
        for base in RESERVABLE.step_by(usize::from(SPAN)) {
            let ports = Ports::new(base)?;
            if let Some(lock) = lock(&locks.join(base.to_string()))?
                && (base..base + SPAN).all(is_free)
            {
                return Ok(Self { ports, _lock: lock });
            }
        }
        bail!("no {SPAN} free ports in a row between {} and {}", RESERVABLE.start, RESERVABLE.end)
    }
}

fn lock(path: &Path) -> Result<Option<File>> {
    let file = match File::options().create(true).append(true).open(path) {
        Ok(file) => file,
        // Another user's reservation.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("opening {}", path.display())),
    };
    Ok(file.try_lock().is_ok().then_some(file))
}

/// Fails when somebody listens on the port: a part that started there would be taken for ready.
pub(crate) fn expect_free(port: u16) -> Result<()> {
    if !is_free(port) {
        bail!("port {port} is taken by another program");
    }
    Ok(())
}

pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_is_the_base_and_its_offset() {
        let ports = Ports::new(9000).unwrap();
        assert_eq!(ports.gateway(), 9000);
        assert_eq!(ports.postgres(), 9001);
        assert_eq!(ports.kafka(), 9002);
        assert_eq!(ports.kafka_controller(), 9003);
        assert_eq!(ports.sentry(), 9004);
        assert_eq!(ports.sentry_health(), 9005);
        assert_eq!(ports.app(App::Patient), Block { app: 9020, http: 9021, grpc: 9022, internal: 9023, metrics: 9024 });
        assert_eq!(ports.app(App::Gateway).app, 9050);
        assert_eq!(ports.instance(App::Patient, 2).unwrap().internal, 9063);
        assert_eq!(ports.instance(App::Auth, 2), None);
        assert_eq!(ports.instance(App::Auth, 0), None);
    }

    #[test]
    fn an_instance_is_known_by_its_port() {
        let ports = Ports::new(9000).unwrap();
        assert_eq!(ports.instance_at(App::Billing, 9030), Some(1));
        assert_eq!(ports.instance_at(App::Billing, 9070), Some(2));
        assert_eq!(ports.instance_at(App::Billing, 9060), None);
    }

    #[test]
    fn the_blocks_are_those_that_the_sidecars_are_told_of() {
        let file = include_str!("../../../dapr/access.yaml");
        let access: serde_yaml_ng::Value = serde_yaml_ng::from_str(file).unwrap();
        for app in App::known() {
            let told: Vec<u16> = serde_yaml_ng::from_value(access["apps"][app.id()]["blocks"].clone()).unwrap();
            assert_eq!(blocks(app), told, "{app}");
            assert!(told.len() <= usize::from(MOST_INSTANCES));
        }
    }

    #[test]
    fn a_port_of_the_default_base_moves_and_a_foreign_one_stays() {
        let ports = Ports::new(9000).unwrap();
        assert_eq!(ports.shift(7400), 9000);
        assert_eq!(ports.shift(7454), 9054);
        assert_eq!(ports.shift(7499), 9099);
        assert_eq!(ports.shift(7500), 7500);
        assert_eq!(ports.shift(4317), 4317);
    }

    #[test]
    fn a_base_without_room_is_refused() {
        assert!(Ports::new(80).is_err());
        assert!(Ports::new(65_500).is_err());
    }

    #[test]
    fn two_reservations_never_meet() {
        let first = Reservation::take().unwrap();
        let second = Reservation::take().unwrap();
        assert_ne!(first.ports, second.ports);
    }
}
