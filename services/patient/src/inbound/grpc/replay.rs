//! `patient.v1.Replay`

use contracts::{
    patient::v1::{ListLatestEventsRequest, ListLatestEventsResponse, replay_server},
    topic,
};
use problem::{Problem, input::Findings};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::outbound::replay::{Told, WantedEvents};

/// What may be asked for.
const TOPICS: [&str; 2] = [topic::PATIENT_REGISTERED, topic::ENCOUNTER_FINISHED];
const USUAL: i32 = 200;
const MOST: i32 = 500;

/// The service `patient.v1.Replay`. Its answers name nobody, and it is asked by apps alone, so that nothing of it is in
/// the audit.
#[derive(Debug)]
pub struct Replay(Told);

impl Replay {
    /// The service on what was told.
    pub fn new(told: Told) -> Self {
        Self(told)
    }
}

#[tonic::async_trait]
impl replay_server::Replay for Replay {
    async fn list_latest_events(
        &self,
        request: Request<ListLatestEventsRequest>,
    ) -> Result<Response<ListLatestEventsResponse>, Status> {
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let topic = TOPICS.into_iter().find(|topic| *topic == asked.topic);
        if topic.is_none() {
            findings.add("topic", format!("must be one of {}", TOPICS.join(", ")));
        }
        let after = asked.cursor.as_deref().map(Uuid::parse_str).transpose();
        if after.is_err() {
            findings.add("cursor", "is not the `next` of a page");
        }
        let limit = asked.limit.unwrap_or(USUAL);
        let limit = usize::try_from(limit).ok().filter(|_| (1..=MOST).contains(&limit));
        if limit.is_none() {
            findings.add("limit", format!("must be from 1 to {MOST}"));
        }
        let whole = (|| Some(WantedEvents { topic: topic?, after: after.ok()?, limit: limit? }))();
        let wanted = findings.into_result(whole)?;
        let found = self.0.latest(&wanted).await.map_err(Problem::from)?;
        let events = found.events.iter().map(|event| event.get().to_owned()).collect();
        Ok(Response::new(ListLatestEventsResponse { events, next: found.last.map(|last| last.to_string()) }))
    }
}
