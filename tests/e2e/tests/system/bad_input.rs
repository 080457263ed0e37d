//! Wrong requests, at both doors: each is told what is wrong with it, and none writes anything.

use access::Role;
use anyhow::{Context as _, Result, ensure};
use local::App;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    door::{Answer, Door, key},
    people::person,
    stage::Stage,
};

const JSON: &str = "application/json";
/// Enough for the accident that it is about, which is rare.
const UNREAD: usize = 300;
/// Nobody's id.
const NOBODY: &str = "0197a1b2-0000-7000-8000-000000000000";

/// One wrong request, the answer's status, and the pointer to what is wrong where there is one.
struct Case {
    what: String,
    request: RequestBuilder,
    status: u16,
    pointer: &'static str,
}

pub(crate) async fn refused(stage: &Stage) -> Result<()> {
    let someone = person();
    let clerk = stage.public(Role::FrontDesk)?;
    let used = key();
    let known = clerk.register(&used, &someone).await?.expect(201)?;
    stage.settled().await?;
    let before = everything(stage).await?;
    for door in [clerk, stage.gateways_sidecar(Role::FrontDesk)?] {
        let mut cases = bodies(&door);
        cases.extend(headers(&door, &known));
        cases.extend(places(&door));
        for Case { what, request, status, pointer } in cases {
            let answer = Answer::of(request).await?.expect_problem(status).with_context(|| what.clone())?;
            ensure!(
                pointer.is_empty() || answer.text("/errors/0/pointer") == pointer,
                "{what}: the pointer is not {pointer}: {}",
                answer.body
            );
        }
        same_person_twice(&door, &someone, &known, &used).await?;
        ensure!(everything(stage).await? == before, "something was written");
    }
    Ok(())
}

/// A service that answers before it has read a request must not close the connection under the next one, which a
/// sidecar does not repeat.
pub(crate) async fn unread(stage: &Stage) -> Result<()> {
    for door in [stage.public(Role::FrontDesk)?, stage.gateways_sidecar(Role::FrontDesk)?] {
        for _ in 0..UNREAD {
            let unread = door.request(Method::POST, "/events/patient.registered").body(vec![b' '; 50_000]);
            Answer::of(unread).await?.expect_problem(404)?;
            Answer::of(door.request(Method::DELETE, "/api/patients")).await?.expect_problem(405)?;
        }
    }
    Ok(())
}

fn post(door: &Door, body: impl Into<reqwest::Body>) -> RequestBuilder {
    let request = door.request(Method::POST, "/api/patients").header("idempotency-key", key());
    request.header("content-type", JSON).body(body)
}

fn bodies(door: &Door) -> Vec<Case> {
    let with = |field: &str, value: Value| {
        let mut body = person();
        body[field] = value;
        body.to_string()
    };
    let cases: Vec<(String, u16, &'static str)> = vec![
        ("{\"name\":".to_owned(), 400, ""),
        (String::new(), 400, ""),
        ("[]".to_owned(), 422, ""),
        ("{}".to_owned(), 422, "/name"),
        (with("shoeSize", json!(41)), 422, "/shoeSize"),
        (with("birthDate", json!("1984-02-30")), 422, "/birthDate"),
        (with("birthDate", json!("2999-01-01")), 422, "/birthDate"),
        (with("birthDate", json!(1984)), 422, "/birthDate"),
        (with("gender", json!("F")), 422, "/gender"),
        (with("name", json!("Ada")), 422, "/name"),
        (with("name", json!([{ "family": "a\u{0}b" }])), 422, "/name/0/family"),
        (with("name", json!([{ "family": "x".repeat(101) }])), 422, "/name/0/family"),
        (with("telecom", json!([{ "system": "email", "value": "nobody" }])), 422, "/telecom/0/value"),
        (with("identifier", json!([{ "value": "1" }])), 422, "/identifier/0/system"),
        (format!("[{}]", " ".repeat(1 << 20)), 413, ""),
    ];
    let case = |(body, status, pointer): (String, u16, &'static str)| {
        let what = format!("POST {}", body.chars().take(60).collect::<String>());
        Case { what, request: post(door, body), status, pointer }
    };
    cases.into_iter().map(case).collect()
}

fn headers(door: &Door, known: &Answer) -> Vec<Case> {
    let path = known.header("location");
    let patch = |tag: Option<&str>| {
        let request = door.request(Method::PATCH, path).json(&json!({ "gender": "male" }));
        tag.into_iter().fold(request, |request, tag| request.header("if-match", tag))
    };
    let keyless = door.request(Method::POST, "/api/patients").json(&person());
    let text = door.request(Method::POST, "/api/patients").header("idempotency-key", key()).body("{}");
    let unfit = door.request(Method::PATCH, path).header("if-match", "\"1\"").json(&json!({ "name": null }));
    [
        ("without Idempotency-Key", keyless, 400, "Idempotency-Key"),
        ("plain text", text.header("content-type", "text/plain"), 415, ""),
        ("without If-Match", patch(None), 428, ""),
        ("a version that is to come", patch(Some("\"7\"")), 412, ""),
        ("a weak tag", patch(Some("W/\"1\"")), 412, ""),
        ("a patch that leaves no name", unfit, 422, "/name"),
    ]
    .map(|(what, request, status, pointer)| Case { what: what.to_owned(), request, status, pointer })
    .into()
}

fn places(door: &Door) -> Vec<Case> {
    let cases = [
        (Method::GET, format!("/api/patients/{NOBODY}"), 404, ""),
        (Method::GET, "/api/patients/nobody".to_owned(), 404, ""),
        (Method::GET, format!("/api/billing/accounts/{NOBODY}"), 404, ""),
        (Method::GET, "/api/nowhere".to_owned(), 404, ""),
        (Method::POST, "/events/patient.registered".to_owned(), 404, ""),
        (Method::DELETE, format!("/api/patients/{NOBODY}"), 405, ""),
        (Method::PUT, "/api/patients".to_owned(), 405, ""),
        (Method::GET, "/api/patients?limit=0".to_owned(), 422, "limit"),
        (Method::GET, "/api/patients?cursor=x".to_owned(), 422, "cursor"),
        (Method::GET, "/api/patients?sort=name".to_owned(), 422, "sort"),
    ];
    cases
        .map(|(method, path, status, pointer)| {
            let request = door.request(method.clone(), &path);
            Case { what: format!("{method} {path}"), request, status, pointer }
        })
        .into()
}

async fn same_person_twice(door: &Door, someone: &Value, known: &Answer, used: &str) -> Result<()> {
    let again = door.register(used, someone).await?.expect(201)?;
    ensure!(again.id() == known.id(), "the same request is the same patient");
    let reused = door.register(used, &person()).await?.expect_problem(422)?;
    ensure!(reused.text("/errors/0/pointer") == "Idempotency-Key", "{}", reused.body);
    let twice = door.register(&key(), someone).await?.expect_problem(409)?;
    ensure!(twice.text("/duplicateOf") == known.id(), "{}", twice.body);
    Ok(())
}

/// How much every database holds, and who is in it.
async fn everything(stage: &Stage) -> Result<Vec<Value>> {
    let documents =
        "(select count(*) from state.state) as documents, (select count(*) from document.outbox) as waiting,
        (select count(*) from document.history) as replaced, (select count(*) from document.dead_letters) as letters";
    let mut counts = Vec::new();
    for (app, more) in [
        (App::Auth, ""),
        (
            App::Patient,
            ", (select md5(coalesce(string_agg(found::text, '' order by patient_id), '')) from projection.patients as found) as patients",
        ),
        (App::Billing, ", (select count(*) from projection.accounts) as accounts"),
        (App::Analytics, ", (select count(*) from fact.patients) as patients"),
    ] {
        counts.push(stage.count(app, &format!("select {documents}{more}")).await?);
    }
    Ok(counts)
}
