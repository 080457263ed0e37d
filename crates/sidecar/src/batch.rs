//! One call for what several callers ask at the same time.

use std::{future::Future, sync::Arc};

use tokio::sync::{Semaphore, mpsc, oneshot};

/// Gathers questions while earlier ones are under way and asks them together.
///
/// Nobody waits for company: a question that finds a free place leaves at once, so one caller alone loses nothing,
/// and the batches grow with the load.
#[derive(Debug)]
pub struct Batcher<Q, A> {
    questions: mpsc::Sender<(Q, oneshot::Sender<A>)>,
}

impl<Q, A> Clone for Batcher<Q, A> {
    fn clone(&self) -> Self {
        Self { questions: self.questions.clone() }
    }
}

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// Starts a batcher whose `ask` answers as many answers as it got questions, in their order.
    ///
    /// At most `most` questions go into a batch and `under_way` batches are out at once.
    pub fn spawn<F, Fut>(most: usize, under_way: usize, ask: F) -> Self
    where
        F: Fn(Vec<Q>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<A>> + Send + 'static,
    {
        let (questions, mut waiting) = mpsc::channel::<(Q, oneshot::Sender<A>)>(most * 16);
        let ask = Arc::new(ask);
        let places = Arc::new(Semaphore::new(under_way));
        tokio::spawn(async move {
            loop {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                let mut batch = Vec::new();
                if waiting.recv_many(&mut batch, most).await == 0 {
                    return;
                }
                // Who has stopped waiting has no use for an answer.
                batch.retain(|(_, caller)| !caller.is_closed());
                let (batch, callers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
                let ask = Arc::clone(&ask);
                tokio::spawn(async move {
                    if !batch.is_empty() {
                        for (caller, answer) in callers.into_iter().zip(ask(batch).await) {
                            let _ = caller.send(answer);
                        }
                    }
                    drop(place);
                });
            }
        });
        Self { questions }
    }

    /// Asks; none when the batch did not come back.
    pub async fn ask(&self, question: Q) -> Option<A> {
        let (caller, answer) = oneshot::channel();
        self.questions.send((question, caller)).await.ok()?;
        answer.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use super::*;

    #[tokio::test]
    async fn questions_that_wait_are_asked_together() {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&sizes);
        let batcher = Batcher::spawn(3, 1, move |batch: Vec<u32>| {
            seen.lock().unwrap().push(batch.len());
            async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                batch.into_iter().map(|n| n * 2).collect()
            }
        });
        let answers = futures::future::join_all((0..8).map(|n| batcher.ask(n))).await;
        assert_eq!(answers, (0..8).map(|n| Some(n * 2)).collect::<Vec<_>>());
        let sizes = sizes.lock().unwrap();
        assert_eq!(sizes.iter().sum::<usize>(), 8);
        assert!(sizes.len() <= 4 && sizes.iter().all(|&size| size <= 3), "{sizes:?}");
    }

    #[tokio::test]
    async fn who_stopped_waiting_is_not_asked_for() {
        let batcher = Batcher::spawn(8, 1, |batch: Vec<u32>| async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_ne!(batch, [2]);
            batch
        });
        let first = batcher.clone();
        let first = tokio::spawn(async move { first.ask(1).await });
        tokio::task::yield_now().await;
        assert!(tokio::time::timeout(Duration::from_millis(5), batcher.ask(2)).await.is_err());
        assert_eq!(first.await.unwrap(), Some(1));
        assert_eq!(batcher.ask(3).await, Some(3));
    }
}
