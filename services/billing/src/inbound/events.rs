//! Events that this service acts on.

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    response::Response,
    routing::post,
};
use bytes::Bytes;
use contracts::patient::v1::{EncounterFinished, EncounterStatus, PatientRegistered, ServiceLine};
use jiff::{Timestamp, civil::Date};
use problem::Problem;
use sidecar::{documents::Documents, event::CloudEvent, subscription::deliver};
use uuid::Uuid;

use crate::{
    domain::{
        account::PatientId,
        fees::Code,
        ids::{ClinicId, EncounterId, PractitionerId},
    },
    service::{
        Books,
        draft::{Heard, NewLine},
        open_accounts::Opening,
    },
};

/// The routes that `dapr/subscriptions` names.
pub fn routes(books: Books, documents: Documents) -> Router {
    Router::new()
        .route("/events/patient.registered", post(patient_registered))
        .route("/events/encounter.finished", post(encounter_finished))
        // The broker bounds a message and the subscription their number: one that is refused for its size would come
        // again for ever.
        .layer(DefaultBodyLimit::disable())
        .with_state((books, documents))
}

async fn patient_registered(State((books, documents)): State<(Books, Documents)>, body: Bytes) -> Response {
    let now = Timestamp::now();
    let apply = |openings| async { books.open_accounts(openings, now).await.map(drop).map_err(Problem::from) };
    deliver(&documents, &body, now, opening, apply).await
}

/// Whoever is registered has an account, and their id is all that it takes.
pub(super) fn opening(event: &CloudEvent) -> Result<Opening, String> {
    let registered: PatientRegistered = event.message().map_err(|error| error.to_string())?;
    let patient = registered.patient.ok_or("the event has no patient")?;
    let patient_id = Uuid::parse_str(&patient.patient_id).map(PatientId).map_err(|_| "the patient's id is no UUID")?;
    Ok(Opening { patient_id, origin: event.origin() })
}

async fn encounter_finished(State((books, documents)): State<(Books, Documents)>, body: Bytes) -> Response {
    let now = Timestamp::now();
    let read = |event: &CloudEvent| heard(event, |moment| books.day(moment));
    let apply = |heard| async { books.hear(heard, now).await.map_err(Problem::from) };
    deliver(&documents, &body, now, read, apply).await
}

/// What is to be charged for an encounter; `day` tells the day of the books that a moment belongs to.
pub(super) fn heard(event: &CloudEvent, day: impl Fn(Timestamp) -> Date) -> Result<Heard, String> {
    let finished: EncounterFinished = event.message().map_err(|error| error.to_string())?;
    let encounter = finished.encounter.ok_or("the event has no encounter")?;
    let id = |text: &str, what: &str| Uuid::parse_str(text).map_err(|_| format!("the {what}'s id is no UUID"));
    let version = u64::try_from(encounter.version).map_err(|_| "the version is below nothing")?;
    let start = encounter.period_start.or(encounter.recorded_time).ok_or("the encounter has no time")?;
    let start = Timestamp::new(start.seconds, start.nanos).map_err(|_| "the time is none")?;
    let services = match encounter.status() {
        EncounterStatus::Finished => {
            let date = day(start);
            let lines = encounter.services.iter().map(|service| line(service, date));
            Some(lines.collect::<Result<_, _>>()?)
        }
        EncounterStatus::EnteredInError => None,
        status => return Err(format!("an encounter that is {} is not over", status.as_str_name())),
    };
    let practitioner = Some(encounter.practitioner_id.as_str()).filter(|id| !id.is_empty());
    let code = |code: &contracts::patient::v1::Code| Code { system: code.system.clone(), code: code.code.clone() };
    Ok(Heard {
        encounter_id: EncounterId(id(&encounter.encounter_id, "encounter")?),
        version,
        patient_id: PatientId(id(&encounter.patient_id, "patient")?),
        clinic_id: ClinicId(id(&encounter.clinic_id, "clinic")?),
        practitioner_id: practitioner.map(|text| id(text, "practitioner")).transpose()?.map(PractitionerId),
        diagnoses: encounter.diagnoses.iter().map(code).collect(),
        services,
        origin: event.origin(),
    })
}

fn line(service: &ServiceLine, date: Date) -> Result<NewLine, String> {
    let code = service.code.clone().ok_or("a service has no code")?;
    let count = |number: i32| u32::try_from(number).map_err(|_| "a number is below nothing".to_owned());
    Ok(NewLine {
        code: Code { system: code.system, code: code.code },
        modifiers: service.modifiers.clone(),
        text: None,
        date,
        units: count(service.units)?,
        unit_price: None,
        discount: None,
        tax: None,
        diagnoses: service.diagnoses.iter().map(|&place| count(place)).collect::<Result<_, _>>()?,
    })
}
