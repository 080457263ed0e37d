//! Those who listen: how soon they hear of a registration, and what it costs that they do.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;
use serde_json::Value;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    client::Client,
    listener::Listener,
    load::{Numbered, open},
    measured::idle,
    person::People,
    rig::Rig,
    sources::Registrations,
    tally::{Latency, Tally},
    visible::{Seen, delays},
};

const STREAM: &str = "/api/analytics/stream";
/// Each registration is told by two events: of the patient and of the account.
const REGISTRATIONS: u32 = 100;
const LISTENERS: usize = 100;
/// What goes on while a hundred listen.
pub(super) const CALMLY: u32 = 20;
/// How long the last one may take to be told.
const LAST: Duration = Duration::from_secs(15);
/// How often a listener that is told nothing looks whether that was all.
const LOOK: Duration = Duration::from_millis(100);
/// What one who listens costs is the difference of these processes with and without.
const ON_THE_WAY: [&str; 4] = ["gateway", "gateway-sidecar", "analytics", "analytics-sidecar"];

/// From the acknowledgement of a registration until a listener is told a count that has it.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// Events a second that are published for it.
    pub events_per_second: u32,
    /// Registrations that were acknowledged.
    pub registrations: u64,
    /// How long it took.
    pub latency: Latency,
    /// How many were never told.
    pub missed: u64,
    /// Registrations that were not acknowledged.
    pub errors: u64,
}

/// CPU of what is between a listener and the database, in milliseconds a second.
#[derive(Clone, Debug, Serialize)]
pub struct Listening {
    /// Registrations a second meanwhile.
    pub registrations: u32,
    /// Each without anybody who listens.
    pub without: BTreeMap<String, f64>,
    /// Each with a hundred.
    pub with: BTreeMap<String, f64>,
    /// Events that a hundred got together.
    pub events: usize,
}

impl Listening {
    /// What a hundred cost, in parts of a core.
    pub fn cost(&self) -> f64 {
        let sum = |of: &BTreeMap<String, f64>| of.values().sum::<f64>();
        (sum(&self.with) - sum(&self.without)) / 1000.0
    }
}

/// How soon it is told while so much goes on.
pub(super) async fn told(rig: &Rig, seed: u64, seconds: u64) -> Result<Told> {
    let client = rig.client()?;
    let source = Numbered::new(Registrations::new(People::new(seed)));
    // Whatever is slower the first time is not measured.
    let nobody = rig.counts().await?;
    let warm = open(&client, &source, REGISTRATIONS, Duration::from_secs(2)).await?;
    ensure!(rig.quiet(nobody, warm.tally.successes()).await?, "not everybody is known");
    let earlier = source.source().registered().len();
    let mut listener = Listener::begin(&client, STREAM).await?;
    let before = heard(&mut listener).await?;
    let (end, ended) = watch::channel(None::<u64>);
    let seen = tokio::spawn(async move {
        let mut seen: Vec<Seen> = Vec::new();
        let mut until = None;
        loop {
            let all = *ended.borrow();
            if all.is_some_and(|all| seen.last().is_some_and(|(_, count)| *count >= all)) {
                return anyhow::Ok(seen);
            }
            if all.is_some() && *until.get_or_insert(Instant::now() + LAST) < Instant::now() {
                return Ok(seen);
            }
            if let Ok(event) = timeout(LOOK, listener.next()).await {
                let event = event?.context("the stream has ended")?;
                seen.extend(registrations(&event).map(|count| (Instant::now(), count)));
            }
        }
    });
    let loaded = open(&client, &source, REGISTRATIONS, Duration::from_secs(seconds)).await?;
    let acknowledged: Vec<_> = source.source().registered().into_iter().skip(earlier).map(|(_, at)| at).collect();
    // Whoever listened no more says why.
    let _ = end.send(Some(before + acknowledged.len() as u64));
    let seen = seen.await??;
    let mut tally = Tally::new()?;
    let mut missed = 0;
    for delay in delays(&acknowledged, &seen, before) {
        match delay {
            Some(delay) => tally.success(delay, Duration::ZERO),
            None => missed += 1,
        }
    }
    Ok(Told {
        events_per_second: 2 * REGISTRATIONS,
        registrations: loaded.tally.successes(),
        latency: tally.latency(),
        missed,
        errors: loaded.tally.errors().values().sum(),
    })
}

/// The first event tells everything.
async fn heard(listener: &mut Listener) -> Result<u64> {
    let first = listener.next().await?.context("the stream has ended")?;
    registrations(&first).with_context(|| format!("no registrations in {first}"))
}

/// How many were registered today, where an event tells that.
fn registrations(event: &Value) -> Option<u64> {
    let item = event["items"].as_array()?.iter().find(|item| item["metric"] == "registrations")?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    item["current"]["value"].as_f64().map(|count| count as u64)
}

/// What a hundred cost while nothing happens, and while something does.
pub(super) async fn listening(rig: &Rig, seed: u64, seconds: u64) -> Result<Vec<Listening>> {
    let source = Numbered::new(Registrations::new(People::new(seed)));
    let mut measured = Vec::new();
    for registrations in [0, CALMLY] {
        let without = cost(rig, &source, registrations, seconds).await?;
        let (mut hundred, heard) = begin(&rig.client()?).await?;
        let begun = *heard.borrow();
        let with = cost(rig, &source, registrations, seconds).await?;
        let events = *heard.borrow() - begun;
        if let Some(ended) = hundred.try_join_next() {
            ended??;
            bail!("a stream has ended");
        }
        ensure!(registrations == 0 || events >= LISTENERS, "nobody is told anything");
        drop(hundred);
        sleep(Duration::from_secs(1)).await;
        measured.push(Listening { registrations, without, with, events });
    }
    Ok(measured)
}

/// A hundred who listen until they are dropped; answers how many events they have got, too.
async fn begin(client: &Client) -> Result<(JoinSet<Result<()>>, watch::Receiver<usize>)> {
    let (heard, count) = watch::channel(0);
    let (heard, mut hundred) = (Arc::new(heard), JoinSet::new());
    for _ in 0..LISTENERS {
        let (mut listener, heard) = (Listener::begin(client, STREAM).await?, Arc::clone(&heard));
        hundred.spawn(async move {
            while listener.next().await?.is_some() {
                heard.send_modify(|count| *count += 1);
            }
            Ok(())
        });
    }
    let mut all = count.clone();
    timeout(LAST, all.wait_for(|count| *count >= LISTENERS))
        .await
        .context("not everybody is told the first event")??;
    sleep(Duration::from_secs(2)).await;
    Ok((hundred, count))
}

async fn cost(
    rig: &Rig,
    source: &Arc<Numbered<Registrations>>,
    registrations: u32,
    seconds: u64,
) -> Result<BTreeMap<String, f64>> {
    let (client, time) = (rig.client()?, Duration::from_secs(seconds));
    let load = async {
        if registrations > 0 {
            let loaded = open(&client, source, registrations, time).await?;
            ensure!(loaded.tally.errors().is_empty(), "registrations: {:?}", loaded.tally.errors());
        }
        Ok(())
    };
    let (measured, loaded) = tokio::join!(idle(rig, time), load);
    loaded?;
    let mut cpu = measured?.cpu_by_process;
    cpu.retain(|name, _| ON_THE_WAY.contains(&name.as_str()));
    ensure!(cpu.len() == ON_THE_WAY.len(), "not all of {ON_THE_WAY:?} are measured: {cpu:?}");
    Ok(cpu)
}
