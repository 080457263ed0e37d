//! Rounds that others may win: whoever is slower loads again and decides again.

use std::time::Duration;

use rand::Rng as _;
use sidecar::failure::Failure;
use tokio::time::{self, Instant};

/// Longer than it takes while the store answers and others are at the same documents.
const PATIENCE: Duration = Duration::from_secs(4);
/// Rounds in that time at most: each is won by somebody, and what a constraint never lets through ends here.
const MOST: u32 = 40;
/// The longest pause in milliseconds.
const LONGEST_PAUSE: u32 = 50;

/// How long somebody has tried.
#[derive(Debug)]
pub(super) struct Rounds {
    end: Instant,
    lost: u32,
}

impl Rounds {
    pub(super) fn begin() -> Self {
        Self { end: Instant::now() + PATIENCE, lost: 0 }
    }

    /// Whether to try once more after this failure; waits a moment first, so that those who meet do not meet again.
    pub(super) async fn again(&mut self, failure: &Failure) -> bool {
        self.lost += 1;
        if !may_win_later(failure) || self.lost == MOST || Instant::now() >= self.end {
            return false;
        }
        let pause = rand::rng().random_range(0..=(5 * self.lost).min(LONGEST_PAUSE));
        time::sleep(Duration::from_millis(pause.into())).await;
        true
    }
}

/// Others were faster, or a constraint knows what the round did not see.
fn may_win_later(failure: &Failure) -> bool {
    matches!(failure, Failure::Changed | Failure::KeyTaken | Failure::Again | Failure::Constraint { .. })
}
