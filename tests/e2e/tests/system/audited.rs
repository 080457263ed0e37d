//! Who was at a patient's record: all of it once, also what was answered just before an end, in chains that verify.

use std::collections::BTreeMap;

use access::Role;
use anyhow::{Context as _, Result, ensure};
use audit::checkpoint::PublicKey;
use futures::future::try_join_all;
use local::App;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    door::{Answer, Door, key},
    people::person,
    stage::Stage,
};

const READS: usize = 40;

/// Asks at the public port; answers the id of the request.
async fn ask(stage: &Stage, role: Role, method: Method, path: &str, status: u16) -> Result<String> {
    let called = format!("trial.{}", key());
    let request = stage.public(role)?.request(method, path).header("x-request-id", &called);
    Answer::of(request).await?.expect(status)?;
    Ok(called)
}

pub(crate) async fn once_each(stage: &Stage) -> Result<()> {
    let clerk = stage.public(Role::FrontDesk)?;
    let patient = clerk.registered(&person()).await?;
    let path = format!("/api/patients/{}", patient.id());
    let read = async |role| ask(stage, role, Method::GET, &path, 200).await;
    let mut expected: BTreeMap<String, Value> = BTreeMap::new();
    for called in try_join_all((0..READS).map(|_| read(Role::Nurse))).await? {
        expected.insert(called, json!(["R", "read", "nurse", 0]));
    }
    // Refused at the gateway, where no audit is.
    expected.insert(ask(stage, Role::Analyst, Method::GET, &path, 403).await?, json!(["R", "read", "analyst", 8]));
    let change = ask(stage, Role::Biller, Method::PATCH, &path, 403).await?;
    expected.insert(change, json!(["U", "update", "biller", 8]));

    // What was answered last is written when the service is told to end.
    for called in try_join_all((0..READS).map(|_| read(Role::Physician))).await? {
        expected.insert(called, json!(["R", "read", "physician", 0]));
    }
    let services = stage.services(App::Patient).into_iter();
    let ending = services.map(|service| stage.terminate(service)).collect::<Result<Vec<_>>>()?;
    for process in ending {
        ensure!(process.ended(std::time::Duration::from_secs(5)).await, "it does not end");
    }
    stage.respawn_every(App::Patient)?;
    stage.ready().await?;

    let officer = stage.public(Role::PrivacyOfficer)?;
    let whole = async || Ok(of_patient(&officer, patient.id()).await?.len() > expected.len());
    stage.eventually("all is sealed", whole).await?;
    let entries = of_patient(&officer, patient.id()).await?;
    ensure!(entries.len() == expected.len() + 1, "{} entries instead of {}", entries.len(), expected.len() + 1);
    for (called, told) in &expected {
        let entry = entries.iter().find(|entry| entry["requestId"] == called.as_str()).context("no entry")?;
        let found = json!([entry["action"], entry["subtype"], entry["agent"]["role"], entry["outcome"]]);
        ensure!(found == *told, "{called}: {found} instead of {told}");
    }
    let log = officer.get(&format!("{path}/access-log?limit=200")).await?.expect(200)?.body;
    ensure!(log["items"].as_array().map(Vec::len) == Some(entries.len()), "the log has something else: {log}");
    verifies(stage).await
}

/// The newest entries of one patient.
async fn of_patient(officer: &Door, patient: &str) -> Result<Vec<Value>> {
    let page = officer.get(&format!("/api/patients/audit?limit=200&patient={patient}")).await?.expect(200)?.body;
    Ok(page["items"].as_array().cloned().unwrap_or_default())
}

async fn verifies(stage: &Stage) -> Result<()> {
    for app in [App::Auth, App::Patient] {
        let secrets: Value = serde_json::from_slice(&std::fs::read(stage.home().app_secrets(app))?)?;
        let key = PublicKey::from_pem(secrets["audit-key"].as_str().context("no audit-key")?)?;
        let signed = async || {
            let report =
                audit_verifier::verify(&mut stage.database(app).await?, app.id(), std::slice::from_ref(&key), &[])
                    .await?;
            ensure!(report.is_intact(), "{report:?}");
            Ok(report.checkpoint.is_some_and(|checkpoint| checkpoint.position > 0))
        };
        stage.eventually(&format!("the audit of {app} is signed"), signed).await?;
    }
    Ok(())
}
