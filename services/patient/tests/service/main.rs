//! The service with a real sidecar, PostgreSQL and Kafka.

mod amending;
mod audited;
mod available;
mod booking;
mod calendar;
mod chart_pages;
mod charting;
mod clocks;
mod demographics;
mod downtime;
mod encounters;
mod faults;
mod finding;
mod place;
mod refusing;
mod registering;
mod reminding;
mod replaying;
mod scheduling;
mod series;
mod summary;
mod together;
mod visiting;
mod waiting;

use std::process::ExitCode;

use access::Role;
use patient::{app::App, config::Config};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use testkit::{Parts, Result};
use uuid::Uuid;

fn main() -> ExitCode {
    testkit::run(testkit::App::Patient, |parts| async move {
        let app = App::build(&Config::read(parts.environment(&[("REMINDER_BINDING", "reminders")]))?)?;
        tokio::spawn(app.run());
        parts.ready().await?;
        let mut trials = registering::tests(&parts);
        trials.extend(refusing::tests(&parts));
        trials.extend(finding::tests(&parts));
        trials.extend(amending::tests(&parts));
        trials.extend(together::tests(&parts));
        trials.extend(charting::tests(&parts));
        trials.extend(chart_pages::tests(&parts));
        trials.extend(encounters::tests(&parts));
        trials.extend(audited::tests(&parts));
        trials.extend(demographics::tests(&parts));
        trials.extend(replaying::tests(&parts));
        trials.extend(testkit::grpc::tests(
            &parts,
            &["patient.v1.Availability", "patient.v1.Demographics", "patient.v1.Replay"],
        ));
        trials.extend(calendar::tests(&parts));
        trials.extend(available::tests(&parts));
        trials.extend(booking::tests(&parts));
        trials.extend(series::tests(&parts));
        trials.extend(clocks::tests(&parts));
        trials.extend(downtime::tests(&parts));
        trials.extend(scheduling::tests(&parts));
        trials.extend(waiting::tests(&parts));
        trials.extend(visiting::tests(&parts));
        trials.extend(reminding::tests(&parts));
        trials.extend(summary::tests(&parts));
        trials.extend(faults::tests(&parts));
        Ok(trials)
    })
}

/// Somebody whom nobody else is.
fn person(family: &str) -> Value {
    json!({
        "name": [{ "family": family, "given": ["Ada"] }],
        "gender": "female",
        "birthDate": "1984-02-11",
        "telecom": [{ "system": "phone", "value": "+15555550100" }],
        "address": [{ "line": ["12 High Street"], "city": "Springfield", "postalCode": "12345", "country": "US" }],
    })
}

fn unique(name: &str) -> String {
    let letters = |byte: &u8| char::from(b'a' + byte % 26);
    format!("{name}{}", Uuid::now_v7().as_bytes()[8..].iter().map(letters).collect::<String>())
}

async fn register(parts: &Parts, key: &str, body: &Value) -> Result<Response> {
    let request = parts.request(Method::POST, "/api/patients").bearer_auth(parts.token(Role::FrontDesk)?);
    Ok(request.header("idempotency-key", key).json(body).send().await?)
}

/// Registers somebody; answers the body.
async fn registered(parts: &Parts, body: &Value) -> Result<Value> {
    let answer = register(parts, &unique("key"), body).await?;
    anyhow::ensure!(answer.status() == 201, "{}", answer.text().await?);
    Ok(answer.json().await?)
}

async fn get(parts: &Parts, path: &str) -> Result<Response> {
    Ok(parts.request(Method::GET, path).bearer_auth(parts.token(Role::FrontDesk)?).send().await?)
}

fn id(patient: &Value) -> &str {
    patient["id"].as_str().unwrap_or_default()
}

/// How many documents, events and projected patients there are.
async fn counts(parts: &Parts) -> Result<Value> {
    let counts = "select (select count(*) from state.state) as documents, (select count(*) from projection.patients) as patients,
        (select count(*) from document.history) as replaced, (select count(*) from projection.patient_terms) as terms";
    Ok(parts.sql(counts).await?.remove(0))
}
