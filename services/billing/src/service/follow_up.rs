//! What is due without anybody asking: claims that are submitted and not sent, and remittances of which something waits.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
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
    loop {
        ticks.tick().await;
        if let Err(failure) = books.finish_claims(Timestamp::now() - MOMENT).await {
            tracing::warn!(%failure, "claims that were left over wait on");
        }
    }
}
