//! One registration through the whole chain, and the routes behind both doors.

use access::Role;
use anyhow::{Result, ensure};
use local::App;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    door::{Answer, Door},
    people::{family, person},
    stage::Stage,
};

/// A registration on a warm system has its account at once; the first ones need not.
const WARM_AFTER: u64 = 10;

pub(crate) async fn at_the_public_port(stage: &Stage) -> Result<()> {
    walk(stage, &stage.public(Role::Admin)?).await
}

pub(crate) async fn at_the_gateways_sidecar(stage: &Stage) -> Result<()> {
    let door = stage.gateways_sidecar(Role::Admin)?;
    walk(stage, &door).await?;
    let stranger = door.without_api_token();
    for path in ["/api/patients", "/auth/.well-known/jwks.json", "/livez"] {
        ensure!(stranger.get(path).await?.status == 401, "{path} answers without the sidecar's token");
    }
    Ok(())
}

async fn walk(stage: &Stage, door: &Door) -> Result<()> {
    let door = &door.with_token(&sign_in(stage, door).await?);
    stage.settled().await?;
    let before = door.counted().await?;
    let (registered, patient, someone) = register_until_warm(door).await?;
    answers_whole(&patient, &someone)?;
    reads_amends_and_finds(door, &patient, &someone).await?;

    let account = door.account(patient.id()).await?.unwrap_or_default();
    ensure!(account["status"] == "active" && account["patientId"] == patient.id(), "{account}");
    ensure!(account["accountId"] == patient.body["billingAccount"]["id"], "{account}");

    stage
        .eventually("analytics has counted everyone", async || Ok(door.counted().await? >= before + registered))
        .await?;
    stage.settled().await?;
    ensure!(door.counted().await? == before + registered, "everyone is counted once");
    let patients = stage.count(App::Patient, "select count(*) from projection.patients").await?;
    ensure!(door.counted().await? == patients["count"], "analytics counts whom `patient` knows");
    Ok(())
}

async fn sign_in(stage: &Stage, door: &Door) -> Result<String> {
    let credentials = |password: &str| json!({ "email": stage.secrets.administrator_email, "password": password });
    let login = || door.without_token().request(Method::POST, "/auth/login");
    Answer::of(login().json(&credentials("wrong"))).await?.expect_problem(401)?;
    let granted = Answer::of(login().json(&credentials(&stage.secrets.administrator_password))).await?.expect(200)?;
    ensure!(granted.body["token_type"] == "Bearer" && granted.body["expires_in"] == 600, "{}", granted.body);
    Ok(granted.text("/access_token").to_owned())
}

/// Registers people until one has an account at once; answers how many and that one.
async fn register_until_warm(door: &Door) -> Result<(u64, Answer, Value)> {
    for registered in 1..=WARM_AFTER {
        let someone = person();
        let patient = door.registered(&someone).await?;
        if patient.has_account() {
            return Ok((registered, patient, someone));
        }
    }
    anyhow::bail!("{WARM_AFTER} registrations were answered without an account")
}

fn answers_whole(patient: &Answer, someone: &Value) -> Result<()> {
    ensure!(patient.header("location") == format!("/api/patients/{}", patient.id()), "{:?}", patient.headers);
    ensure!(patient.header("etag") == "\"1\"", "{:?}", patient.headers);
    ensure!(patient.header("content-type") == "application/json", "{:?}", patient.headers);
    ensure!(patient.text("/mrn").len() == 11 && patient.body["version"] == 1, "{}", patient.body);
    for (field, value) in someone.as_object().into_iter().flatten() {
        ensure!(patient.body[field] == *value, "{field} is {}", patient.body[field]);
    }
    Ok(())
}

async fn reads_amends_and_finds(door: &Door, patient: &Answer, someone: &Value) -> Result<()> {
    let path = patient.header("location");
    let read = door.get(path).await?.expect(200)?;
    ensure!(read.header("etag") == "\"1\"" && read.body["name"] == someone["name"], "{}", read.body);

    let amend = door.request(Method::PATCH, path).header("if-match", "\"1\"").json(&json!({ "gender": "other" }));
    let amended = Answer::of(amend).await?.expect(200)?;
    ensure!(amended.header("etag") == "\"2\"" && amended.body["gender"] == "other", "{}", amended.body);
    ensure!(door.get(path).await?.header("etag") == "\"2\"", "the amendment is read back");

    let found = door.get(&format!("/api/patients?family={}", family(someone))).await?.expect(200)?;
    ensure!(found.body["items"].as_array().map(Vec::len) == Some(1), "{}", found.body);
    ensure!(found.text("/items/0/id") == patient.id(), "{}", found.body);
    Ok(())
}
