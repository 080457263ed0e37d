//! Queues in which those wait who want the same: the money of one patient, or the numbers of one series.

use std::{array, future::Future, sync::Arc};

use sidecar::batch::Batcher;
use uuid::Uuid;

/// So many that two rarely share one.
const QUEUES: usize = 64;
/// What is done in one turn.
const MOST: usize = 64;

/// A queue for each, more or less. What waits in one is done together in the next turn.
#[derive(Clone, Debug)]
pub(super) struct Turns<Q, A>(Arc<[Batcher<Q, A>; QUEUES]>);

impl<Q: Send + 'static, A: Send + 'static> Turns<Q, A> {
    /// Queues whose turns are taken by `take`, which answers in the order in which it was asked.
    pub(super) fn spawn<F, Fut>(take: F) -> Self
    where
        F: Fn(Vec<Q>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Vec<A>> + Send + 'static,
    {
        Self(Arc::new(array::from_fn(|_| Batcher::spawn(MOST, 1, take.clone()))))
    }

    /// The queue of what has this id.
    pub(super) fn of(&self, id: Uuid) -> &Batcher<Q, A> {
        // The last bytes of an id are random or a hash.
        let [.., last] = id.into_bytes();
        &self.0[usize::from(last) % QUEUES]
    }
}
