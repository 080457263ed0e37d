use serde_json::{Value, json};

use super::*;
use crate::domain::fact::Gender;

const SOMEBODY: &str = "0190cafe-0000-7000-8000-000000000001";
const SOMETHING: &str = "0190cafe-0000-7000-8000-00000000000a";
const CLINIC: &str = "0190cafe-0000-7000-8000-00000000000c";

fn told(kind: &str, data: &Value) -> Result<Fact, Useless> {
    let event =
        serde_json::from_value(json!({ "specversion": "1.0", "id": "1", "source": "s", "type": kind, "data": data }));
    fact(&event.unwrap(), &"America/New_York".parse().unwrap())
}

/// What an event tells, as the database gets it.
fn row(kind: &str, data: &Value) -> Value {
    match told(kind, data).unwrap() {
        Fact::Patient(fact) => serde_json::to_value(fact),
        Fact::Account(fact) => serde_json::to_value(fact),
        Fact::Appointment(fact) => serde_json::to_value(fact),
        Fact::Encounter(fact) => serde_json::to_value(fact),
        Fact::Invoice(fact) => serde_json::to_value(fact),
        Fact::Payment(fact) => serde_json::to_value(fact),
        Fact::Claim(fact) => serde_json::to_value(fact),
        Fact::Entry(fact) => serde_json::to_value(fact),
    }
    .unwrap()
}

fn of_patient(member: &str, value: Value) -> Value {
    let mut data = json!({ "patient": {
        "patientId": SOMEBODY, "version": "2", "registeredTime": "2026-11-23T12:00:00.1234567Z",
        "changedTime": "2026-11-24T12:00:00Z", "gender": "ADMINISTRATIVE_GENDER_FEMALE", "ageBand": "40-49", "active": true,
    }});
    if !member.is_empty() {
        data["patient"][member] = value;
    }
    data
}

#[test]
fn every_event_of_a_patient_tells_the_same_fact() {
    let data = of_patient("", Value::Null);
    let fact = told("patient.v1.PatientRegistered", &data).unwrap();
    assert_eq!(told("patient.v1.PatientUpdated", &data).unwrap(), fact);
    let Fact::Patient(patient) = fact else { panic!("another fact") };
    assert_eq!(patient.registered_at.time().to_string(), "2026-11-23T12:00:00.123456Z");
    assert_eq!((patient.gender, patient.version.number()), (Some(Gender::Female), 2));
    assert!(patient.active && patient.age_band.is_some());
}

#[test]
fn what_is_not_known_is_none() {
    for (member, value) in [("ageBand", json!("")), ("gender", json!("ADMINISTRATIVE_GENDER_UNSPECIFIED"))] {
        let row = row("patient.v1.PatientRegistered", &of_patient(member, value));
        assert!(row["age_band"].is_null() || row["gender"].is_null(), "{member} {row}");
    }
}

#[test]
fn an_event_that_can_never_be_counted_is_told_apart() {
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
        let told = told("patient.v1.PatientRegistered", &of_patient(member, value.clone()));
        assert!(told.is_err(), "{member} {value} {told:?}");
    }
    assert!(told("patient.v1.PatientRegistered", &json!({})).is_err());
    assert!(told("patient.v1.PatientRegistered", &json!("text")).is_err());
    let unknown = told("patient.v1.PatientVanished", &of_patient("", Value::Null));
    assert!(matches!(unknown, Err(Useless::Undecodable(_))), "{unknown:?}");
}

#[test]
fn an_appointment_is_a_fact_with_its_own_zone() {
    let snapshot = json!({
        "appointmentId": SOMETHING, "version": "3", "status": "fulfilled", "patientId": SOMEBODY, "serviceId": SOMETHING,
        "clinicId": CLINIC, "timeZone": "Europe/Berlin", "startTime": "2026-11-23T12:00:00Z", "endTime": "2026-11-23T12:30:00Z",
        "reschedules": 1, "createdTime": "2026-11-01T12:00:00Z", "changedTime": "2026-11-23T12:20:00Z",
        "bookedTime": "2026-11-01T12:00:00Z", "checkedInTime": "2026-11-23T11:50:00Z",
    });
    let of = |member: &str, value: Value| {
        let mut snapshot = snapshot.clone();
        snapshot[member] = value;
        json!({ "appointment": snapshot })
    };
    let told_fact = row("patient.v1.AppointmentChanged", &of("version", "3".into()));
    assert_eq!(
        told_fact,
        json!({
            "id": SOMETHING, "version": 3, "time_zone": "Europe/Berlin", "clinic_id": CLINIC, "practitioner_id": null,
            "service_id": SOMETHING, "status": "fulfilled", "created_at": "2026-11-01T12:00:00Z",
            "booked_at": "2026-11-01T12:00:00Z", "start_at": "2026-11-23T12:00:00Z", "end_at": "2026-11-23T12:30:00Z",
            "arrived_at": "2026-11-23T11:50:00Z", "started_at": null, "finished_at": null, "cancelled_late": false,
            "reschedules": 1, "waited": false,
        })
    );
    assert_eq!(row("patient.v1.AppointmentBooked", &of("version", "3".into())), told_fact);
    for (member, bad) in [("timeZone", "Nowhere/Atlantis"), ("clinicId", ""), ("status", "")] {
        assert!(told("patient.v1.AppointmentChanged", &of(member, bad.into())).is_err(), "{member}");
    }
}

#[test]
fn an_encounter_is_a_fact_with_what_was_done() {
    let snapshot = json!({ "encounter": {
        "encounterId": SOMETHING, "version": "2", "patientId": SOMEBODY, "clinicId": CLINIC, "status": "ENCOUNTER_STATUS_FINISHED",
        "periodStart": "2026-11-23T12:00:00Z", "services": [{"code": {"system": "s", "code": "99213"}, "units": 2}],
    }});
    let fact = row("patient.v1.EncounterFinished", &snapshot);
    assert_eq!(
        fact,
        json!({
            "id": SOMETHING, "version": 2, "time_zone": "America/New_York", "patient_id": SOMEBODY, "clinic_id": CLINIC,
            "practitioner_id": null, "walk_in": true, "finished": true, "started_at": "2026-11-23T12:00:00Z",
            "services": [{"code": "99213", "units": 2}],
        })
    );
    let mut in_error = snapshot;
    in_error["encounter"]["status"] = "ENCOUNTER_STATUS_ENTERED_IN_ERROR".into();
    assert_eq!(row("patient.v1.EncounterFinished", &in_error)["finished"], false);
}

#[test]
fn an_account_is_a_fact() {
    let account = json!({ "accountId": SOMETHING, "patientId": SOMEBODY, "version": "1", "status": "ACCOUNT_STATUS_ACTIVE",
                          "openedTime": "2026-11-23T12:00:00Z" });
    assert_eq!(row("billing.v1.AccountOpened", &json!({ "account": account }))["opened_at"], "2026-11-23T12:00:00Z");
    assert!(told("billing.v1.AccountOpened", &json!({ "account": { "version": "1" } })).is_err());
}

#[test]
fn a_payment_is_what_was_captured_and_not_given_back() {
    let payment = |status: &str| {
        let data = json!({ "payment": {
            "paymentId": SOMETHING, "version": "2", "patientId": SOMEBODY, "method": "PAYMENT_METHOD_CARD", "currencyCode": "EUR",
            "status": format!("PAYMENT_STATUS_{status}"), "amount": "500", "refunded": "200", "capturedTime": "2026-11-23T12:00:00Z",
        }});
        row("billing.v1.PaymentRecorded", &data)["amount"].clone()
    };
    assert_eq!(payment("PARTIALLY_REFUNDED"), 300);
    assert_eq!([payment("CHARGED_BACK"), payment("PENDING"), payment("VOIDED")], [json!(0), json!(0), json!(0)]);
}

#[test]
fn a_claim_tells_what_was_answered_first() {
    let mut data = json!({ "claim": {
        "claimId": SOMETHING, "version": "4", "patientId": SOMEBODY, "invoiceId": SOMETHING, "payerId": CLINIC, "currencyCode": "USD",
        "total": "1000", "paid": "600", "patient": "100", "submittedTime": "2026-11-23T12:00:00Z",
    }});
    let unanswered = row("billing.v1.ClaimChanged", &data);
    assert_eq!((&unanswered["answered_on"], &unanswered["allowed"]), (&Value::Null, &json!(700)));
    data["claim"]["firstAnswer"] = json!({ "date": "2026-11-30", "outcome": "CLAIM_OUTCOME_PARTIALLY_PAID", "firstPass": false,
                                           "billed": "1000", "paid": "600", "denied": "300" });
    let answered = row("billing.v1.ClaimChanged", &data);
    for (member, value) in [
        ("answered_on", json!("2026-11-30")),
        ("denied", json!(true)),
        ("first_pass", json!(false)),
        ("billed", json!(1000)),
        ("denied_amount", json!(300)),
    ] {
        assert_eq!(answered[member], value, "{member}");
    }
}

#[test]
fn an_act_of_the_journal_tells_its_moves() {
    let mut data = json!({ "entry": {
        "journalId": SOMETHING, "version": "1", "act": "payment-captured", "date": "2026-11-30", "currencyCode": "EUR",
        "moves": [{"debit": "LEDGER_ACCOUNT_UNAPPLIED", "credit": "LEDGER_ACCOUNT_PATIENT_RECEIVABLE", "amount": "700",
                   "clinicId": CLINIC, "services": [{"serviceCode": "99213", "amount": "700"}]}],
    }});
    assert_eq!(
        row("billing.v1.JournalPosted", &data),
        json!({
            "id": SOMETHING, "version": 1, "date": "2026-11-30", "currency": "EUR",
            "moves": [{"debit": "unapplied", "credit": "patient-receivable", "amount": 700, "clinic_id": CLINIC,
                       "practitioner_id": null, "payer_id": null, "services": [{"code": "99213", "amount": 700}]}],
        })
    );
    data["entry"]["moves"][0]["debit"] = "LEDGER_ACCOUNT_UNSPECIFIED".into();
    assert!(told("billing.v1.JournalPosted", &data).is_err());
}
