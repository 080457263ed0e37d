//! Events as their publishers make them.

use contracts::{
    billing::v1::{Account, AccountOpened, AccountStatus},
    patient::v1::{AdministrativeGender, PatientRegistered, PatientSnapshot, PatientUpdated},
    topic,
};
use jiff::Timestamp;
use sidecar::event::Event;
use testkit::{App, Parts, Result};
use uuid::Uuid;

/// A patient of a test's own.
pub fn patient(test: &str, number: u32) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{test} {number}").as_bytes())
}

fn time(time: &str) -> Option<contracts::Timestamp> {
    let time: Timestamp = time.parse().unwrap();
    Some(contracts::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() })
}

pub fn snapshot(patient: Uuid, version: i64, registered: &str) -> PatientSnapshot {
    PatientSnapshot {
        patient_id: patient.to_string(),
        version,
        registered_time: time(registered),
        changed_time: time("2026-11-23T12:00:00Z"),
        gender: AdministrativeGender::Female.into(),
        age_band: "40-49".to_owned(),
        active: version % 2 == 1,
    }
}

/// The key and the bytes of an event.
pub type Message = (String, Vec<u8>);

/// Version 1 is a registration, every other one an amendment.
pub fn told(snapshot: PatientSnapshot) -> (&'static str, Message) {
    let id = Uuid::parse_str(&snapshot.patient_id).unwrap();
    let now = Timestamp::now();
    let event = if snapshot.version == 1 {
        let message = PatientRegistered { patient: Some(snapshot) };
        Event::new(topic::PATIENT_REGISTERED, "patient", id, Uuid::now_v7(), now, None, &message)
    } else {
        let message = PatientUpdated { patient: Some(snapshot) };
        Event::new(topic::PATIENT_UPDATED, "patient", id, Uuid::now_v7(), now, None, &message)
    };
    let event = event.unwrap();
    let topic = if event.topic == topic::PATIENT_REGISTERED { topic::PATIENT_REGISTERED } else { topic::PATIENT_UPDATED };
    (topic, (event.partition_key, event.event.to_string().into_bytes()))
}

/// Publishes what `patient` tells.
pub async fn publish(parts: &Parts, snapshots: impl IntoIterator<Item = PatientSnapshot>) -> Result {
    let (mut registered, mut updated) = (Vec::new(), Vec::new());
    for (topic, message) in snapshots.into_iter().map(told) {
        if topic == topic::PATIENT_REGISTERED { registered.push(message) } else { updated.push(message) }
    }
    for (topic, messages) in [(topic::PATIENT_UPDATED, updated), (topic::PATIENT_REGISTERED, registered)] {
        if !messages.is_empty() {
            parts.publish(App::Patient, topic, &messages).await?;
        }
    }
    Ok(())
}
