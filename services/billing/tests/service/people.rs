//! Who patients are and what was told of them, in place of `patient`.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use contracts::{
    patient::v1::{
        Address, DigestLatestEventsRequest, DigestLatestEventsResponse, GetDemographicsRequest,
        GetDemographicsResponse, HumanName, ListLatestEventsRequest, ListLatestEventsResponse, PatientDemographics,
        demographics_server, replay_server,
    },
    topic,
};
use tonic::{Request, Response, Status, service::Routes};
use uuid::Uuid;

/// Nobody knows this one.
pub(super) const STRANGER: Uuid = Uuid::from_u128(0xdead);

struct People;

#[tonic::async_trait]
impl demographics_server::Demographics for People {
    async fn get_demographics(
        &self,
        request: Request<GetDemographicsRequest>,
    ) -> Result<Response<GetDemographicsResponse>, Status> {
        if request.metadata().get("authorization").is_none() {
            return Err(Status::unauthenticated("no token"));
        }
        let patient_id = request.into_inner().patient_id;
        if patient_id == STRANGER.to_string() {
            return Err(problem::Problem::new(problem::Kind::NotFound, "There is no such patient.").into());
        }
        let patient = PatientDemographics {
            patient_id,
            version: 3,
            record_number: "00000000018".to_owned(),
            active: true,
            name: Some(HumanName {
                prefix: vec!["Dr".to_owned()],
                given: vec!["Ada".to_owned()],
                family: "Okafor".to_owned(),
                suffix: Vec::new(),
            }),
            birth_date: "1984-02-11".to_owned(),
            billing_address: Some(Address { line: vec!["1 Bank Row".to_owned()], ..Address::default() }),
            ..PatientDemographics::default()
        };
        Ok(Response::new(GetDemographicsResponse { patient: Some(patient) }))
    }
}

/// What `patient` would have told, by topic.
static TOLD: Mutex<Vec<(&str, String)>> = Mutex::new(Vec::new());

/// How often everything was asked for.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// How often everything was asked for, by now.
pub(super) fn times_asked() -> usize {
    ASKED.load(Ordering::SeqCst)
}

/// From now on this was told, though nobody has heard it.
pub(super) fn has_told(topic: &'static str, event: &[u8]) {
    let event = String::from_utf8_lossy(event).into_owned();
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).push((topic, event));
}

#[tonic::async_trait]
impl replay_server::Replay for People {
    /// One event to a page, and none on the last.
    async fn list_latest_events(
        &self,
        request: Request<ListLatestEventsRequest>,
    ) -> Result<Response<ListLatestEventsResponse>, Status> {
        let asked = request.into_inner();
        let at: usize = asked.cursor.as_deref().map(str::parse).transpose().ok().flatten().unwrap_or_default();
        let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        let event = told.iter().filter(|(topic, _)| asked.topics == [*topic]).nth(at).map(|(_, event)| event.clone());
        let next = event.is_some().then(|| (at + 1).to_string());
        if next.is_none() && asked.topics == [topic::ENCOUNTER_FINISHED] {
            ASKED.fetch_add(1, Ordering::SeqCst);
        }
        Ok(Response::new(ListLatestEventsResponse { events: event.into_iter().collect(), next }))
    }

    /// `billing` does not ask for it.
    async fn digest_latest_events(
        &self,
        _: Request<DigestLatestEventsRequest>,
    ) -> Result<Response<DigestLatestEventsResponse>, Status> {
        Err(Status::unimplemented("billing reads what was told"))
    }
}

pub(super) fn routes() -> axum::Router {
    Routes::new(demographics_server::DemographicsServer::new(People))
        .add_service(replay_server::ReplayServer::new(People))
        .prepare()
        .into_axum_router()
}
