//! `billing.v1.Replay`

use contracts::billing::v1::{
    DigestLatestEventsRequest, DigestLatestEventsResponse, ListLatestEventsRequest, ListLatestEventsResponse,
    replay_server,
};
use problem::{Problem, input::Findings};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::outbound::told::{TELLING, Told, WantedEvents};

/// How many things a page looks at: usually, and at most.
struct Size {
    usual: i32,
    most: i32,
}

const EVENTS: Size = Size { usual: 200, most: 500 };
const DIGESTS: Size = Size { usual: 2_000, most: 5_000 };

/// The service `billing.v1.Replay`. Its answers name nobody, and it is asked by apps alone, so that nothing of it is in
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
        let wanted = wanted(asked.topics, asked.cursor.as_deref(), asked.limit, &EVENTS)?;
        let found = self.0.latest(&wanted).await.map_err(Problem::from)?;
        let events = found.events.iter().map(|event| event.get().to_owned()).collect();
        Ok(Response::new(ListLatestEventsResponse { events, next: found.next.map(|next| next.to_string()) }))
    }

    async fn digest_latest_events(
        &self,
        request: Request<DigestLatestEventsRequest>,
    ) -> Result<Response<DigestLatestEventsResponse>, Status> {
        let asked = request.into_inner();
        let wanted = wanted(asked.topics, asked.cursor.as_deref(), asked.limit, &DIGESTS)?;
        let found = self.0.digest(&wanted).await.map_err(Problem::from)?;
        let next = found.next.map(|next| next.to_string());
        Ok(Response::new(DigestLatestEventsResponse { count: found.count, digest: found.digest, next }))
    }
}

fn wanted(topics: Vec<String>, cursor: Option<&str>, limit: Option<i32>, size: &Size) -> Result<WantedEvents, Problem> {
    let mut findings = Findings::default();
    let tells = |known: &[&str]| !topics.is_empty() && topics.iter().all(|topic| known.contains(&topic.as_str()));
    let kind = TELLING.into_iter().find(|(_, known)| tells(known)).map(|(kind, _)| kind);
    if kind.is_none() {
        let known: Vec<_> = TELLING.iter().map(|(_, known)| known.join(", ")).collect();
        findings.add("topics", format!("must be some of one of these: {}", known.join("; ")));
    }
    let after = cursor.map(Uuid::parse_str).transpose();
    if after.is_err() {
        findings.add("cursor", "is not the `next` of a page");
    }
    let limit = limit.unwrap_or(size.usual);
    let limit = usize::try_from(limit).ok().filter(|_| (1..=size.most).contains(&limit));
    if limit.is_none() {
        findings.add("limit", format!("must be from 1 to {}", size.most));
    }
    let whole = (|| Some(WantedEvents { kind: kind?, topics, after: after.ok()?, limit: limit? }))();
    findings.into_result(whole)
}
