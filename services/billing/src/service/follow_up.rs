//! What is due without anybody asking: claims that are submitted and not sent, and remittances of which something waits.
//! How many there are, and of how many claims a deadline is near, is measured, so that somebody can be alarmed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use opentelemetry::global;
use tokio::time::{self, MissedTickBehavior};

use super::Books;

/// How often it is looked for. Every instance does, and what two do at once is done once.
const EVERY: Duration = Duration::from_secs(10);
/// Who is at it at this moment may finish by themselves.
const MOMENT: SignedDuration = SignedDuration::from_secs(10);

/// Looks after what is left over, for as long as the process runs.
pub async fn run(books: Books) {
    let mut ticks = time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let meter = global::meter("billing");
    let gauge = |name, description| meter.u64_gauge(name).with_description(description).build();
    let unsent = gauge("claims.unsent", "claims that are submitted and that the clearing house has not taken");
    let waiting = gauge("remittances.waiting", "remittances of which something cannot be booked yet");
    let due = gauge("claims.due", "claims of which a deadline is near or over");
    loop {
        ticks.tick().await;
        match books.finish_claims(Timestamp::now() - MOMENT).await {
            Ok(left) => {
                unsent.record(left.unsent_count, &[]);
                waiting.record(left.waiting_count, &[]);
                due.record(left.due_count, &[]);
            }
            Err(failure) => tracing::warn!(%failure, "claims that were left over wait on"),
        }
    }
}
