//! Hashing takes a core and 19 MiB for a while: few at once, a bounded queue, and nobody else waits for it.

use std::{panic, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task, time,
};

/// How many may wait.
const QUEUE: usize = 32;
/// How long one may wait: less than the five seconds after which the caller's sidecar gives up (`dapr/resiliency.yaml`).
const PATIENCE: Duration = Duration::from_secs(3);

/// Too many want to sign in at once.
#[derive(Debug, thiserror::Error)]
#[error("too many passwords are waiting to be checked")]
pub struct Busy;

/// Where hashes are computed.
#[derive(Clone, Debug)]
pub struct Hashing {
    queue: Arc<Semaphore>,
    cores: Arc<Semaphore>,
    patience: Duration,
}

/// A place in the queue.
#[derive(Debug)]
pub struct Turn {
    place: OwnedSemaphorePermit,
    cores: Arc<Semaphore>,
    patience: Duration,
}

impl Hashing {
    /// At most `cores` hashes at once.
    pub fn new(cores: usize) -> Self {
        let (queue, cores) = (Semaphore::new(cores + QUEUE), Semaphore::new(cores));
        Self { queue: Arc::new(queue), cores: Arc::new(cores), patience: PATIENCE }
    }

    /// Takes a place, before anything else is done for the caller.
    pub fn enter(&self) -> Result<Turn, Busy> {
        let place = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| Busy)?;
        Ok(Turn { place, cores: Arc::clone(&self.cores), patience: self.patience })
    }
}

impl Turn {
    /// Waits for a core and computes on it.
    pub async fn compute<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let core =
            time::timeout(self.patience, self.cores.acquire_owned()).await.map_err(|_| Busy)?.map_err(|_| Busy)?;
        let place = self.place;
        let computed = task::spawn_blocking(move || {
            // Held here, since the work goes on when its caller has left.
            let _held = (core, place);
            work()
        });
        computed.await.map_err(|error| match error.try_into_panic() {
            Ok(panicked) => panic::resume_unwind(panicked),
            // The process is ending.
            Err(_) => Busy,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    #[tokio::test]
    async fn beyond_the_queue_a_caller_is_told_at_once() {
        let hashing = Hashing::new(1);
        let turns: Vec<_> = (0..=QUEUE).map(|_| hashing.enter().unwrap()).collect();
        assert!(hashing.enter().is_err());
        drop(turns);
        assert_eq!(hashing.enter().unwrap().compute(|| 5).await.unwrap(), 5);
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let hashing = Hashing { patience: Duration::from_millis(20), ..Hashing::new(1) };
        let _core = Arc::clone(&hashing.cores).acquire_owned().await.unwrap();
        assert!(hashing.enter().unwrap().compute(|| ()).await.is_err());
        assert_eq!(hashing.queue.available_permits(), 1 + QUEUE);
    }

    #[tokio::test]
    async fn a_core_stays_taken_when_its_caller_has_left() {
        let hashing = Hashing::new(1);
        let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        for _ in 0..6 {
            let (at_once, most) = (Arc::clone(&at_once), Arc::clone(&most));
            let work = move || {
                most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(20));
                at_once.fetch_sub(1, Ordering::SeqCst);
            };
            let _ = time::timeout(Duration::from_millis(5), hashing.enter().unwrap().compute(work)).await;
        }
        hashing.enter().unwrap().compute(|| ()).await.unwrap();
        assert_eq!(most.load(Ordering::SeqCst), 1);
    }
}
