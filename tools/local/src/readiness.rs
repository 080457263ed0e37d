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

/// A client for loopback, whatever proxy the environment names.
pub(crate) fn client(timeout: Duration) -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().timeout(timeout).build()?)
}

/// Waits for the gateway's `/readyz` and every sidecar's `/v1.0/healthz`.
pub(crate) async fn wait(home: &Home, ports: Ports, cli: &Process, report: &Report) -> Result<()> {
    let client = client(ANSWER)?;
    let begun = Instant::now();
    let mut said = begun;
    let mut seen = Vec::new();
    loop {
        let Some(missing) = first_unready(&client, ports).await else {
            return dapr::link_logs(home);
        };
        dapr::link_logs(home)?;
        let running = Part::running(home);
        if let Some(ended) = ended(&seen, &running) {
            bail!("{ended} ended while it was starting\n{}", tail(&home.log(&ended.to_string())));
        }
        seen = running;
        if !cli.is_running() {
            bail!("`dapr run` ended\n{}", tail(&home.log("dapr")));
        }
        if begun.elapsed() > LIMIT {
            bail!(
                "{missing} is not ready after {} s\n{}\n{}",
                LIMIT.as_secs(),
                tail(&home.log(&missing.to_string())),
                tail(&home.log("dapr"))
            );
        }
        if said.elapsed() > SAY_EVERY {
            report.say(&format!("waiting for {missing}"));
            said = Instant::now();
        }
        sleep(POLL).await;
    }
}

fn ended(seen: &[(Part, Process)], running: &[(Part, Process)]) -> Option<Part> {
    seen.iter()
        .find(|(part, _)| !running.iter().any(|(running, _)| running == part))
        .map(|(part, _)| *part)
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
