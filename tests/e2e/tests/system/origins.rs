//! The id of a request and its trace, wherever the request leaves something: neither is lost nor another's.

use access::Role;
use anyhow::{Result, ensure};
use futures::future::try_join_all;
use local::App;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    door::{Answer, Door, key},
    people::person,
    stage::Stage,
};

/// So many at once share calls to the store, to billing and to the broker.
const AT_ONCE: usize = 12;

/// What a client calls its request.
struct Called {
    id: String,
    trace: String,
}

impl Called {
    fn anew() -> Self {
        let trace = Uuid::new_v5(&Uuid::now_v7(), b"trace").simple().to_string();
        Self { id: format!("trial.{}", key()), trace }
    }

    fn on(&self, request: RequestBuilder) -> RequestBuilder {
        let parent = format!("00-{}-00f067aa0ba902b7-01", self.trace);
        request.header("x-request-id", &self.id).header("traceparent", parent)
    }

    /// Waits for a line that has both, and what it is to say.
    async fn is_logged(&self, stage: &Stage, app: App, said: &str) -> Result<()> {
        let texts = [self.id.as_str(), self.trace.as_str(), said];
        let logged = async || Ok(stage.logged_lines(app, &texts) > 0);
        stage.eventually(&format!("{app} logs {said:?} of {} in {}", self.id, self.trace), logged).await
    }

    /// The event of a document's latest change.
    async fn is_in_event(&self, stage: &Stage, app: App, document: &str) -> Result<()> {
        let query = format!(
            "select convert_from(value, 'UTF8')::jsonb #> '{{events,0,event}}' as event from state.state \
             where key = '{document}'"
        );
        let event = stage.count(app, &query).await?["event"].clone();
        let is_in_trace = event["traceparent"].as_str().is_some_and(|parent| parent.contains(&self.trace));
        ensure!(event["requestid"] == self.id && is_in_trace, "{document}: {} in {}: {event}", self.id, self.trace);
        Ok(())
    }
}

/// From the client to the last consumer of the last event, while others do the same.
pub(crate) async fn of_registrations(stage: &Stage) -> Result<()> {
    let clerk = stage.public(Role::FrontDesk)?;
    let registrations = try_join_all((0..AT_ONCE).map(async |_| {
        let called = Called::anew();
        let request = called.on(clerk.request(Method::POST, "/api/patients"));
        let answer = Answer::of(request.header("idempotency-key", key()).json(&person())).await?.expect(201)?;
        anyhow::Ok((called, answer))
    }))
    .await?;
    stage.settled().await?;
    for (called, answer) in &registrations {
        ensure!(answer.header("x-request-id") == called.id, "{:?}", answer.headers);
        called.is_in_event(stage, App::Patient, &format!("patient/{}", answer.id())).await?;
        called.is_in_event(stage, App::Billing, &format!("account/{}", answer.text("/billingAccount/id"))).await?;
        for (app, said) in [
            (App::Gateway, "\"message\":\"request\""),
            (App::Patient, "\"message\":\"request\""),
            (App::Billing, "open account"),
            (App::Billing, "patient.registered"),
            (App::Analytics, "patient.registered"),
            (App::Analytics, "billing.account.opened"),
        ] {
            called.is_logged(stage, app, said).await?;
        }
    }
    let unsafe_id = clerk.request(Method::GET, "/livez").header("x-request-id", "a b");
    let answer = Answer::of(unsafe_id).await?.expect(200)?;
    ensure!(answer.header("x-request-id").len() == 36, "{:?}", answer.headers);
    Ok(())
}

/// What is written with a document, and what is gathered in memory first.
pub(crate) async fn of_the_audit(stage: &Stage) -> Result<()> {
    let open = Door::new(&stage.client, stage.system.url(), None);
    let officer = stage.public(Role::PrivacyOfficer)?;
    let (email, password) = (&stage.secrets.administrator_email, &stage.secrets.administrator_password);
    let attempts =
        [(email.clone(), 200), (format!("{}@clinic.example", key()), 401), (format!("{}@x.example", key()), 401)];
    let attempts = try_join_all(attempts.map(async |(email, status)| {
        let called = Called::anew();
        let request = called.on(open.request(Method::POST, "/auth/login"));
        Answer::of(request.json(&json!({ "email": email, "password": password }))).await?.expect(status)?;
        anyhow::Ok((called, "login", if status == 200 { "0" } else { "failure" }))
    }))
    .await?;
    let looked = Called::anew();
    Answer::of(looked.on(officer.request(Method::GET, "/auth/audit?limit=1"))).await?.expect(200)?;
    for (called, subtype, outcome) in attempts.into_iter().chain([(looked, "audit-log-used", "0")]) {
        let entry = async || {
            let path = format!("/auth/audit?limit=200&subtype={subtype}&outcome={outcome}");
            let page = officer.get(&path).await?.expect(200)?.body;
            let has = |item: &&Value| item["requestId"] == called.id;
            Ok(page["items"]
                .as_array()
                .into_iter()
                .flatten()
                .find(has)
                .is_some_and(|item| item["traceId"] == called.trace))
        };
        stage.eventually(&format!("the audit has {subtype} {outcome} as {}", called.id), entry).await?;
    }
    Ok(())
}
