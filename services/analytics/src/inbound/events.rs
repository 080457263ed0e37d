//! Events that facts are made of.

use std::fmt::Display;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    response::Response,
    routing::post,
};
use contracts::{
    billing::v1::AccountOpened,
    patient::v1::{AdministrativeGender, PatientRegistered, PatientSnapshot, PatientUpdated},
};
use jiff::Timestamp;
use problem::Problem;
use sidecar::{
    documents::Documents,
    event::{CloudEvent, Undecodable},
    subscription::deliver,
};
use uuid::Uuid;

use crate::{
    domain::fact::{AccountFact, AgeBand, Fact, Gender, Moment, PatientFact, Unfit, Version},
    service::Figures,
};

type Parts = State<(Figures, Documents)>;

/// The routes that `dapr/subscriptions` names.
pub fn routes(figures: Figures, documents: Documents) -> Router {
    Router::new()
        .route(
            "/events/patient.registered",
            post(async |parts: Parts, body: Bytes| take(parts, body, registered).await),
        )
        .route("/events/patient.updated", post(async |parts: Parts, body: Bytes| take(parts, body, updated).await))
        .route(
            "/events/billing.account.opened",
            post(async |parts: Parts, body: Bytes| take(parts, body, opened).await),
        )
        // The broker bounds a message and the subscription their number; one that were refused for its size would
        // come again for ever.
        .layer(DefaultBodyLimit::disable())
        .with_state((figures, documents))
}

async fn take<E: Display>(
    State((figures, documents)): Parts,
    body: Bytes,
    decode: impl Fn(&CloudEvent) -> Result<Fact, E>,
) -> Response {
    let apply = async |facts: Vec<Fact>| figures.ingest(&facts).await.map_err(Problem::from);
    deliver(&documents, &body, Timestamp::now(), decode, apply).await
}

/// Why an event can never be counted.
#[derive(Debug, thiserror::Error)]
enum Useless {
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("it tells of nothing")]
    Empty,
    #[error("an id is no UUID")]
    Id(#[from] uuid::Error),
}

fn registered(event: &CloudEvent) -> Result<Fact, Useless> {
    patient(event.message::<PatientRegistered>()?.patient)
}

fn updated(event: &CloudEvent) -> Result<Fact, Useless> {
    patient(event.message::<PatientUpdated>()?.patient)
}

fn opened(event: &CloudEvent) -> Result<Fact, Useless> {
    let account = event.message::<AccountOpened>()?.account.ok_or(Useless::Empty)?;
    Ok(Fact::Account(AccountFact {
        id: Uuid::parse_str(&account.account_id)?,
        patient_id: Uuid::parse_str(&account.patient_id)?,
        version: Version::parse(account.version)?,
        opened_at: moment(account.opened_time)?,
    }))
}

/// Every event of a patient carries the same snapshot, so any of them can be the first.
fn patient(snapshot: Option<PatientSnapshot>) -> Result<Fact, Useless> {
    let snapshot = snapshot.ok_or(Useless::Empty)?;
    let gender = match snapshot.gender() {
        AdministrativeGender::Unspecified => None,
        AdministrativeGender::Male => Some(Gender::Male),
        AdministrativeGender::Female => Some(Gender::Female),
        AdministrativeGender::Other => Some(Gender::Other),
        AdministrativeGender::Unknown => Some(Gender::Unknown),
    };
    let age_band = Some(snapshot.age_band.as_str()).filter(|band| !band.is_empty());
    Ok(Fact::Patient(PatientFact {
        id: Uuid::parse_str(&snapshot.patient_id)?,
        version: Version::parse(snapshot.version)?,
        registered_at: moment(snapshot.registered_time)?,
        changed_at: moment(snapshot.changed_time)?,
        gender,
        age_band: age_band.map(AgeBand::parse).transpose()?,
        active: snapshot.active,
    }))
}

fn moment(time: Option<contracts::Timestamp>) -> Result<Moment, Unfit> {
    let time = time.ok_or(Unfit::Moment)?;
    Moment::parse(time.seconds, time.nanos)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(kind: &str, data: &Value) -> CloudEvent {
        serde_json::from_value(
            json!({ "specversion": "1.0", "id": "1", "source": "patient", "type": kind, "data": data }),
        )
        .unwrap()
    }

    fn snapshot(member: &str, value: Value) -> Value {
        let mut data = json!({ "patient": {
            "patientId": "0190cafe-0000-7000-8000-000000000001",
            "version": "2",
            "registeredTime": "2026-11-23T12:00:00.1234567Z",
            "changedTime": "2026-11-24T12:00:00Z",
            "gender": "ADMINISTRATIVE_GENDER_FEMALE",
            "ageBand": "40-49",
            "active": true,
        }});
        if !member.is_empty() {
            data["patient"][member] = value;
        }
        data
    }

    #[test]
    fn every_event_of_a_patient_tells_the_same_fact() {
        let data = snapshot("", Value::Null);
        let told = registered(&event("patient.v1.PatientRegistered", &data)).unwrap();
        assert_eq!(updated(&event("patient.v1.PatientUpdated", &data)).unwrap(), told);
        let Fact::Patient(patient) = told else { panic!("another fact") };
        assert_eq!(patient.registered_at.time().to_string(), "2026-11-23T12:00:00.123456Z");
        assert_eq!((patient.gender, patient.version.number()), (Some(Gender::Female), 2));
        assert!(patient.active && patient.age_band.is_some());
    }

    #[test]
    fn what_is_not_known_is_none() {
        let data = snapshot("ageBand", "".into());
        let Ok(Fact::Patient(patient)) = registered(&event("patient.v1.PatientRegistered", &data)) else {
            panic!("no fact")
        };
        assert_eq!(patient.age_band, None);
        let data = snapshot("gender", "ADMINISTRATIVE_GENDER_UNSPECIFIED".into());
        let Ok(Fact::Patient(patient)) = registered(&event("patient.v1.PatientRegistered", &data)) else {
            panic!("no fact")
        };
        assert_eq!(patient.gender, None);
    }

    #[test]
    fn an_event_that_can_never_be_counted_is_told_apart() {
        let kind = "patient.v1.PatientRegistered";
        for (member, value) in [
            ("patientId", "Ada".into()),
            ("patientId", Value::Null),
            ("version", "0".into()),
            ("version", "one".into()),
            ("registeredTime", Value::Null),
            ("registeredTime", "0001-01-01T00:00:00Z".into()),
            ("changedTime", "tomorrow".into()),
            ("gender", "F".into()),
            ("ageBand", "1984-02-11".into()),
            ("active", "yes".into()),
        ] {
            let told = registered(&event(kind, &snapshot(member, value.clone())));
            assert!(told.is_err(), "{member} {value} {told:?}");
        }
        assert!(registered(&event(kind, &json!({}))).is_err());
        assert!(registered(&event(kind, &json!("text"))).is_err());
        assert!(matches!(
            registered(&event("patient.v1.PatientUpdated", &snapshot("", Value::Null))),
            Err(Useless::Undecodable(_))
        ));
    }

    #[test]
    fn an_account_is_a_fact() {
        let account = json!({
            "accountId": "0190cafe-0000-7000-8000-00000000000a",
            "patientId": "0190cafe-0000-7000-8000-000000000001",
            "version": "1",
            "status": "ACCOUNT_STATUS_ACTIVE",
            "openedTime": "2026-11-23T12:00:00Z",
        });
        let told = opened(&event("billing.v1.AccountOpened", &json!({ "account": account }))).unwrap();
        let Fact::Account(account) = told else { panic!("another fact") };
        assert_eq!(account.opened_at.time().to_string(), "2026-11-23T12:00:00Z");
        assert!(opened(&event("billing.v1.AccountOpened", &json!({ "account": { "version": "1" } }))).is_err());
    }
}
