//! Group commit: what several callers save at the same time is one transaction.
//!
//! A transaction's price is its call, its commit and its flush to the disk, far more than a document's. That all of a
//! group is stored or nothing asks more than its members need: one that the database refuses has undone the others,
//! and so each is tried alone.

use std::collections::HashMap;

use dapr::dapr::proto::{
    common::v1::{Etag, StateItem, StateOptions, state_options::StateConcurrency},
    runtime::v1::{ExecuteStateTransactionRequest, TransactionalStateOperation},
};
use futures::future::join_all;
use tokio::time;
use tonic::{Code, Request, Status};
use tracing::{Instrument as _, Span};

use crate::{STORE_DEADLINE, Sidecar, batch::Batcher, component, documents::Write, failure::Failure, outbox::Relay};

/// A larger group makes its first members wait for its last.
const LARGEST_GROUP: usize = 32;
/// Two groups at once could each wait for what the other has inserted; with one, company gathers while it is away.
const GROUPS_UNDER_WAY: usize = 1;

/// What one caller saves: all of it or nothing.
pub trait Change: Clone + Send + 'static {
    /// All that some changes write, in the order in which everybody writes: so that two transactions which meet wait for
    /// each other, and never in a circle.
    fn in_order(changes: Vec<Self>) -> Vec<Write>;
}

/// Documents that may be written in any order are written in that of their keys.
impl Change for Vec<Write> {
    fn in_order(changes: Vec<Self>) -> Vec<Write> {
        let mut writes = changes.concat();
        writes.sort_by(|a, b| a.key.cmp(&b.key));
        writes
    }
}

/// Commits changes and hands their events to the relay.
#[derive(Clone, Debug)]
pub(crate) struct Committer {
    sidecar: Sidecar,
    relay: Option<Relay>,
}

/// Commits changes in groups. With each waits the span that its call is part of.
#[derive(Debug)]
pub struct Groups<C> {
    batcher: Batcher<(Span, C), Result<(), Failure>>,
}

impl<C> Clone for Groups<C> {
    fn clone(&self) -> Self {
        Self { batcher: self.batcher.clone() }
    }
}

impl<C: Change> Groups<C> {
    pub(crate) fn spawn(committer: Committer) -> Self {
        let batcher = Batcher::spawn(LARGEST_GROUP, GROUPS_UNDER_WAY, move |changes: Vec<(Span, C)>| {
            let committer = committer.clone();
            let span = changes.first().map_or_else(Span::none, |(span, _)| span.clone());
            async move { committer.commit_all(changes).await }.instrument(span)
        });
        Self { batcher }
    }

    /// Commits a change, with others if there are any. Waiting for a group that hangs counts as hanging.
    pub async fn commit(&self, change: C) -> Result<(), Failure> {
        match time::timeout(STORE_DEADLINE, self.batcher.ask((Span::current(), change))).await {
            Ok(Some(committed)) => committed,
            Ok(None) => Err(Failure::of(Status::cancelled("the group did not come back"))),
            Err(elapsed) => Err(Failure::of(Status::deadline_exceeded(elapsed.to_string()))),
        }
    }
}

impl Committer {
    pub(crate) fn new(sidecar: Sidecar, relay: Option<Relay>) -> Self {
        Self { sidecar, relay }
    }

    async fn commit_all<C: Change>(&self, changes: Vec<(Span, C)>) -> Vec<Result<(), Failure>> {
        let changes: Vec<C> = changes.into_iter().map(|(_, change)| change).collect();
        if changes.len() == 1 {
            return vec![self.commit(changes).await];
        }
        match self.commit(changes.clone()).await {
            Ok(()) => changes.iter().map(|_| Ok(())).collect(),
            // It may have taken effect: only who asked knows how to find out.
            Err(Failure::Unknown(status)) if status.code() != Code::ResourceExhausted => {
                changes.iter().map(|_| Err(Failure::Unknown(status.clone()))).collect()
            }
            Err(_) => join_all(changes.into_iter().map(|change| self.commit(vec![change]))).await,
        }
    }

    /// All of it or nothing. The events leave at once when the broker is there, later when it is not.
    pub(crate) async fn commit<C: Change>(&self, changes: Vec<C>) -> Result<(), Failure> {
        self.commit_in_order(C::in_order(changes)).await
    }

    /// The same of what is in its order.
    pub(crate) async fn commit_in_order(&self, writes: Vec<Write>) -> Result<(), Failure> {
        let mut events = Vec::new();
        let operations = writes.into_iter().map(|write| {
            events.extend(write.events);
            operation(write.key, write.value, write.etag)
        });
        let mut request = Request::new(ExecuteStateTransactionRequest {
            store_name: component::STATESTORE.to_owned(),
            operations: operations.collect(),
            metadata: HashMap::new(),
        });
        request.set_timeout(STORE_DEADLINE);
        self.sidecar.grpc().execute_state_transaction(request).await?;
        if let Some(relay) = &self.relay {
            relay.send(events);
        }
        Ok(())
    }
}

fn operation(key: String, value: Vec<u8>, etag: Option<String>) -> TransactionalStateOperation {
    TransactionalStateOperation {
        operation_type: "upsert".to_owned(),
        request: Some(StateItem {
            key,
            value,
            etag: etag.map(|value| Etag { value }),
            // Without an ETag first-write means: only when the key is free.
            options: Some(StateOptions { concurrency: StateConcurrency::ConcurrencyFirstWrite.into(), consistency: 0 }),
            metadata: HashMap::new(),
        }),
    }
}
