//! `patient.v1.Replay`

use contracts::patient::v1::{
    DigestLatestEventsRequest, DigestLatestEventsResponse, ListLatestEventsRequest, ListLatestEventsResponse,
    replay_server,
};
use problem::Problem;
use sidecar::replay::{DIGESTS, EVENTS, Told, WantedEvents};
use tonic::{Request, Response, Status};

use crate::outbound::replay::TELLING;

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
        let wanted = WantedEvents::read(TELLING, asked.topics, asked.cursor.as_deref(), asked.limit, EVENTS)?;
        let found = self.0.latest(&wanted).await.map_err(Problem::from)?;
        let events = found.events.iter().map(|event| event.get().to_owned()).collect();
        Ok(Response::new(ListLatestEventsResponse { events, next: found.next.map(|next| next.to_string()) }))
    }

    async fn digest_latest_events(
        &self,
        request: Request<DigestLatestEventsRequest>,
    ) -> Result<Response<DigestLatestEventsResponse>, Status> {
        let asked = request.into_inner();
        let wanted = WantedEvents::read(TELLING, asked.topics, asked.cursor.as_deref(), asked.limit, DIGESTS)?;
        let found = self.0.digest(&wanted).await.map_err(Problem::from)?;
        let next = found.next.map(|next| next.to_string());
        Ok(Response::new(DigestLatestEventsResponse { count: found.count, digest: found.digest, next }))
    }
}
