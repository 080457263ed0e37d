//! Turns for what keeps a service busy for long: who comes at the same time as many others waits here.
//!
//! To wait costs nothing here. Behind the gateway each of them would take two sidecars' and a service's time first, all
//! at the same moment, and whoever else asks something would wait for that.

use std::time::Duration;

use problem::{Kind, Problem};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// How many may wait; about as many as a small machine gets through in the time that one waits at most.
const WAITING: usize = 64;

/// How long one waits at most; what is left of the ten seconds of a request is for the service.
const PATIENCE: Duration = Duration::from_secs(3);

/// A lane in which a few go at once.
#[derive(Debug)]
pub(super) struct Lane {
    at_once: Semaphore,
    waiting: Semaphore,
}

impl Lane {
    pub(super) fn new(at_once: usize) -> Self {
        Self { at_once: Semaphore::new(at_once), waiting: Semaphore::new(WAITING) }
    }

    /// Waits for a turn, which lasts as long as it is held.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Problem> {
        if let Ok(turn) = self.at_once.try_acquire() {
            return Ok(turn);
        }
        let Ok(_place) = self.waiting.try_acquire() else { return Err(busy()) };
        timeout(PATIENCE, self.at_once.acquire()).await.ok().and_then(Result::ok).ok_or_else(busy)
    }
}

fn busy() -> Problem {
    let mut problem = Problem::new(Kind::RateLimited, "Too many are signing in at once; come back later.");
    problem.retry_after = Some(PATIENCE);
    problem
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use futures::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_few_go_at_once_some_wait_and_the_others_are_told_so() {
        let (lane, under_way, most) = (Lane::new(4), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let one = async || {
            let turn = lane.turn().await.map_err(|problem| (problem.kind, problem.retry_after))?;
            most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
            under_way.fetch_sub(1, Ordering::SeqCst);
            drop(turn);
            Ok::<_, (Kind, Option<Duration>)>(())
        };
        let ended = join_all((0..200).map(|_| one())).await;
        assert_eq!(ended.iter().filter(|ended| ended.is_ok()).count(), 4 + WAITING);
        assert!(
            ended.into_iter().filter_map(Result::err).all(|refused| refused == (Kind::RateLimited, Some(PATIENCE)))
        );
        assert_eq!(most.load(Ordering::SeqCst), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let lane = Lane::new(1);
        let held = lane.turn().await.unwrap();
        let begun = tokio::time::Instant::now();
        assert!(lane.turn().await.is_err());
        assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs());
        drop(held);
        assert!(lane.turn().await.is_ok());
        assert_eq!(lane.waiting.available_permits(), WAITING);
    }
}
