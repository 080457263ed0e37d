//! Everybody signs in at the same moment: how it ends for them, and what the others notice.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use local::{App, Part};
use serde::Serialize;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    client::Client,
    load::{Numbered, Source as _, open, open_while},
    rig::Rig,
    sources::{Reads, SignIns},
    tally::{Latency, Tally, quotient},
};

/// How many sign in at once.
pub const PEOPLE: u32 = 200;
/// How many other requests there are a second.
const OTHERS: u32 = 50;
/// A storm is soon over; so many give the others' percentiles enough requests.
const STORMS: u32 = 10;
const CALM: Duration = Duration::from_secs(1);

/// What storms came to.
#[derive(Clone, Debug, Serialize)]
pub struct Storm {
    /// How the sign-ins ended, by status or cause.
    pub ended: BTreeMap<String, u64>,
    /// How long a storm lasted, in seconds, on average.
    pub seconds: f64,
    /// Milliseconds of the others meanwhile.
    pub others: Latency,
    /// The same of as many when nobody signs in.
    pub calm: Latency,
    /// How many others were asked for meanwhile.
    pub asked: u64,
    /// Those that were not answered as they should.
    pub errors: BTreeMap<String, u64>,
    /// The most that `auth` held, in MiB.
    pub peak: f64,
    /// What it held before, in MiB.
    pub before: f64,
}

/// Lets storms come while others read.
pub async fn storms(rig: &Rig, reads: &Arc<Numbered<Reads>>) -> Result<Storm> {
    let client = rig.client()?;
    let auth = rig.system().process(Part::service(App::Auth)).context("no auth runs")?.pid();
    let calm = open(&client, reads, OTHERS, CALM * STORMS).await?;
    let before = status(auth, "VmRSS")?;
    // The kernel forgets the peak so far; proc(5).
    fs::write(format!("/proc/{auth}/clear_refs"), "5")?;
    let (mut ended, mut others, mut lasted) = (BTreeMap::new(), Tally::new()?, Duration::ZERO);
    for _ in 0..STORMS {
        let over = AtomicBool::new(false);
        let storm = async {
            let begun = Instant::now();
            let ended = storm(&client, rig.administrator()).await;
            over.store(true, Ordering::Relaxed);
            (ended, begun.elapsed())
        };
        let meanwhile = open_while(&client, reads, OTHERS, |_| !over.load(Ordering::Relaxed));
        let ((statuses, elapsed), meanwhile) = tokio::join!(storm, meanwhile);
        for (status, count) in statuses {
            *ended.entry(status).or_default() += count;
        }
        others.add(&meanwhile?.tally)?;
        lasted += elapsed;
        sleep(CALM).await;
    }
    Ok(Storm {
        ended,
        seconds: (lasted / STORMS).as_secs_f64(),
        others: others.latency(),
        calm: calm.tally.latency(),
        asked: others.successes() + others.errors().values().sum::<u64>(),
        errors: others.errors().clone(),
        peak: status(auth, "VmHWM")?,
        before,
    })
}

/// Everybody at once; how it ended for how many.
async fn storm(client: &Client, administrator: (&str, &str)) -> BTreeMap<String, u64> {
    let source = Arc::new(SignIns::new(administrator));
    let mut people = JoinSet::new();
    for n in 0..PEOPLE {
        let (client, source) = (client.clone(), Arc::clone(&source));
        people.spawn(async move { client.send(source.request(&client, n.into())?).await });
    }
    let mut ended = BTreeMap::new();
    for answer in people.join_all().await {
        let how =
            answer.map_or_else(|error| error.root_cause().to_string(), |answer| answer.status.as_u16().to_string());
        *ended.entry(how).or_default() += 1;
    }
    ended
}

/// A figure of `/proc/<pid>/status`, in MiB.
fn status(pid: u32, name: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    parse(&status, name).with_context(|| format!("no {name}"))
}

fn parse(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(quotient(line.split_whitespace().next()?.parse().ok()?, 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_their_whole_name() {
        let status = "Name:\tauth\nVmHWMX:\t1 kB\nVmHWM:\t  2048 kB\nVmRSS:\t1024 kB\n";
        assert_eq!((parse(status, "VmHWM"), parse(status, "VmRSS"), parse(status, "Vm")), (Some(2.0), Some(1.0), None));
    }
}
