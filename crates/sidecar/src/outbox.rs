//! Events on their way to the broker.
//!
//! The trigger has put a change's events into the outbox by the time that the change is acknowledged, so none can be
//! lost. The [`Relay`] publishes them from memory, once; what it could not, for whatever reason, is the sweeper's.

use std::{collections::HashMap, time::Duration};

use dapr::dapr::proto::runtime::v1::{BulkPublishRequest, BulkPublishRequestEntry};
use serde_json::json;
use tokio::{sync::mpsc, time};
use tonic::Request;
use uuid::Uuid;

use crate::{Sidecar, component, event::Event, failure::Failure};

/// How many events the relay sends together.
const MOST: usize = 256;
/// How many events a sweep takes: a backlog is what it is for, and the more go at once the less each costs.
const SWEPT: usize = 1024;
/// How long the first of a batch waits for others. A call for ten events costs hardly more than one for a single event,
/// and nobody waits for an event.
const LINGER: Duration = Duration::from_millis(100);
/// How many wait in memory; beyond, they are left to the sweeper.
const QUEUE: usize = 8192;
const PUBLISH_DEADLINE: Duration = Duration::from_secs(5);
/// The relay has had its try by then, even against a broker that does not answer.
const SWEEP_OLDER_THAN: &str = "10 s";
const SWEEP_LEASE: &str = "30 s";
const SWEEP_INTERVAL: Duration = Duration::from_secs(3);

/// The way out for the events of saved changes.
#[derive(Clone, Debug)]
pub struct Relay {
    events: mpsc::Sender<Event>,
}

impl Relay {
    /// Starts the relay and the sweeper of a service that publishes.
    pub fn spawn(sidecar: &Sidecar, worker: Uuid) -> Self {
        let (events, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(relay(sidecar.clone(), waiting));
        tokio::spawn(sweep(sidecar.clone(), worker));
        Self { events }
    }

    /// Hands events over without waiting.
    pub(crate) fn send(&self, events: Vec<Event>) {
        for event in events {
            if self.events.try_send(event).is_err() {
                return;
            }
        }
    }
}

async fn relay(sidecar: Sidecar, mut waiting: mpsc::Receiver<Event>) {
    let mut batch = Vec::with_capacity(MOST);
    while waiting.recv_many(&mut batch, MOST).await > 0 {
        if batch.len() < MOST {
            time::sleep(LINGER).await;
            while batch.len() < MOST
                && let Ok(event) = waiting.try_recv()
            {
                batch.push(event);
            }
        }
        if let Err(failure) = publish_and_forget(&sidecar, std::mem::take(&mut batch)).await {
            tracing::warn!(error = %failure, "events are left to the sweeper");
        }
    }
}

async fn sweep(sidecar: Sidecar, worker: Uuid) {
    let mut tick = time::interval(SWEEP_INTERVAL);
    tick.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    let mut lanes = [Lane::new(worker), Lane::new(Uuid::now_v7())];
    loop {
        tick.tick().await;
        let [first, second] = &mut lanes;
        if first.sweep(&sidecar).await < SWEPT {
            continue;
        }
        // There is a backlog: while one waits for the broker, the other asks the database.
        futures::join!(first.drain(&sidecar), second.drain(&sidecar));
    }
}

/// A worker that claims, publishes and deletes.
struct Lane {
    worker: Uuid,
    /// Something that it claimed may still be in the outbox, since a call failed.
    holds: bool,
}

impl Lane {
    fn new(worker: Uuid) -> Self {
        Self { worker, holds: false }
    }

    /// Sends until there is hardly anything left, or the broker does not take it.
    async fn drain(&mut self, sidecar: &Sidecar) {
        while self.sweep(sidecar).await >= SWEPT {}
    }

    /// Sends what has waited too long; answers how much that was.
    async fn sweep(&mut self, sidecar: &Sidecar) -> usize {
        match self.try_sweep(sidecar).await {
            Ok(0) => 0,
            Ok(sent) => {
                tracing::info!(sent, "the sweeper sent events");
                sent
            }
            Err(failure) => {
                tracing::warn!(error = %failure, "the sweeper could not send");
                0
            }
        }
    }

    async fn try_sweep(&mut self, sidecar: &Sidecar) -> Result<usize, Failure> {
        // After a failure the same events are tried again: with a claim in each round there would be ever more, until
        // they are more than an answer may hold.
        if !std::mem::replace(&mut self.holds, true) {
            let (worker, limit) = (self.worker, SWEPT);
            let claim =
                json!({ "worker": worker, "limit": limit, "olderThan": SWEEP_OLDER_THAN, "lease": SWEEP_LEASE });
            sidecar.exec("outbox_claim", &claim).await?;
        }
        let events: Vec<Event> = sidecar.query("outbox_claimed", &json!({ "worker": self.worker })).await?;
        let claimed = events.len();
        if claimed > 0 {
            publish_and_forget(sidecar, events).await?;
        }
        self.holds = false;
        Ok(claimed)
    }
}

/// Publishes, then takes what the broker has out of the outbox: a crash between the two sends it again.
async fn publish_and_forget(sidecar: &Sidecar, events: Vec<Event>) -> Result<(), Failure> {
    let mut topics: HashMap<String, Vec<Event>> = HashMap::new();
    for event in events {
        topics.entry(event.topic.clone()).or_default().push(event);
    }
    let topics = topics.into_iter().map(|(topic, events)| publish(sidecar, topic, events));
    let mut sent = Vec::new();
    let mut failure = None;
    for published in futures::future::join_all(topics).await {
        match published {
            Ok(ids) => sent.extend(ids),
            Err(failed) => failure = Some(failed),
        }
    }
    if !sent.is_empty() {
        sidecar.exec("outbox_delete", &json!({ "ids": sent })).await?;
    }
    failure.map_or(Ok(()), Err)
}

/// Publishes to one topic; answers the ids of the events that the broker has.
async fn publish(sidecar: &Sidecar, topic: String, events: Vec<Event>) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::with_capacity(events.len());
    let mut entries = Vec::with_capacity(events.len());
    for Event { partition_key, event, .. } in events {
        entries.push(BulkPublishRequestEntry {
            entry_id: event.id.clone(),
            event: serde_json::to_vec(&event).map_err(|error| Failure::Bug(error.to_string()))?,
            content_type: "application/cloudevents+json".to_owned(),
            metadata: HashMap::from([("partitionKey".to_owned(), partition_key)]),
        });
        ids.push(event.id);
    }
    let mut request = Request::new(BulkPublishRequest {
        pubsub_name: component::PUBSUB.to_owned(),
        topic,
        entries,
        // The entries are CloudEvents already: the sidecar passes them on as they are, their trace included.
        metadata: HashMap::from([("rawPayload".to_owned(), "true".to_owned())]),
    });
    request.set_timeout(PUBLISH_DEADLINE);
    let failed = sidecar.grpc().bulk_publish_event(request).await?.into_inner().failed_entries;
    ids.retain(|id| failed.iter().all(|entry| &entry.entry_id != id));
    Ok(ids)
}
