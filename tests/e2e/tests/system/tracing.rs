//! Spans and metrics, at a collector.

use std::collections::BTreeSet;

use access::Role;
use anyhow::{Result, ensure};
use local::App;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    collector::Span,
    door::{Answer, key},
    people::person,
    stage::Stage,
};

const CHAIN: [App; 4] = [App::Gateway, App::Patient, App::Billing, App::Analytics];

/// Registers somebody in a trace of the caller's, whose id is the request's, too; answers it and the answer.
pub(crate) async fn register_traced(stage: &Stage, someone: &Value) -> Result<(String, Answer)> {
    let (trace, span) = (Uuid::new_v5(&Uuid::now_v7(), b"trace").simple().to_string(), "00f067aa0ba902b7");
    let request = stage.public(Role::FrontDesk)?.request(reqwest::Method::POST, "/api/patients");
    let request = request.header("traceparent", format!("00-{trace}-{span}-01")).header("x-request-id", &trace);
    let answer = Answer::of(request.header("idempotency-key", key()).json(someone)).await?.expect(201)?;
    Ok((trace, answer))
}

pub(crate) async fn one_registration(stage: &Stage) -> Result<()> {
    let (trace, _) = register_traced(stage, &person()).await?;
    let complete = stage.eventually("the trace is whole", async || Ok(missing(stage, &trace).is_empty())).await;
    let seen = list(&stage.collector.trace(&trace));
    ensure!(complete.is_ok(), "no span of {:?} (service, by its sidecar?) among{seen}", missing(stage, &trace));
    // The client's own span is the one that never arrives.
    let tied = stage.eventually("every span has its parent", async || Ok(loose(stage, &trace).len() == 1)).await;
    ensure!(tied.is_ok(), "spans without their parent:{}\nof{seen}", list(&loose(stage, &trace)));
    Ok(())
}

/// Of the services of the chain and their sidecars, those without a span in a trace.
pub(crate) fn missing(stage: &Stage, trace: &str) -> Vec<(String, bool)> {
    let spans = stage.collector.trace(trace);
    let seen: BTreeSet<_> = spans.into_iter().map(|span| (span.service, span.by_sidecar)).collect();
    let wanted = CHAIN.into_iter().flat_map(|app| [(app.to_string(), false), (app.to_string(), true)]);
    wanted.filter(|part| !seen.contains(part)).collect()
}

/// The spans of a trace whose parents are not in it.
fn loose(stage: &Stage, trace: &str) -> Vec<Span> {
    let spans = stage.collector.trace(trace);
    let ids: BTreeSet<_> = spans.iter().map(|span| span.id.clone()).collect();
    spans.into_iter().filter(|span| !ids.contains(&span.parent)).collect()
}

fn list(spans: &[Span]) -> String {
    spans.iter().fold(String::new(), |list, span| format!("{list}\n  {span}"))
}

pub(crate) async fn metrics(stage: &Stage) -> Result<()> {
    let of_all = App::ALL.map(|app| (app, "http.server.request.duration"));
    let publishers = [App::Patient, App::Billing].map(|app| [(app, "outbox.depth"), (app, "outbox.age")]);
    let consumers = [App::Billing, App::Analytics].map(|app| [(app, "dead_letters"), (app, "messaging.process.lag")]);
    let wanted = of_all.into_iter().chain(publishers.into_iter().flatten()).chain(consumers.into_iter().flatten());
    for (app, name) in wanted {
        stage
            .eventually(&format!("{app} sends {name}"), async || Ok(stage.collector.has_metric(app.id(), name)))
            .await?;
    }
    Ok(())
}
