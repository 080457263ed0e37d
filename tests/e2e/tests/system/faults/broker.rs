//! The broker is dead: registrations go on, events leave later, and each stays in its trace and of its request.
#![expect(clippy::print_stdout, reason = "how long it takes is a figure to know")]

use std::time::Instant;

use access::Role;
use anyhow::{Result, ensure};
use local::App;

use crate::{
    people::person,
    stage::Stage,
    tracing::{missing, register_traced},
};

const REGISTRATIONS: u64 = 5;
/// What `sidecar::outbox` says.
const NOT_SENT: &str = "events are left to the sweeper";
const SWEPT: &str = "the sweeper sent events";

pub(crate) async fn dies(stage: &Stage) -> Result<()> {
    let patient = App::Patient;
    let analyst = stage.public(Role::Admin)?;
    stage.settled().await?;
    let before = analyst.counted().await?;
    let (not_sent, swept) = (stage.logged(patient, NOT_SENT), stage.logged(patient, SWEPT));

    stage.system.kill_broker().await?;
    let mut traces = Vec::new();
    let mut took = Vec::new();
    for _ in 0..REGISTRATIONS {
        let (trace, answer) = register_traced(stage, &person()).await?;
        // Billing is there, so the account need not wait for the event.
        ensure!(answer.has_account() || answer.took.as_millis() > 250, "{}", answer.body);
        traces.push(trace);
        took.push(answer.took.as_millis());
    }
    println!("    answered without a broker after {took:?} ms");
    stage.eventually("the relay has given up", async || Ok(stage.logged(patient, NOT_SENT) > not_sent)).await?;
    // No event has arrived, but where this took some seconds analytics may have asked the producer for what it missed.
    ensure!(analyst.counted().await? <= before + REGISTRATIONS, "an event is counted twice");

    stage.system.start_broker().await?;
    let back = Instant::now();
    stage.settled().await?;
    println!("    all events applied {:.1?} after the broker was back", back.elapsed());
    ensure!(analyst.counted().await? == before + REGISTRATIONS, "every event is counted once");
    ensure!(stage.logged(patient, SWEPT) > swept, "it was not the sweeper that sent them");
    for trace in &traces {
        stage
            .eventually("analytics applies each event in its trace", async || {
                Ok(stage
                    .collector
                    .trace(trace)
                    .iter()
                    .any(|span| span.service == App::Analytics.id() && !span.by_sidecar))
            })
            .await?;
    }
    for trace in &traces {
        let named = format!("\"request_id\":\"{trace}\"");
        let logged = async || Ok(stage.logged_lines(App::Analytics, &[&named, "patient.registered"]) > 0);
        stage.eventually("analytics knows which request each event is of", logged).await?;
    }
    // What a batch asks of the sidecar is in the trace of its first event alone.
    let whole = async || Ok(traces.iter().any(|trace| missing(stage, trace).is_empty()));
    stage.eventually("a trace is whole", whole).await
}
