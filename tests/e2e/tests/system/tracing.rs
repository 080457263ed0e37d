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

/// Registers somebody in a trace of the caller's; answers the trace's id and the answer.
pub(crate) async fn register_traced(stage: &Stage, someone: &Value) -> Result<(String, Answer)> {
    let (trace, span) = (Uuid::new_v5(&Uuid::now_v7(), b"trace").simple().to_string(), "00f067aa0ba902b7");
    let request = stage.public(Role::FrontDesk)?.request(reqwest::Method::POST, "/api/patients");
    let request = request.header("traceparent", format!("00-{trace}-{span}-01"));
    let answer = Answer::of(request.header("idempotency-key", key()).json(someone)).await?.expect(201)?;
    Ok((trace, answer))
}

pub(crate) async fn one_registration(stage: &Stage) -> Result<()> {
    let (trace, _) = register_traced(stage, &person()).await?;
    is_whole(stage, &trace).await
}

/// Waits until a trace has a span of each service of the chain and of each of their sidecars, and no loose end.
pub(crate) async fn is_whole(stage: &Stage, trace: &str) -> Result<()> {
    let missing = || {
        let spans = stage.collector.trace(trace);
        let seen: BTreeSet<_> = spans.iter().map(|span| (span.service.clone(), span.by_sidecar)).collect();
        let wanted = CHAIN.into_iter().flat_map(|app| [(app.to_string(), false), (app.to_string(), true)]);
        wanted.filter(|part| !seen.contains(part)).collect::<Vec<_>>()
    };
    let complete = stage.eventually("the trace is whole", async || Ok(missing().is_empty())).await;
    let seen = list(&stage.collector.trace(trace));
    ensure!(complete.is_ok(), "no span of {:?} (service, by its sidecar?) among{seen}", missing());
    let loose = || {
        let spans = stage.collector.trace(trace);
        let ids: BTreeSet<_> = spans.iter().map(|span| span.id.clone()).collect();
        spans.into_iter().filter(|span| !ids.contains(&span.parent)).collect::<Vec<_>>()
    };
    // The client's own span is the one that never arrives.
    let tied = stage.eventually("every span has its parent", async || Ok(loose().len() == 1)).await;
    ensure!(tied.is_ok(), "spans without their parent:{}\nof{seen}", list(&loose()));
    Ok(())
}

fn list(spans: &[Span]) -> String {
    spans.iter().map(|span| format!("\n  {span}")).collect()
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
