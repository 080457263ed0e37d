//! Waits until every service and sidecar says that it is ready, or says which did not and why.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

use crate::{
    dapr,
    home::Home,
    launch::tail,
    part::{Part, Role},
    ports::Ports,
    process::Process,
    report::Report,
    system::System,
};

const LIMIT: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);
const SAY_EVERY: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(2);

/// How long a part may be without a process after the CLI has opened its log.
const SPAWN: Duration = Duration::from_secs(2);

/// A client for loopback, whatever proxy the environment names.
pub(crate) fn client(timeout: Duration) -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().timeout(timeout).build()?)
}

/// Waits for every service's `/readyz` and every sidecar's `/v1.0/healthz`.
///
/// What the CLI has started and has ended is lost; a supervisor brings it back.
pub(crate) async fn wait(system: &System, cli: Option<&Process>, report: &Report) -> Result<()> {
    let client = client(ANSWER)?;
    let home = system.home();
    let begun = Instant::now();
    let mut said = begun;
    let mut whole = begun;
    loop {
        let missing = first_unready(&client, system).await;
        let begun_parts = if cli.is_some() { dapr::link_logs(home, system.parts())? } else { Vec::new() };
        let Some(missing) = missing else {
            return Ok(());
        };
        match first_ended(home, &begun_parts) {
            None => whole = Instant::now(),
            Some(ended) if whole.elapsed() > SPAWN => {
                bail!("{ended} ended while it was starting\n{}", logs(home, ended));
            }
            Some(_) => {}
        }
        if cli.is_some_and(|cli| !cli.is_running()) {
            bail!("`dapr run` ended\n{}", tail(&home.log("dapr")));
        }
        if begun.elapsed() > LIMIT {
            let seconds = LIMIT.as_secs();
            bail!("{missing} is not ready after {seconds} s\n{}", logs(home, missing));
        }
        if said.elapsed() > SAY_EVERY {
            report.say(&format!("waiting for {missing}"));
            said = Instant::now();
        }
        sleep(POLL).await;
    }
}

/// Of the parts that the CLI has begun to start, the first without a process.
fn first_ended(home: &Home, begun: &[Part]) -> Option<Part> {
    let running = Part::running(home);
    begun.iter().copied().find(|part| !running.iter().any(|(running, _)| running == part))
}

/// Service and sidecar: what stops the one is often said by the other.
fn logs(home: &Home, part: Part) -> String {
    let both = [Part::service(part.app), Part::sidecar(part.app)].map(|both| both.of_instance(part.instance));
    both.map(|part| tail(&home.log(&part.to_string()))).join("\n")
}

async fn first_unready(client: &reqwest::Client, system: &System) -> Option<Part> {
    // Services are ready by their sidecars, so those are what is waited for first.
    let (services, sidecars): (Vec<_>, Vec<_>) = system.parts().partition(|part| part.is_service());
    for part in sidecars.into_iter().chain(services) {
        if !is_ready(client, &health_url(system.ports(), part)?).await {
            return Some(part);
        }
    }
    None
}

/// Where a part says whether it is ready.
pub(crate) fn health_url(ports: Ports, part: Part) -> Option<String> {
    let block = ports.instance(part.app, part.instance)?;
    let (port, path) = match part.role {
        Role::Service => (block.app, "readyz"),
        Role::Sidecar => (block.http, "v1.0/healthz"),
    };
    Some(format!("http://{}:{port}/{path}", Ipv4Addr::LOCALHOST))
}

/// Whether this address answers, and with success.
pub(crate) async fn is_ready(client: &reqwest::Client, url: &str) -> bool {
    client.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
}
