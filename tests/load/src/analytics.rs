//! `bench analytics`: how soon a listener is told, what a hundred of them cost, what is asked of a year, and how fast events are
//! counted.

mod backlog;
mod events;
mod history;
mod queries;
mod streams;

use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

pub use self::{
    backlog::Backlog,
    history::Ingest,
    queries::Query,
    streams::{Listening, Told},
};
use crate::{goals::Goal, options::Analytics, report::progress, rig::Rig};

/// The seeds of those who register for one measurement and for another must not be the same.
const OTHERS: u64 = 1;
/// What is asked of a year may take so long, p95 in milliseconds.
const ANSWER: f64 = 100.0;

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// How soon a listener is told.
    pub told: Told,
    /// What a hundred who listen cost.
    pub listening: Vec<Listening>,
    /// How many appointments of a year there are.
    pub facts: u64,
    /// What is asked of them, slowest first.
    pub queries: Vec<Query>,
    /// `api.ingest` alone.
    pub ingest: Vec<Ingest>,
    /// Events that had to wait.
    pub backlog: Backlog,
}

/// Starts a system and measures; what is counted last is counted among all that was loaded.
pub async fn run(options: &Analytics, seed: u64) -> Result<Measured> {
    let rig = Rig::start(&options.setup, "analytics", &options.setup.programs()?).await?;
    let measured = measured(&rig, options, seed).await;
    rig.end().await?;
    measured
}

async fn measured(rig: &Rig, options: &Analytics, seed: u64) -> Result<Measured> {
    progress("registering at 200 events a second, with one who listens");
    let told = streams::told(rig, seed, options.seconds).await?;
    progress("a hundred who listen, beside none");
    let listening = streams::listening(rig, seed ^ OTHERS, options.seconds).await?;
    progress(&format!("loading {} appointments of a year", options.facts));
    let mut history = history::History::open(rig, options.facts).await?;
    history.load().await?;
    progress("questions about the year");
    let queries = queries::measure(rig, options.facts, options.times).await?;
    progress("api.ingest alone");
    let ingest = history.ingest().await?;
    progress(&format!("publishing {} events while analytics is away", options.backlog));
    let backlog = backlog::drain(rig, options.backlog).await?;
    Ok(Measured { told, listening, facts: options.facts, queries, ingest, backlog })
}

impl Measured {
    /// Tables of it all.
    pub fn table(&self) -> String {
        let Told { events_per_second, registrations, latency, missed, .. } = &self.told;
        let mut text = format!(
            "Acknowledged to told, {events_per_second} events a second, {registrations} registrations: p50 {:.0} ms, p95 {:.0} ms, \
             p99 {:.0} ms, at most {:.0} ms; {missed} never told\n\n",
            latency.p50, latency.p95, latency.p99, latency.max
        );
        let _ = writeln!(text, "{:<52}{:>9}{:>9}{:>9}", "CPU, ms a second", "none", "hundred", "events");
        for listening in &self.listening {
            let _ = writeln!(text, "{} registrations a second", listening.registrations);
            for (name, without) in &listening.without {
                let with = listening.with.get(name).copied().unwrap_or_default();
                let _ = writeln!(text, "  {name:<50}{without:>9.1}{with:>9.1}");
            }
            let cost = 100.0 * listening.cost();
            let _ = writeln!(text, "  {:<50}{:>9}{cost:>8.1}%{:>9}", "a hundred, of a core", "", listening.events);
        }
        let _ = writeln!(text, "\n{:<120}{:>9}{:>9}{:>9}", "ms, among a year of facts", "p50", "p95", "KiB");
        for Query { path, latency, size, .. } in &self.queries {
            let path = path.trim_start_matches("/api/analytics/");
            let _ = writeln!(text, "{path:<120}{:>9.1}{:>9.1}{size:>9.1}", latency.p50, latency.p95);
        }
        text.push('\n');
        for Ingest { batch, per_second } in &self.ingest {
            let _ = writeln!(text, "api.ingest alone, {batch} new appointments at once: {per_second:.0} a second");
        }
        let Backlog { events, visits, seconds, per_second, cpu_by_process } = &self.backlog;
        let _ =
            writeln!(text, "\nbacklog: {events} events of {visits} visits in {seconds:.1} s, {per_second:.0} a second");
        for (name, part) in cpu_by_process.iter().filter(|(_, part)| **part >= 0.005) {
            let _ = writeln!(text, "  {name:<30}{:>7.1}% of a core", 100.0 * part);
        }
        let _ = writeln!(text, "\n{} errors", self.errors());
        text
    }

    /// What is wanted of it.
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    pub fn goals(&self) -> Vec<Goal> {
        let worst = self.queries.iter().map(|query| query.latency.p95).reduce(f64::max);
        let cost = |registrations| {
            let listening = self.listening.iter().find(|listening| listening.registrations == registrations);
            listening.map(Listening::cost)
        };
        let late = self.queries.iter().filter(|query| query.latency.p95 > ANSWER).count();
        vec![
            Goal::at_least("events counted a second, of a backlog", 5_000.0, Some(self.backlog.per_second)),
            Goal::at_most("ms until told, 200 events a second, p50", 500.0, Some(self.told.latency.p50)),
            Goal::at_most("ms until told, 200 events a second, p99", 2_000.0, Some(self.told.latency.p99)),
            Goal::at_most("registrations that were never told", 0.0, Some(self.told.missed as f64)),
            Goal::at_most("ms of the slowest question about a year, p95", ANSWER, worst),
            Goal::at_most("questions that take longer, p95", 0.0, Some(late as f64)),
            Goal::at_most("of a core for 100 who listen, nothing new", 0.1, cost(0)),
            Goal::at_most("of a core for 100 who listen, 20 a second", 0.1, cost(streams::CALMLY)),
            Goal::at_most("errors", 0.0, Some(self.errors() as f64)),
        ]
    }

    /// Requests that were not answered as they should.
    pub fn errors(&self) -> u64 {
        self.told.errors + self.told.missed + self.queries.iter().map(|query| query.errors).sum::<u64>()
    }
}
