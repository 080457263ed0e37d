//! Entries that no document carries: reads, and what failed.
//!
//! They wait in memory for a moment and are written together. What a `kill -9` in that moment loses is bounded, and
//! who could not be recorded is not served.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use problem::Problem;
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};
use sidecar::{Sidecar, failure::Failure};
use tokio::{sync::Notify, time};

use crate::Entry;

/// How long the first of a batch waits for others; its call has to be over 200 ms after the entry was recorded.
const LINGER: Duration = Duration::from_millis(100);
/// How many are written together.
const MOST: usize = 256;
/// How many may wait.
const CAPACITY: usize = 4096;
/// How long the oldest may wait before nobody is served any more.
const PATIENCE: Duration = Duration::from_secs(2);
/// A store that is away is asked again after this time.
const AGAIN: Duration = Duration::from_millis(100);
/// How long the end of a service may take here.
const LAST: Duration = Duration::from_millis(1500);

/// The log cannot keep up.
#[derive(Debug, thiserror::Error)]
#[error("{waiting} entries of the audit wait to be written, the oldest for {age:?}")]
struct Behind {
    waiting: usize,
    age: Duration,
}

/// Takes entries; clones share it.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Something was added, or everything is wanted at once.
    woken: Notify,
    /// Something was written.
    written: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<(Instant, Box<RawValue>)>,
    /// No more company is waited for.
    ending: bool,
}

impl Recorder {
    /// Starts to write what will be recorded.
    pub fn spawn(sidecar: &Sidecar) -> Self {
        let recorder = Self(Arc::default());
        tokio::spawn(write(Arc::clone(&recorder.0), sidecar.clone()));
        recorder
    }

    /// Takes an entry, or refuses whoever did what it tells of.
    pub fn record(&self, entry: &Entry) -> Result<(), Problem> {
        let entry = to_raw_value(entry).map_err(Problem::internal)?;
        let mut queue = self.0.queue();
        let (waiting, age) = queue.depth();
        if waiting >= CAPACITY || age > PATIENCE {
            return Err(Problem::unavailable(Behind { waiting, age }));
        }
        queue.entries.push_back((Instant::now(), entry));
        drop(queue);
        self.0.woken.notify_one();
        Ok(())
    }

    /// Whether an entry would be taken now.
    pub fn keeps_up(&self) -> bool {
        let (waiting, age) = self.0.queue().depth();
        waiting < CAPACITY && age <= PATIENCE
    }

    /// How many entries wait.
    pub fn waiting(&self) -> usize {
        self.0.queue().entries.len()
    }

    /// Writes what is left, at the end of the service; answers how many are lost because the store is away.
    pub async fn finish(&self) -> usize {
        self.0.queue().ending = true;
        self.0.woken.notify_one();
        let empty = async {
            loop {
                let written = self.0.written.notified();
                if self.waiting() == 0 {
                    return;
                }
                written.await;
            }
        };
        if time::timeout(LAST, empty).await.is_err() {
            let lost = self.waiting();
            tracing::error!(lost, "entries of the audit could not be written before the end");
            return lost;
        }
        0
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn depth(&self) -> (usize, Duration) {
        (self.entries.len(), self.entries.front().map_or(Duration::ZERO, |(since, _)| since.elapsed()))
    }
}

/// Entries stay in the queue until they are written, so that the queue's bound is that of what can be lost.
async fn write(shared: Arc<Shared>, sidecar: Sidecar) {
    let mut failing = false;
    loop {
        let (age, waiting, ending) = {
            let queue = shared.queue();
            (queue.depth().1, queue.entries.len(), queue.ending)
        };
        if waiting == 0 {
            shared.woken.notified().await;
            continue;
        }
        if !ending && waiting < MOST && age < LINGER {
            // Woken once more by the next entry, or by the end.
            let _ = time::timeout(LINGER.saturating_sub(age), shared.woken.notified()).await;
            continue;
        }
        let batch: Vec<_> = shared.queue().entries.iter().take(MOST).map(|(_, entry)| entry.clone()).collect();
        match append(&sidecar, &batch).await {
            Ok(()) => {
                shared.queue().entries.drain(..batch.len());
                shared.written.notify_waiters();
                if mem::replace(&mut failing, false) {
                    tracing::info!("the audit is written again");
                }
            }
            Err(failure) => {
                if !mem::replace(&mut failing, true) {
                    tracing::warn!(error = %failure, "the audit cannot be written");
                }
                time::sleep(AGAIN).await;
            }
        }
    }
}

/// Writes a batch. A repetition does no harm: an entry that comes twice is sealed once.
async fn append(sidecar: &Sidecar, batch: &[Box<RawValue>]) -> Result<(), Failure> {
    let Err(failure) = sidecar.exec("audit_append", &json!({ "entries": batch })).await else { return Ok(()) };
    if !is_permanent(&failure) {
        return Err(failure);
    }
    // One of them is our mistake; its neighbours must not wait for it for ever.
    for entry in batch {
        match sidecar.exec("audit_append", &json!({ "entries": [entry] })).await {
            Err(failure) if is_permanent(&failure) => {
                tracing::error!(error = %failure, "an entry of the audit is malformed and was not written");
            }
            written => written?,
        }
    }
    Ok(())
}

fn is_permanent(failure: &Failure) -> bool {
    matches!(failure, Failure::Bug(_) | Failure::Constraint { .. })
}
