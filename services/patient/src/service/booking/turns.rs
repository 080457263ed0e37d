//! Who books at the same practitioner takes turns here, before they would in the database.
//!
//! There a turn costs a connection for as long as it is waited for, and a hundred people who want one time would leave
//! none for anybody else. It is the database that makes two at once impossible, whatever happens here, and another
//! instance has turns of its own.

use std::{
    array,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sidecar::failure::Failure;
use tokio::{
    sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit},
    time,
};
use tonic::Status;

use crate::domain::calendar::PractitionerId;

/// So many that two practitioners rarely share one.
const QUEUES: usize = 256;
/// Looks at one practitioner at the same time: as many as one call asks for, so that none waits for the others' calls.
const LOOKS: usize = 16;
/// Longer than two hundred take who all want the same time.
const PATIENCE: Duration = Duration::from_secs(3);

/// A queue for each practitioner, more or less.
#[derive(Clone, Debug)]
pub(super) struct Turns(Arc<[Queue; QUEUES]>);

/// Those who book at one practitioner.
#[derive(Debug)]
pub(super) struct Queue {
    looks: Semaphore,
    turn: Mutex<()>,
    saved: AtomicU64,
}

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(array::from_fn(|_| Queue::new())))
    }
}

impl Turns {
    /// The queue of a practitioner.
    pub(super) fn of(&self, practitioner: PractitionerId) -> &Queue {
        // The last bytes of an id are random or a hash.
        let [.., high, low] = practitioner.as_uuid().into_bytes();
        &self.0[usize::from(u16::from_be_bytes([high, low])) % QUEUES]
    }
}

impl Queue {
    fn new() -> Self {
        Self { looks: Semaphore::new(LOOKS), turn: Mutex::default(), saved: AtomicU64::default() }
    }

    /// Waits until few enough look at what is there.
    pub(super) async fn look(&self) -> Result<SemaphorePermit<'_>, Failure> {
        let waited = time::timeout(PATIENCE, self.looks.acquire()).await;
        let permit = waited.map_err(|elapsed| Failure::of(Status::deadline_exceeded(elapsed.to_string())))?;
        permit.map_err(|closed| Failure::Bug(closed.to_string()))
    }

    /// Waits for a turn, which lasts until it is dropped. Who waits too long has changed nothing, and may come again.
    pub(super) async fn turn(&self) -> Result<MutexGuard<'_, ()>, Failure> {
        let waited = time::timeout(PATIENCE, self.turn.lock()).await;
        waited.map_err(|elapsed| Failure::of(Status::deadline_exceeded(elapsed.to_string())))
    }

    /// How often something was saved: who looked before another count has to look again.
    pub(super) fn saved(&self) -> u64 {
        self.saved.load(Ordering::SeqCst)
    }

    /// Says that something was saved.
    pub(super) fn save(&self) {
        self.saved.fetch_add(1, Ordering::SeqCst);
    }
}
