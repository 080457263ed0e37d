//! What producers have told by events, asked of them.

use std::time::Duration;

use contracts::patient::v1::{ListLatestEventsRequest, replay_client::ReplayClient};
use problem::Problem;
use sidecar::{Sidecar, event::CloudEvent, invoke::AppChannel};
use tonic::Request;

/// A page is a few hundred documents, and nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// A page of what was told.
#[derive(Debug)]
pub struct Told {
    /// The latest event of each thing; those that cannot be read are missing.
    pub events: Vec<CloudEvent>,
    /// How many could not be read.
    pub unreadable: usize,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// What `patient` has told.
#[derive(Clone, Debug)]
pub struct Patient {
    client: ReplayClient<AppChannel>,
}

impl Patient {
    /// The app `patient`.
    pub fn new(sidecar: &Sidecar) -> Self {
        Self { client: ReplayClient::new(sidecar.app("patient")) }
    }

    /// A page of the latest events of a topic.
    pub async fn latest(&self, topic: &str, cursor: Option<String>) -> Result<Told, Problem> {
        let mut request = Request::new(ListLatestEventsRequest { topics: vec![topic.to_owned()], cursor, limit: None });
        request.set_timeout(PATIENCE);
        let asked = tokio::time::timeout(PATIENCE, self.client.clone().list_latest_events(request)).await;
        let answer = asked.map_err(Problem::unavailable)?.map_err(Problem::unavailable)?.into_inner();
        let count = answer.events.len();
        let events: Vec<_> = answer.events.iter().filter_map(|event| serde_json::from_str(event).ok()).collect();
        Ok(Told { unreadable: count - events.len(), events, next: answer.next })
    }
}
