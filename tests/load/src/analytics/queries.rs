//! Questions about a year, one after another, as the page asks them.

use std::sync::Arc;

use access::Role;
use anyhow::{Context as _, Result, ensure};
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::events::nth;
use crate::{
    client::Client,
    load::Source as _,
    rig::Rig,
    sources::Page,
    tally::{Latency, Tally},
};

/// How often each is asked before it is measured.
const WARM_UP: u64 = 2;
const METRICS: &str = "/api/analytics/metrics";

/// A question about a year.
#[derive(Clone, Debug, Serialize)]
pub struct Query {
    /// What is asked.
    pub path: String,
    /// How long the answer took.
    pub latency: Latency,
    /// KiB of the answer.
    pub size: f64,
    /// Questions that were not answered as they should.
    pub errors: u64,
}

/// Asks each so often; the worst come first.
pub(super) async fn measure(rig: &Rig, facts: u64, times: u64) -> Result<Vec<Query>> {
    let client = rig.client_of(Role::Admin)?;
    let (from, to) = year()?;
    check(&client, &format!("{METRICS}/appointments-booked?from={from}&to={to}&group=month"), facts).await?;
    let mut queries = Vec::new();
    for path in paths(&from, &to) {
        // A token lasts ten minutes, which may be less than all of them take.
        queries.push(ask(&rig.client_of(Role::Admin)?, path, times).await?);
    }
    queries.sort_by(|one, other| other.latency.p95.total_cmp(&one.latency.p95));
    Ok(queries)
}

/// From a year ago until today, not included.
fn year() -> Result<(String, String)> {
    let today = Timestamp::now().in_tz("America/New_York")?.date();
    Ok((today.checked_sub(366.days())?.to_string(), today.tomorrow()?.to_string()))
}

fn paths(from: &str, to: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let (clinic, practitioner, service) = (nth("clinic", 1), nth("practitioner", 1), nth("service", 1));
    // A count, a ratio, a level over all that was before, and distributions.
    for metric in
        ["appointments-booked", "no-show-rate", "patient-load", "wait-time-median", "lead-time-p90", "utilisation"]
    {
        let told_by: &[&str] = if ["patient-load", "utilisation"].contains(&metric) {
            &["clinic", "practitioner"]
        } else {
            &["clinic", "practitioner", "service"]
        };
        for group in ["day", "week", "month"] {
            let asked = format!("{METRICS}/{metric}?from={from}&to={to}&group={group}");
            paths.extend(told_by.iter().map(|by| format!("{asked}&by={by}")));
            paths.push(format!("{asked}&clinicId={clinic}"));
            paths.push(format!("{asked}&clinicId={clinic}&by=practitioner"));
            paths.push(format!("{asked}&practitionerId={practitioner}"));
            if told_by.contains(&"service") {
                paths.push(format!("{asked}&service={service}&by=clinic"));
            }
            paths.push(asked);
        }
    }
    paths.push(format!("{METRICS}/panel?from={from}&to={to}&group=day"));
    paths.push(format!("{METRICS}/appointments-kept?from={from}&to={to}&group=day&compare=previous-year"));
    for period in ["day", "week", "month"] {
        paths.push(format!("/api/analytics/overview?period={period}"));
    }
    paths
}

async fn ask(client: &Client, path: String, times: u64) -> Result<Query> {
    let (source, mut tally, mut size) = (Arc::new(Page(path.clone())), Tally::new()?, 0);
    let begun = Instant::now();
    for n in 0..WARM_UP + times {
        let sent = Instant::now();
        let answer = client.send(source.request(client, n)?).await?;
        size = answer.body.len();
        if answer.status != source.expected() {
            tally.error(format!("{} {}", answer.status.as_u16(), String::from_utf8_lossy(&answer.body)));
        } else if n >= WARM_UP {
            tally.success(sent.elapsed(), begun.elapsed());
        }
    }
    for (error, count) in tally.errors() {
        crate::report::progress(&format!("{path}: {count} times {error}"));
    }
    let errors = tally.errors().values().sum();
    Ok(Query { path, latency: tally.latency(), size: crate::tally::quotient(size as u64, 1024), errors })
}

/// That what is asked is about all that was loaded.
async fn check(client: &Client, path: &str, facts: u64) -> Result<()> {
    let answer = client.send(client.get(path)?).await?;
    let told: Value = serde_json::from_slice(&answer.body).with_context(|| format!("{path}: {}", answer.status))?;
    let total = told["series"][0]["total"]["value"].as_f64().with_context(|| format!("{path}: no total in {told}"))?;
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let wanted = facts as f64;
    ensure!(total >= wanted, "{total} of {facts} appointments are counted");
    Ok(())
}
