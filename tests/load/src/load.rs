//! The loops that send.
//!
//! They are our own, and the histogram is `hdrhistogram`'s: `docs/adr/0018-a-load-loop-of-our-own.md` says what was
//! looked at and why it does not do.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    client::{Answer, Client},
    tally::Tally,
};

/// Where the requests of a load come from.
pub trait Source: Send + Sync + 'static {
    /// The `n`-th request, counted from 0 over the whole life of the source.
    fn request(&self, client: &Client, n: u64) -> Result<Request<Full<Bytes>>>;
    /// How it is answered when all is well.
    fn expected(&self) -> StatusCode;
    /// Is told of each answer that is as it should be.
    fn answered(&self, _answer: &Answer) {}
}

/// A source, and how many requests it has given.
pub struct Numbered<S> {
    source: S,
    next: AtomicU64,
}

/// What a load came to.
#[derive(Debug)]
pub struct Loaded {
    /// Counts and latencies.
    pub tally: Tally,
    /// From the first request's beginning to the last one's end.
    pub elapsed: Duration,
}

impl<S: Source> Numbered<S> {
    /// A source that has given nothing yet.
    pub fn new(source: S) -> Arc<Self> {
        Arc::new(Self { source, next: AtomicU64::new(0) })
    }

    /// The source itself.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Sends the next request and waits for its answer; the latency counts from `due`.
    async fn send(&self, client: &Client, tally: impl FnOnce(Result<(), String>)) {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let sent = async { client.send(self.source.request(client, n)?).await };
        tally(match sent.await {
            Ok(answer) if answer.status == self.source.expected() => {
                self.source.answered(&answer);
                Ok(())
            }
            Ok(answer) => Err(answer.status.as_u16().to_string()),
            Err(error) => Err(error.root_cause().to_string()),
        });
    }
}

/// Closed loop: each of the connections sends its next request when the one before is answered.
///
/// A request that was begun in time is waited for.
pub async fn closed<S: Source>(
    client: &Client,
    source: &Arc<Numbered<S>>,
    connections: u32,
    time: Duration,
) -> Result<Loaded> {
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let (client, source, mut tally) = (client.clone(), Arc::clone(source), Tally::new()?);
        workers.spawn(async move {
            while begun.elapsed() < time {
                let sent = Instant::now();
                source.send(&client, |outcome| record(&mut tally, outcome, sent, begun)).await;
            }
            tally
        });
    }
    let mut tally = Tally::new()?;
    for worker in workers.join_all().await {
        tally.add(&worker)?;
    }
    Ok(Loaded { tally, elapsed: begun.elapsed() })
}

/// Open loop: requests are due at a fixed rate whether or not earlier ones were answered, and a latency counts from the
/// time that its request was due. The runtime's clock ticks in milliseconds, which is in the latency.
pub async fn open<S: Source>(
    client: &Client,
    source: &Arc<Numbered<S>>,
    per_second: u32,
    time: Duration,
) -> Result<Loaded> {
    let end = Instant::now() + time;
    open_while(client, source, per_second, |due| due < end).await
}

/// The same for as long as something is so of the time at which the next request is due.
pub async fn open_while<S: Source>(
    client: &Client,
    source: &Arc<Numbered<S>>,
    per_second: u32,
    goes_on: impl Fn(Instant) -> bool,
) -> Result<Loaded> {
    let begun = Instant::now();
    let tally = Arc::new(Mutex::new(Tally::new()?));
    let mut requests = JoinSet::new();
    for nth in 0.. {
        let due = begun + Duration::from_secs(1) * nth / per_second;
        if !goes_on(due) {
            break;
        }
        sleep_until(due).await;
        let (client, source, tally) = (client.clone(), Arc::clone(source), Arc::clone(&tally));
        requests.spawn(async move {
            let record = |outcome| {
                record(&mut tally.lock().unwrap_or_else(PoisonError::into_inner), outcome, due, begun);
            };
            source.send(&client, record).await;
        });
    }
    requests.join_all().await;
    let elapsed = begun.elapsed();
    let mut sum = Tally::new()?;
    sum.add(&tally.lock().unwrap_or_else(PoisonError::into_inner))?;
    Ok(Loaded { tally: sum, elapsed })
}

fn record(tally: &mut Tally, outcome: Result<(), String>, due: Instant, begun: Instant) {
    match outcome {
        Ok(()) => tally.success(due.elapsed(), begun.elapsed()),
        Err(what) => tally.error(what),
    }
}
