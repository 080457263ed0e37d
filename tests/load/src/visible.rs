//! From a registration's acknowledgement until analytics has counted it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::client::Client;

/// How often analytics is asked: what is measured is no finer than this.
pub const POLL: Duration = Duration::from_millis(20);

const REPORT: &str = "/api/analytics/metrics/registrations?group=hour";

/// A report of analytics: when its answer was there, and how many it counts.
pub type Seen = (Instant, u64);

/// Asks analytics again and again until it is told to end.
#[derive(Debug)]
pub struct Poller {
    end: Arc<AtomicBool>,
    seen: JoinHandle<Result<Vec<Seen>>>,
}

impl Poller {
    /// Begins to ask.
    pub fn start(client: &Client) -> Self {
        let (client, end) = (client.clone(), Arc::new(AtomicBool::new(false)));
        let told = Arc::clone(&end);
        let seen = tokio::spawn(async move {
            let mut seen = Vec::new();
            let mut tick = interval(POLL);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !told.load(Ordering::Relaxed) {
                tick.tick().await;
                let count = count(&client).await?;
                seen.push((Instant::now(), count));
            }
            Ok(seen)
        });
        Self { end, seen }
    }

    /// Ends it; answers everything that was seen.
    pub async fn stop(self) -> Result<Vec<Seen>> {
        self.end.store(true, Ordering::Relaxed);
        self.seen.await?
    }
}

/// How many registrations analytics counts now, in the week that its report covers.
pub async fn count(client: &Client) -> Result<u64> {
    let answer = client.send(client.get(REPORT)?).await?;
    let report: serde_json::Value =
        serde_json::from_slice(&answer.body).with_context(|| format!("{REPORT}: {}", answer.status))?;
    let total = report["series"][0]["total"]["value"].as_f64();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    total.map(|total| total as u64).with_context(|| format!("{REPORT}: no total in {report}"))
}

/// For each acknowledged registration how long it took until analytics had counted as many more than `before`.
///
/// Nothing in a count says who was counted, so the k-th acknowledged is taken for the k-th counted. None for one that
/// was never seen.
pub fn delays(acknowledged: &[Instant], seen: &[Seen], before: u64) -> Vec<Option<Duration>> {
    let mut acknowledged = acknowledged.to_vec();
    acknowledged.sort_unstable();
    let mut seen = seen.iter().peekable();
    let delay = |(at, wanted): (Instant, u64)| {
        while seen.next_if(|(_, count)| *count < wanted).is_some() {}
        seen.peek().map(|(when, _)| when.saturating_duration_since(at))
    };
    acknowledged.into_iter().zip(before + 1..).map(delay).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kth_acknowledged_is_seen_when_k_more_are_counted() {
        let begun = Instant::now();
        let at = |millis| begun + Duration::from_millis(millis);
        let acknowledged = [at(30), at(0), at(10), at(40)];
        let seen = [(at(5), 100), (at(25), 102), (at(45), 102), (at(65), 103)];
        let millis: Vec<_> =
            delays(&acknowledged, &seen, 100).into_iter().map(|delay| delay.map(|delay| delay.as_millis())).collect();
        assert_eq!(millis, [Some(25), Some(15), Some(35), None]);
    }

    #[test]
    fn what_was_counted_before_its_acknowledgement_took_no_time() {
        let begun = Instant::now();
        let later = begun + Duration::from_millis(50);
        assert_eq!(delays(&[later], &[(begun, 1)], 0), [Some(Duration::ZERO)]);
    }
}
