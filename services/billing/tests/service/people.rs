//! Who patients are, in place of `patient`.

use contracts::patient::v1::{
    Address, GetDemographicsRequest, GetDemographicsResponse, HumanName, PatientDemographics, demographics_server,
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

pub(super) fn routes() -> axum::Router {
    Routes::new(demographics_server::DemographicsServer::new(People)).prepare().into_axum_router()
}
