//! Events as their publishers make them.

use contracts::{
    billing::{
        account_id,
        v1::{Account, AccountOpened, AccountStatus},
    },
    patient::v1::{AdministrativeGender, PatientRegistered, PatientSnapshot, PatientUpdated},
    topic,
};
use jiff::Timestamp;
use sidecar::event::Event;
use testkit::{App, Parts, Result};
use uuid::Uuid;

/// A key, which decides the partition, and the bytes of an event.
pub(crate) type Message = (String, Vec<u8>);

/// A patient of the test's own.
pub(crate) fn patient(test: &str, number: usize) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{test} {number}").as_bytes())
}

/// What `patient` tells of one version.
pub(crate) fn snapshot(patient: Uuid, version: i64, registered: &str) -> PatientSnapshot {
    PatientSnapshot {
        patient_id: patient.to_string(),
        version,
        registered_time: Some(time(registered)),
        changed_time: Some(time("2026-11-23T12:00:00Z")),
        gender: AdministrativeGender::Female.into(),
        age_band: "40-49".to_owned(),
        active: version % 2 == 1,
    }
}

/// Version 1 is a registration, every other one an amendment.
pub(crate) fn message(snapshot: PatientSnapshot) -> Result<Message> {
    let id = Uuid::parse_str(&snapshot.patient_id)?;
    let (now, event_id) = (Timestamp::now(), Uuid::now_v7());
    let event = if snapshot.version == 1 {
        let message = PatientRegistered { patient: Some(snapshot) };
        Event::new(topic::PATIENT_REGISTERED, "patient", id, event_id, now, None, &message)
    } else {
        let message = PatientUpdated { patient: Some(snapshot) };
        Event::new(topic::PATIENT_UPDATED, "patient", id, event_id, now, None, &message)
    };
    bytes(&event?)
}

/// Publishes amendments before registrations, as no publisher would.
pub(crate) async fn publish(parts: &Parts, snapshots: impl IntoIterator<Item = PatientSnapshot>) -> Result {
    let (registered, updated): (Vec<_>, Vec<_>) = snapshots.into_iter().partition(|snapshot| snapshot.version == 1);
    for (topic, snapshots) in [(topic::PATIENT_UPDATED, updated), (topic::PATIENT_REGISTERED, registered)] {
        let messages = snapshots.into_iter().map(message).collect::<Result<Vec<_>>>()?;
        if !messages.is_empty() {
            parts.publish(App::Patient, topic, &messages).await?;
        }
    }
    Ok(())
}

/// Publishes that a patient's account was opened.
pub(crate) async fn publish_account(parts: &Parts, patient: Uuid, opened: &str) -> Result {
    let account = Account {
        account_id: account_id(patient).to_string(),
        patient_id: patient.to_string(),
        version: 1,
        status: AccountStatus::Active.into(),
        opened_time: Some(time(opened)),
    };
    let message = AccountOpened { account: Some(account) };
    let event = Event::new(
        topic::BILLING_ACCOUNT_OPENED,
        "billing",
        account_id(patient),
        Uuid::now_v7(),
        Timestamp::now(),
        None,
        &message,
    );
    parts.publish(App::Billing, topic::BILLING_ACCOUNT_OPENED, &[bytes(&event?)?]).await
}

fn bytes(event: &Event) -> Result<Message> {
    Ok((event.partition_key.clone(), serde_json::to_vec(&event.event)?))
}

fn time(time: &str) -> contracts::Timestamp {
    let time: Timestamp = time.parse().unwrap_or_default();
    contracts::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}
