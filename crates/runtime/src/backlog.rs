//! Metrics of what waits: outbox depth and age, dead letters.

use std::time::Duration;

use opentelemetry::global;
use serde::Deserialize;
use serde_json::json;
use sidecar::Sidecar;

const INTERVAL: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Backlog {
    outbox_depth: u64,
    outbox_age_seconds: f64,
    dead_letters: u64,
}

/// Measures for as long as the service runs.
pub async fn measure(sidecar: Sidecar) {
    let meter = global::meter("runtime");
    let depth = meter.u64_gauge("outbox.depth").with_description("events that wait to leave").build();
    let age = meter.f64_gauge("outbox.age").with_unit("s").with_description("how long the oldest waits").build();
    let letters = meter.u64_gauge("dead_letters").with_description("messages that wait for an operator").build();
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        // A store that is away shows in the readiness.
        if let Ok(backlog) = sidecar.query::<_, Backlog>("backlog", &json!({})).await {
            depth.record(backlog.outbox_depth, &[]);
            age.record(backlog.outbox_age_seconds, &[]);
            letters.record(backlog.dead_letters, &[]);
        }
    }
}
