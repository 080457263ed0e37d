//! Patients in bulk, past the services: the documents that `patient` would have written, and the rows that the trigger
//! would have made of them.
//!
//! Documents, names and keys are made by the service's own code. The triggers are off for the session that loads, so
//! nothing is sent: who was loaded has no account and is no fact of analytics, unless it is said so here.

use std::{collections::HashSet, fmt::Write as _};

use anyhow::{Context as _, Result};
use contracts::{
    billing::{account_id, v1::AccountOpened},
    patient::v1::{PatientRegistered, PatientSnapshot},
    topic,
};
use jiff::Timestamp;
use local::App;
use patient::{
    domain::{identity::SearchKeys, mrn::Mrn, patient::PatientId},
    fhir,
};
use problem::input::{self, Findings};
use serde_json::{Map, Value, json};
use sidecar::event::Event;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::{person::People, rig::Rig};

/// How many go in at once.
const BATCH: u64 = 20_000;
const TABLES: [(&str, &str); 3] = [
    ("state.state", "key, value"),
    ("projection.patients", "patient_id, mrn, active, family, given, birth_date, gender, identity, registered_at"),
    ("projection.patient_terms", "kind, term, patient_id"),
];

/// The `n`-th of the people that are loaded.
pub(crate) fn id(n: u64) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("loaded/{n}").as_bytes())
}

/// Loads the people from `from` on, up to `to`.
pub(super) async fn load(rig: &Rig, people: People, from: u64, to: u64) -> Result<()> {
    let mut connection = silent(rig, App::Patient).await?;
    let drawn = "select mrn from projection.patients";
    let mut mrns: HashSet<String> = sqlx::query_scalar(drawn).fetch_all(&mut connection).await?.into_iter().collect();
    let mut next = from;
    while next < to {
        let last = to.min(next + BATCH);
        let mut rows = [String::new(), String::new(), String::new()];
        for n in next..last {
            write(&mut rows, people, n, &mut mrns)?;
        }
        for ((table, columns), rows) in TABLES.iter().zip(rows) {
            copy(&mut connection, table, columns, rows).await?;
        }
        next = last;
    }
    for (table, _) in TABLES {
        sqlx::raw_sql(AssertSqlSafe(format!("vacuum (analyze) {table}"))).execute(&mut connection).await?;
    }
    // What was written is on its way to the disk; better now than during a measurement.
    sqlx::raw_sql("checkpoint").execute(&mut connection).await?;
    Ok(())
}

/// A connection whose writes wake no trigger.
pub(crate) async fn silent(rig: &Rig, app: App) -> Result<PgConnection> {
    let mut connection = rig.database(app).await?;
    sqlx::raw_sql("set session_replication_role = replica").execute(&mut connection).await?;
    Ok(connection)
}

pub(crate) async fn copy(connection: &mut PgConnection, table: &str, columns: &str, rows: String) -> Result<()> {
    let mut copy = connection.copy_in_raw(&format!("copy {table} ({columns}) from stdin")).await?;
    copy.send(rows.into_bytes()).await?;
    copy.finish().await.with_context(|| format!("loading {table}"))?;
    Ok(())
}

/// A document as a `bytea`.
pub(super) fn bytea(document: &Value) -> String {
    let text = document.to_string();
    let mut hex = String::with_capacity(4 + 2 * text.len());
    hex.push_str("\\\\x");
    for byte in text.bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn write(rows: &mut [String; 3], people: People, n: u64, mrns: &mut HashSet<String>) -> Result<()> {
    let id = id(n);
    let mut body = input::body(&people.body(n)).context("a body that is no JSON")?;
    let person = fhir::read(&mut body, &mut Findings::default());
    let keys = SearchKeys::of(&person);
    let mrn = (0..=u8::MAX)
        .map(|attempt| Mrn::draw(PatientId::new(id), attempt).to_string())
        .find(|mrn| mrns.insert(mrn.clone()))
        .context("every record number is taken")?;
    let mut words = keys.words.clone();
    words.push(mrn.clone());
    let mut written = Map::new();
    fhir::write(&person, &mut written);
    let now = Timestamp::now();
    let document = json!({
        "schema": 1, "version": 1, "events": [registered(id, now)?],
        "requests": [{ "key": id, "hash": id, "version": 1 }],
        "data": {
            "mrn": mrn, "registeredAt": now, "changedAt": now, "active": true, "person": written,
            "search": {
                "family": keys.family, "given": keys.given, "identity": keys.identity,
                "phone": keys.phone, "email": keys.email, "words": words,
            },
        },
    });
    let [documents, patients, terms] = rows;
    writeln!(documents, "patient/{id}\t{}", bytea(&document))?;
    let field = |name: &str| written.get(name).and_then(Value::as_str).unwrap_or("\\N");
    let identity = keys.identity.as_deref().unwrap_or("\\N");
    writeln!(
        patients,
        "{id}\t{mrn}\tt\t{}\t{}\t{}\t{}\t{identity}\t{now}",
        keys.family,
        keys.given,
        field("birthDate"),
        field("gender"),
    )?;
    words.sort_unstable();
    words.dedup();
    for (kind, found) in [("phone", &keys.phone), ("email", &keys.email), ("word", &words)] {
        for term in found {
            writeln!(terms, "{kind}\t{term}\t{id}")?;
        }
    }
    Ok(())
}

/// The event of a registration.
pub(crate) fn registered(id: Uuid, now: Timestamp) -> Result<Event> {
    let told = PatientRegistered {
        patient: Some(PatientSnapshot {
            patient_id: id.to_string(),
            version: 1,
            registered_time: Some(moment(now)),
            changed_time: Some(moment(now)),
            gender: 2,
            age_band: "40-49".to_owned(),
            active: true,
        }),
    };
    Ok(Event::new(topic::PATIENT_REGISTERED, "patient", id, Uuid::now_v7(), now, None, &told)?)
}

/// Puts events into an outbox as if they had waited there since then.
pub(crate) async fn wait_to_leave(
    connection: &mut PgConnection,
    events: impl IntoIterator<Item = Result<Event>>,
    since: Timestamp,
) -> Result<()> {
    let mut rows = String::new();
    for event in events {
        let event = event?;
        let text = serde_json::to_string(&event.event)?.replace('\\', "\\\\");
        writeln!(rows, "{}\t{}\t{}\t{text}\t{since}", event.event.id, event.topic, event.partition_key)?;
    }
    copy(connection, "document.outbox", "event_id, topic, partition_key, event, created_at", rows).await?;
    sqlx::raw_sql("vacuum (analyze) document.outbox").execute(&mut *connection).await?;
    sqlx::raw_sql("checkpoint").execute(connection).await?;
    Ok(())
}

/// Loads the accounts of the people up to `to`.
pub(crate) async fn load_accounts(rig: &Rig, to: u64) -> Result<()> {
    let mut connection = silent(rig, App::Billing).await?;
    let now = Timestamp::now();
    let (mut documents, mut accounts) = (String::new(), String::new());
    for patient in (0..to).map(id) {
        let id = account_id(patient);
        let told = AccountOpened {
            account: Some(contracts::billing::v1::Account {
                account_id: id.to_string(),
                patient_id: patient.to_string(),
                version: 1,
                status: 1,
                opened_time: Some(moment(now)),
            }),
        };
        let event = Event::new(topic::BILLING_ACCOUNT_OPENED, "billing", id, Uuid::now_v7(), now, None, &told)?;
        let document = json!({
            "schema": 1, "version": 1, "events": [event],
            "data": { "patientId": patient, "status": "active", "openedAt": now },
        });
        writeln!(documents, "account/{id}\t{}", bytea(&document))?;
        writeln!(accounts, "{id}\t{patient}\tactive\t{now}")?;
    }
    copy(&mut connection, "state.state", "key, value", documents).await?;
    copy(&mut connection, "projection.accounts", "account_id, patient_id, status, opened_at", accounts).await?;
    sqlx::raw_sql("vacuum (analyze) state.state").execute(&mut connection).await?;
    Ok(())
}

/// A time as messages have it.
pub(crate) fn moment(time: Timestamp) -> contracts::Timestamp {
    contracts::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loaded_document_reads_as_the_services_own() {
        use patient::outbound::patients::PatientData;
        let (mut rows, mut mrns) = ([String::new(), String::new(), String::new()], HashSet::new());
        write(&mut rows, People::new(1), 5, &mut mrns).unwrap();
        let (key, value) = rows[0].trim_end().split_once('\t').unwrap();
        assert_eq!(key, format!("patient/{}", id(5)));
        let hex = value.strip_prefix("\\\\x").unwrap().as_bytes();
        let bytes: Vec<_> =
            hex.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect();
        let document = sidecar::documents::Document::<PatientData>::parse(&bytes).unwrap();
        assert_eq!(document.version, 1);
        assert_eq!(rows[1].trim_end().split('\t').count(), 9);
        assert!(rows[2].lines().count() >= 6, "{}", rows[2]);
        // A number that is taken is drawn again.
        let mut again = [String::new(), String::new(), String::new()];
        write(&mut again, People::new(1), 5, &mut mrns).unwrap();
        assert_ne!(again[1], rows[1]);
    }
}
