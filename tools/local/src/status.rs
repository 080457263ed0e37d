//! What runs: part, process, port, health, memory.

use std::{fmt, net::Ipv4Addr, time::Duration};

use anyhow::Result;
use tokio::net::TcpStream;

use crate::{
    app::App,
    part::{Part, Role},
    process::Process,
    readiness::{client, health_url, is_ready},
    system::System,
};

const ANSWER: Duration = Duration::from_secs(1);
const KIB_PER_MIB: u64 = 1024;

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It says so itself.
    Ready,
    /// It runs and does not say that it is ready.
    NotReady,
    /// There is no process.
    Down,
}

/// One part.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub part: String,
    /// Its process.
    pub pid: Option<u32>,
    /// Where it listens, for most.
    pub port: Option<u16>,
    /// How it is.
    pub health: Health,
    /// The memory of its process.
    pub resident_mib: u64,
    /// Its share of the machine's memory; shares add up.
    pub share_mib: u64,
}

/// Every part of a system.
pub async fn status(system: &System) -> Result<Vec<Row>> {
    let client = client(ANSWER)?;
    let (home, ports) = (system.home(), system.ports());
    let mut rows = Vec::new();
    for (name, port) in [
        ("postgres", Some(ports.postgres())),
        (system.broker().id(), Some(system.broker().port(ports))),
        ("sentry", Some(ports.sentry())),
        ("dapr", None),
    ] {
        if port.is_none() && system.supervisor().is_some() {
            continue;
        }
        let process = Process::recorded(home, name);
        let ready = match port {
            Some(port) => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok(),
            None => true,
        };
        rows.push(row(name.to_owned(), process.as_ref(), port, ready));
    }
    // PostgreSQL is a process for each connection.
    let backends = Process::recorded(home, "postgres").map(|server| server.children());
    let backends = backends.unwrap_or_default().iter().map(Process::share_kib).sum::<u64>();
    rows[0].share_mib += backends / KIB_PER_MIB;
    let running = Part::running(home);
    for part in system.parts() {
        let process = running.iter().find(|(running, _)| *running == part);
        let process = process.map(|(_, process)| process);
        let (Some(block), Some(url)) = (ports.instance(part.app, part.instance), health_url(ports, part)) else {
            continue;
        };
        let port = match part.role {
            Role::Service if part.app == App::Gateway => ports.gateway(),
            Role::Service => block.app,
            Role::Sidecar => block.http,
        };
        let ready = is_ready(&client, &url).await;
        rows.push(row(part.to_string(), process, Some(port), ready));
    }
    Ok(rows)
}

fn row(name: String, process: Option<&Process>, port: Option<u16>, ready: bool) -> Row {
    Row {
        part: name,
        pid: process.map(Process::pid),
        port,
        health: match (process, ready) {
            (None, _) => Health::Down,
            (Some(_), false) => Health::NotReady,
            (Some(_), true) => Health::Ready,
        },
        resident_mib: process.map_or(0, Process::resident_kib) / KIB_PER_MIB,
        share_mib: process.map_or(0, Process::share_kib) / KIB_PER_MIB,
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_dash = |number: Option<u32>| number.map_or("-".to_owned(), |number| number.to_string());
        let health = match self.health {
            Health::Ready => "ready",
            Health::NotReady => "not ready",
            Health::Down => "down",
        };
        write!(
            f,
            "{:<18} {:>8} {:>6}  {health:<9} {:>12} {:>10}",
            self.part,
            or_dash(self.pid),
            or_dash(self.port.map(u32::from)),
            self.resident_mib,
            self.share_mib
        )
    }
}
