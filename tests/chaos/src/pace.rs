//! Load and kills set each other's pace: a kill waits for writes, and writes wait for kills, so that neither is over
//! before the other.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

/// How far both are.
#[derive(Debug)]
pub(crate) struct Pace {
    total: u64,
    begun: AtomicU64,
    done: watch::Sender<u64>,
    allowed: watch::Sender<u64>,
}

impl Pace {
    pub(crate) fn new(total: u64) -> Self {
        Self { total, begun: AtomicU64::new(0), done: watch::Sender::new(0), allowed: watch::Sender::new(0) }
    }

    /// The right to make one more write, when it is its turn; none when all have been made.
    pub(crate) async fn next(&self) -> Option<u64> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        if number >= self.total {
            return None;
        }
        // The sender is ours, so that waiting cannot fail.
        self.allowed.subscribe().wait_for(|allowed| number < *allowed).await.ok()?;
        Some(number)
    }

    /// One more has its answer.
    pub(crate) fn finish(&self) {
        self.done.send_modify(|done| *done += 1);
    }

    /// Writes up to this number may begin.
    pub(crate) fn allow(&self, number: u64) {
        self.allowed.send_modify(|allowed| *allowed = number.min(self.total).max(*allowed));
    }

    /// Waits until so many have their answer, or all.
    pub(crate) async fn reached(&self, number: u64) {
        let number = number.min(self.total);
        let _ = self.done.subscribe().wait_for(|done| *done >= number).await;
    }

    /// How many have their answer.
    pub(crate) fn done(&self) -> u64 {
        *self.done.borrow()
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_write_waits_until_it_is_allowed() {
        let pace = Pace::new(2);
        pace.allow(1);
        assert_eq!(pace.next().await, Some(0));
        let mut second = Box::pin(pace.next());
        assert!(futures::poll!(&mut second).is_pending());
        pace.allow(2);
        assert_eq!(second.await, Some(1));
        assert_eq!(pace.next().await, None);
        pace.finish();
        pace.reached(1).await;
        assert_eq!(pace.done(), 1);
    }
}
