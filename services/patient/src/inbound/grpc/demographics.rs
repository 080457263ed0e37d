//! `patient.v1.Demographics`

use std::sync::Arc;

use access::{
    AccessTokens, Allowed, Caller,
    matrix::{MatrixError, allowed_to},
};
use audit::{Action, Entry, Outcome, Recorder};
use contracts::patient::v1::{
    self as wire, GetDemographicsRequest, GetDemographicsResponse, PatientDemographics, demographics_server,
};
use problem::{Kind, Problem};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    APP_ID,
    domain::{
        demographics::{Address, HumanName},
        patient::PatientId,
    },
    outbound::patients::{Versioned, gender},
    service::Registry,
};

/// The service `patient.v1.Demographics`.
#[derive(Debug)]
pub struct Demographics {
    registry: Arc<Registry>,
    tokens: Arc<AccessTokens>,
    recorder: Recorder,
    readers: &'static Allowed,
}

impl Demographics {
    /// The service on this register; whoever asks is told to the recorder.
    pub fn new(registry: Arc<Registry>, tokens: Arc<AccessTokens>, recorder: Recorder) -> Result<Self, MatrixError> {
        let readers = allowed_to(APP_ID, "patient.v1.Demographics/GetDemographics")?;
        Ok(Self { registry, tokens, recorder, readers })
    }

    async fn find(&self, caller: &Caller, id: Option<PatientId>) -> Result<Versioned, Problem> {
        self.readers.admit(caller)?;
        let none = || Problem::new(Kind::NotFound, "There is no such patient.");
        self.registry.find(id.ok_or_else(none)?).await?.ok_or_else(none)
    }

    /// What [`audit::watch`] does for the routes: nobody is shown anything without a trace, and who is refused for their
    /// role leaves one, too.
    fn record(
        &self,
        caller: &Caller,
        id: Option<PatientId>,
        found: &Result<Versioned, Problem>,
    ) -> Result<(), Problem> {
        let outcome = match found.as_ref().map_err(|problem| problem.kind) {
            Ok(_) => Outcome::Success,
            Err(Kind::Forbidden) => Outcome::SeriousFailure,
            Err(Kind::NotFound) => Outcome::MinorFailure,
            // That we failed shows nobody anything.
            Err(_) => return Ok(()),
        };
        let entry = Entry::new(Action::Read, "read").by(caller).ended(outcome);
        let entry = match id {
            Some(id) => entry.about("patient", id).of_patient(id.as_uuid()),
            None => entry.about_all("patient"),
        };
        let entry = found.iter().fold(entry, |entry, found| entry.version(found.version));
        match self.recorder.record(&entry) {
            Err(problem) if outcome == Outcome::SeriousFailure => {
                tracing::error!(%problem, "a refusal is not in the audit");
                Ok(())
            }
            recorded => recorded,
        }
    }
}

#[tonic::async_trait]
impl demographics_server::Demographics for Demographics {
    async fn get_demographics(
        &self,
        request: Request<GetDemographicsRequest>,
    ) -> Result<Response<GetDemographicsResponse>, Status> {
        let caller = Caller::of_metadata(&self.tokens, request.metadata())?;
        let id = Uuid::parse_str(&request.into_inner().patient_id).map(PatientId::new).ok();
        let found = self.find(&caller, id).await;
        self.record(&caller, id, &found)?;
        Ok(Response::new(GetDemographicsResponse { patient: Some(message(&found?)) }))
    }
}

fn message(Versioned { patient, version }: &Versioned) -> PatientDemographics {
    let person = &patient.demographics;
    PatientDemographics {
        patient_id: patient.id.to_string(),
        version: i64::try_from(*version).unwrap_or(i64::MAX),
        record_number: patient.mrn.to_string(),
        active: patient.active,
        name: person.identifying_name().map(name),
        birth_date: person.birth_date.map(|born| born.to_string()).unwrap_or_default(),
        gender: gender(person.gender).into(),
        billing_address: person.billing_address().map(address),
    }
}

fn name(name: &HumanName) -> wire::HumanName {
    wire::HumanName {
        prefix: name.prefix.clone(),
        given: name.given.clone(),
        family: name.family.clone().unwrap_or_default(),
        suffix: name.suffix.clone(),
    }
}

fn address(address: &Address) -> wire::Address {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    wire::Address {
        line: address.line.clone(),
        city: text(&address.city),
        state: text(&address.state),
        postal_code: text(&address.postal_code),
        country: text(&address.country),
    }
}
