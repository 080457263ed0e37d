//! Waits until every service and sidecar says that it is ready, or says which did not and why.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

use crate::{
    app::App,
    dapr::{self, sidecar_url},
    home::Home,
    launch::tail,
    part::Part,
    ports::Ports,
    process::Process,
    report::Report,
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

/// Waits for the gateway's `/readyz` and every sidecar's `/v1.0/healthz`.
pub(crate) async fn wait(home: &Home, ports: Ports, cli: &Process, report: &Report) -> Result<()> {
    let client = client(ANSWER)?;
    let begun = Instant::now();
    let mut said = begun;
    let mut whole = begun;
    loop {
        let missing = first_unready(&client, ports).await;
        let begun_parts = dapr::link_logs(home)?;
        let Some(missing) = missing else {
            return Ok(());
        };
        match first_ended(home, &begun_parts) {
            None => whole = Instant::now(),
            Some(ended) if whole.elapsed() > SPAWN => {
                bail!("{ended} ended while it was starting\n{}", logs(home, ended.app()));
            }
            Some(_) => {}
        }
        if !cli.is_running() {
            bail!("`dapr run` ended\n{}", tail(&home.log("dapr")));
        }
        if begun.elapsed() > LIMIT {
            let seconds = LIMIT.as_secs();
            bail!("{missing} is not ready after {seconds} s\n{}", logs(home, missing.app()));
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
fn logs(home: &Home, app: App) -> String {
    [Part::Service(app), Part::Sidecar(app)].map(|part| tail(&home.log(&part.to_string()))).join("\n")
}

async fn first_unready(client: &reqwest::Client, ports: Ports) -> Option<Part> {
    for app in App::ALL {
        if !is_ready(client, &format!("{}/v1.0/healthz", sidecar_url(ports, app))).await {
            return Some(Part::Sidecar(app));
        }
    }
    let gateway = format!("http://127.0.0.1:{}/readyz", ports.gateway());
    (!is_ready(client, &gateway).await).then_some(Part::Service(App::Gateway))
}

/// Whether this address answers, and with success.
pub(crate) async fn is_ready(client: &reqwest::Client, url: &str) -> bool {
    client.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
}
