//! Who is connected to whom, and who listens where, as the kernel tells it.

use std::{
    collections::{HashMap, HashSet},
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use local::{App, Part, Process, part::Role, ports::SPAN};

use crate::{people::person, stage::Stage};

/// Looks at the connections, while people are registered.
const LOOKS: usize = 6;
const AT_ONCE: usize = 8;
const FROM_SIDECAR: &str = "from its sidecar";

/// A TCP socket.
#[derive(Clone, Debug)]
struct Socket {
    local: SocketAddr,
    remote: SocketAddr,
    listens: bool,
    inode: u64,
}

/// A service's connections go to its own sidecar's two ports and come in from its own sidecar.
///
/// The gateway's public port is for everyone.
/// The one exception is an OTLP collector, which is off unless a variable names it; it is on in this test.
pub(crate) async fn of_services(stage: &Stage) -> Result<()> {
    let door = stage.public(access::Role::Admin)?;
    let mut seen = HashSet::new();
    for _ in 0..LOOKS {
        // In a task of its own: who looks keeps a thread for seconds, in which a request that has just begun would go on
        // without its sender.
        let registrations = (0..AT_ONCE).map(|_| {
            let (door, someone) = (door.clone(), person());
            async move {
                let patient = door.registered(&someone).await?;
                door.account(patient.id()).await
            }
        });
        let work = tokio::spawn(try_join_all(registrations.collect::<Vec<_>>()));
        let looked = tokio::task::block_in_place(|| look(stage, &mut seen));
        work.await??;
        looked?;
        look(stage, &mut seen)?;
    }
    for part in ours(stage) {
        let app = part.app;
        for what in ["its sidecar's HTTP", "its sidecar's gRPC", "the collector", FROM_SIDECAR] {
            // Billing and analytics answer and consume; each service fetches keys over HTTP except auth.
            let wanted = !(app == App::Auth && what == "its sidecar's HTTP");
            ensure!(!wanted || seen.contains(&(part, what)), "{part} was never connected to {what}: the look is blind");
        }
    }
    Ok(())
}

/// What plays the clearing house is another company's: it comes in at the public door.
fn ours(stage: &Stage) -> impl Iterator<Item = Part> {
    stage.system.parts().filter(|part| part.is_service() && part.app != App::Clearinghouse)
}

fn look(stage: &Stage, seen: &mut HashSet<(Part, &'static str)>) -> Result<()> {
    for part in ours(stage) {
        let app = part.app;
        let beside = Part { role: Role::Sidecar, ..part };
        let service = stage.system.process(part).with_context(|| format!("{part} does not run"))?;
        let sidecar = stage.system.process(beside).with_context(|| format!("{part} has no sidecar"))?;
        let ports = stage.ports().instance(app, part.instance).context("no ports")?;
        let connected = sockets(&service)?;
        // Later than the service's: each connection has begun here before it arrived there.
        let own: HashSet<_> = sockets(&sidecar)?.iter().map(|socket| socket.local).collect();
        for socket in connected.iter().filter(|socket| !socket.listens) {
            let what = match (socket.local.port(), socket.remote.port()) {
                (_, port) if port == ports.http => "its sidecar's HTTP",
                (_, port) if port == ports.grpc => "its sidecar's gRPC",
                (_, port) if port == stage.collector_port => "the collector",
                (port, _) if app == App::Gateway && port == stage.ports().gateway() => "from clients",
                (port, _) if port == ports.app && own.contains(&socket.remote) => FROM_SIDECAR,
                (port, _) if port == ports.app => called_by(stage, &sidecar, socket.remote)?,
                _ => anyhow::bail!("{part} is connected with a stranger: {socket:?}"),
            };
            seen.insert((part, what));
        }
        ensure!(datagrams(&service)?.is_empty(), "{part} sends datagrams");
    }
    Ok(())
}

/// Who is at the other end of a connection to a service's own port.
///
/// The kernel's table is read in pieces while it changes, so what is not found is looked for again.
///
/// Of an app with several instances the sidecars of its callers ask each whether it is ready.
fn called_by(stage: &Stage, sidecar: &Process, address: SocketAddr) -> Result<&'static str> {
    let sidecars = stage.system.parts().filter(|part| stage.system.instances() > 1 && part.role == Role::Sidecar);
    let callers: Vec<_> = sidecars.filter_map(|part| stage.system.process(part)).collect();
    let own = Process::of(std::process::id()).context("this process")?;
    for _ in 0..LOOKS {
        if sockets(sidecar)?.iter().any(|socket| socket.local == address) {
            return Ok(FROM_SIDECAR);
        }
        if sockets(&own)?.iter().any(|socket| socket.local == address) {
            return Ok("from this test");
        }
        for caller in &callers {
            if sockets(caller)?.iter().any(|socket| socket.local == address) {
                return Ok("from a sidecar that asks whether it is ready");
            }
        }
        // Without an inode it is nobody's any more.
        if !table(&own, "tcp")?.iter().any(|socket| socket.local == address && socket.inode != 0) {
            return Ok("from nobody who is there any more");
        }
    }
    anyhow::bail!("a stranger at {address} calls the service beside sidecar {}", sidecar.pid())
}

pub(crate) async fn listeners(stage: &Stage) -> Result<()> {
    let parts = stage.system.parts().filter_map(|part| Some((part.to_string(), stage.system.process(part)?)));
    let foundation = stage.system.foundation().into_iter().map(|(name, process)| (name.to_owned(), process));
    let everyone: Vec<_> = parts.chain(foundation).collect();
    ensure!(everyone.len() == stage.system.parts().count() + 3, "only {} processes were found", everyone.len());
    let base = stage.ports().base();
    for (name, process) in everyone {
        let listening: Vec<_> = sockets(&process)?.into_iter().filter(|socket| socket.listens).collect();
        ensure!(!listening.is_empty(), "{name} listens nowhere: the look is blind");
        for socket in listening {
            ensure!(is_loopback(socket.local.ip()), "{name} listens on {}", socket.local);
            let port = socket.local.port();
            ensure!((base..base + SPAN).contains(&port), "{name} listens on {port}, which is nobody's port");
        }
    }
    Ok(())
}

fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        // Java writes IPv4 addresses as IPv6 ones.
        IpAddr::V6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
    }
}

/// The TCP sockets of a process.
fn sockets(process: &Process) -> Result<Vec<Socket>> {
    let inodes = inodes(process)?;
    let mut sockets = table(process, "tcp")?;
    sockets.extend(table(process, "tcp6")?);
    sockets.retain(|socket| inodes.contains(&socket.inode));
    Ok(sockets)
}

fn datagrams(process: &Process) -> Result<Vec<Socket>> {
    let inodes = inodes(process)?;
    let mut sockets = table(process, "udp")?;
    sockets.extend(table(process, "udp6")?);
    sockets.retain(|socket| inodes.contains(&socket.inode));
    Ok(sockets)
}

/// What the process's descriptors stand for.
fn inodes(process: &Process) -> Result<HashSet<u64>> {
    let mut inodes = HashSet::new();
    for descriptor in fs::read_dir(format!("/proc/{}/fd", process.pid()))? {
        // One that was closed meanwhile.
        let Ok(target) = fs::read_link(descriptor?.path()) else { continue };
        let target = target.to_string_lossy().into_owned();
        let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
        inodes.extend(inode.and_then(|inode| inode.parse::<u64>().ok()));
    }
    Ok(inodes)
}

/// `/proc/<pid>/net/<protocol>`, see proc(5).
fn table(process: &Process, protocol: &str) -> Result<Vec<Socket>> {
    const LISTEN: &str = "0A";
    let text = fs::read_to_string(format!("/proc/{}/net/{protocol}", process.pid()))?;
    let mut sockets = HashMap::new();
    for line in text.lines().skip(1) {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (Some(local), Some(remote), Some(state), Some(inode)) =
            (fields.get(1), fields.get(2), fields.get(3), fields.get(9))
        else {
            continue;
        };
        let inode = inode.parse()?;
        sockets.insert(
            inode,
            Socket { local: address(local)?, remote: address(remote)?, listens: *state == LISTEN, inode },
        );
    }
    Ok(sockets.into_values().collect())
}

/// `0100007F:1F90`: each group of four bytes is a number in the machine's own order.
fn address(text: &str) -> Result<SocketAddr> {
    let (host, port) = text.split_once(':').with_context(|| format!("no address: {text}"))?;
    let mut bytes = Vec::with_capacity(16);
    for at in (0..host.len()).step_by(8) {
        bytes.extend(u32::from_str_radix(host.get(at..at + 8).unwrap_or_default(), 16)?.to_ne_bytes());
    }
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::V4(Ipv4Addr::from(four)),
        Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice())?)),
    };
    Ok(SocketAddr::new(ip, u16::from_str_radix(port, 16)?))
}
