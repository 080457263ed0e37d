//! What the recorder promises.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use audit::{Action, Entry, Recorder};
use problem::Kind;
use serde_json::Value;
use testkit::{Parts, Result};
use tokio::time::sleep;
use uuid::Uuid;

use crate::sidecar;

/// The recorder's own bound.
const CAPACITY: usize = 4096;

fn entry(subtype: &'static str, id: Uuid) -> Entry {
    Entry::new(Action::Read, subtype).about("thing", id)
}

async fn written(parts: &Parts, subtype: &str) -> Result<Vec<Value>> {
    let rows = parts
        .sql(&format!(
            "select entity_id, extract(epoch from arrived - recorded) as behind from audit.waiting \
             where subtype = '{subtype}'"
        ))
        .await?;
    Ok(rows)
}

pub(crate) async fn soon(parts: Parts) -> Result<()> {
    let recorder = Recorder::spawn(&sidecar(&parts)?);
    for _ in 0..20 {
        recorder.record(&entry("soon", Uuid::now_v7()))?;
        sleep(Duration::from_millis(30)).await;
    }
    parts.eventually("all is written", || async { Ok(written(&parts, "soon").await?.len() == 20) }).await?;
    let mut behind: Vec<f64> = written(&parts, "soon").await?.iter().filter_map(|row| row["behind"].as_f64()).collect();
    behind.sort_by(f64::total_cmp);
    // A busy machine may be late with one of them.
    ensure!(behind.len() == 20 && behind[17] < 0.2, "{behind:?}");
    Ok(())
}

pub(crate) async fn finish(parts: Parts) -> Result<()> {
    let recorder = Recorder::spawn(&sidecar(&parts)?);
    for _ in 0..1000 {
        recorder.record(&entry("finish", Uuid::now_v7()))?;
    }
    let lost = recorder.finish().await;
    let count = written(&parts, "finish").await?.len();
    ensure!((lost, count) == (0, 1000), "{lost} lost, {count} written");
    Ok(())
}

pub(crate) async fn malformed(parts: Parts) -> Result<()> {
    let recorder = Recorder::spawn(&sidecar(&parts)?);
    for subtype in ["beside", "two\nlines", "beside"] {
        recorder.record(&entry(subtype, Uuid::now_v7()))?;
    }
    parts.eventually("the others are written", || async { Ok(written(&parts, "beside").await?.len() == 2) }).await?;
    parts.eventually("nothing is left", || async { Ok(recorder.waiting() == 0) }).await
}

pub(crate) async fn bound(parts: Parts) -> Result<()> {
    let recorder = Recorder::spawn(&sidecar(&parts)?);
    parts.stop_postgres().await?;
    let mut taken = 0;
    let refused = loop {
        match recorder.record(&entry("bound", Uuid::now_v7())) {
            Ok(()) => taken += 1,
            Err(problem) => break problem,
        }
        ensure!(taken <= CAPACITY, "{taken} entries wait in memory");
    };
    ensure!(taken == CAPACITY, "refused after {taken}: {refused}");
    ensure!(refused.kind == Kind::Unavailable, "{refused:?}");
    let told = refused.to_json().to_string();
    ensure!(!told.contains("audit") && refused.retry_after.is_some(), "{told}");

    // Few that wait too long are as bad as too many.
    let recorder = Recorder::spawn(&sidecar(&parts)?);
    let begun = Instant::now();
    recorder.record(&entry("bound", Uuid::now_v7()))?;
    sleep(Duration::from_millis(1500)).await;
    recorder.record(&entry("bound", Uuid::now_v7())).context("refused too early")?;
    sleep(Duration::from_millis(700)).await;
    let refused = recorder.record(&entry("bound", Uuid::now_v7()));
    ensure!(refused.is_err(), "served after {:?} without a trace", begun.elapsed());
    let lost = recorder.finish().await;
    ensure!(lost == 2 && begun.elapsed() < Duration::from_secs(5), "{lost} after {:?}", begun.elapsed());
    parts.start_postgres().await
}

pub(crate) async fn away(parts: Parts) -> Result<()> {
    let recorder = Recorder::spawn(&sidecar(&parts)?);
    let mut taken = BTreeSet::new();
    let mut refused = 0;
    let begun = Instant::now();
    let (mut stopped, mut started) = (false, false);
    // Across a kill, in the middle of calls, and a start.
    while begun.elapsed() < Duration::from_secs(8) {
        if !stopped && begun.elapsed() > Duration::from_secs(1) {
            stopped = true;
            parts.stop_postgres().await?;
        }
        if !started && begun.elapsed() > Duration::from_millis(4500) {
            started = true;
            parts.start_postgres().await?;
        }
        let id = Uuid::now_v7();
        match recorder.record(&entry("away", id)) {
            Ok(()) => _ = taken.insert(id.to_string()),
            Err(_) => refused += 1,
        }
        sleep(Duration::from_millis(2)).await;
    }
    ensure!(recorder.finish().await == 0, "something could not be written");
    ensure!(refused > 0, "it never refused");
    let rows = written(&parts, "away").await?;
    let found: BTreeSet<_> = rows.iter().filter_map(|row| row["entity_id"].as_str().map(str::to_owned)).collect();
    ensure!(found == taken, "{} taken, {} written, {} refused", taken.len(), found.len(), refused);
    Ok(())
}
