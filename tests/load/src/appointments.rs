//! `bench appointments`: charts of different length, the search for a free time, and bookings at a clinic's pace.
//!
//! What is compared is asked in turns, so that both meet the machine in the same moods.

mod clinic;
mod requests;

use std::{fmt::Write as _, sync::Arc, time::Duration};

use access::Role;
use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use uuid::Uuid;

use self::{
    clinic::Clinic,
    requests::{Bookings, Observations, page_of_chart, page_of_slots},
};
use crate::{
    client::Client,
    goals::Goal,
    load::{Numbered, Source, closed, open},
    options::Appointments,
    person::People,
    report::progress,
    rig::Rig,
    sources::{Reads, Registrations},
    tally::{Latency, Tally},
};

const CONNECTIONS: u32 = 8;
/// How long one way is taken until it is the other's turn, and how often both are.
const TURN: Duration = Duration::from_millis(250);
const TURNS: u32 = 20;
const SHORT_CHART: u64 = 50;
const LONG_CHART: u64 = 5000;
/// As many as the appointments at one time, and as at several.
const PATIENTS: usize = 200;
const BOOKINGS_A_MINUTE: u32 = 1000;

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// The newest page of a chart of 5,000 observations, and of one of 50.
    pub charts: Compared,
    /// A practitioner's free times of a month, and a read by id.
    pub slots: Compared,
    /// 1,000 bookings a minute at 50 practitioners.
    pub bookings: Booked,
}

/// Two requests in turns.
#[derive(Debug, Serialize)]
pub struct Compared {
    /// The one.
    pub one: Latency,
    /// What it is compared with.
    pub other: Latency,
    /// Requests that were not answered as they should.
    pub errors: u64,
}

/// What the bookings came to.
#[derive(Debug, Serialize)]
pub struct Booked {
    /// How many were acknowledged.
    pub acknowledged: u64,
    /// How long each took.
    pub latency: Latency,
    /// Requests that were not answered as they should.
    pub errors: u64,
}

/// Starts a system, fills it and measures.
pub async fn run(options: &Appointments, seed: u64) -> Result<Measured> {
    let rig = Rig::start(&options.setup, "appointments", &options.setup.programs()?).await?;
    let measured = measured(&rig, options, seed).await;
    rig.end().await?;
    measured
}

async fn measured(rig: &Rig, options: &Appointments, seed: u64) -> Result<Measured> {
    progress("registering patients, opening a clinic");
    let patients = registered(rig, seed).await?;
    let clinic = Clinic::open(&rig.client()?).await?;
    let [short, long] = [patients[0], patients[1]];
    progress("writing 50 observations into one chart and 5,000 into another");
    let nurse = rig.client_of(Role::Nurse)?;
    for (patient, count) in [(short, SHORT_CHART), (long, LONG_CHART)] {
        fill(&nurse, Observations { patient }, count).await?;
    }
    // The first day of the month that is searched is full of the bookings of `fill`.
    fill(&rig.client()?, Bookings::of_one_practitioner(&clinic, &patients), clinic::TIMES_A_DAY).await?;

    progress("the newest page of both charts, in turns");
    let [long, short] = [long, short].map(|patient| Numbered::new(page_of_chart(patient)));
    let charts = in_turns(&nurse, &long, &short).await?;
    progress("a practitioner's month, and reads by id, in turns");
    let month = Numbered::new(page_of_slots(&clinic));
    let reads = Numbered::new(Reads { ids: patients.clone() });
    let slots = in_turns(&rig.client()?, &month, &reads).await?;

    progress("1,000 bookings a minute");
    let bookings = Numbered::new(Bookings::of_all(&clinic, &patients));
    let time = Duration::from_secs(options.seconds);
    let loaded = open(&rig.client()?, &bookings, BOOKINGS_A_MINUTE / 60 + 1, time).await?;
    let bookings = Booked {
        acknowledged: loaded.tally.successes(),
        latency: loaded.tally.latency(),
        errors: loaded.tally.errors().values().sum(),
    };
    for (error, count) in loaded.tally.errors() {
        progress(&format!("{count} bookings were answered {error}"));
    }
    Ok(Measured { charts, slots, bookings })
}

async fn registered(rig: &Rig, seed: u64) -> Result<Vec<Uuid>> {
    let source = Numbered::new(Registrations::new(People::new(seed)));
    let client = rig.client()?;
    while source.source().registered().len() < PATIENTS {
        closed(&client, &source, CONNECTIONS, TURN).await?;
    }
    Ok(source.source().registered().into_iter().map(|(id, _)| id).take(PATIENTS).collect())
}

/// Sends so many requests of a source, each of which has to be answered as it should.
async fn fill(client: &Client, source: impl Source, count: u64) -> Result<()> {
    let source = Arc::new(source);
    let mut senders = tokio::task::JoinSet::new();
    for first in 0..u64::from(CONNECTIONS) {
        let (client, source) = (client.clone(), Arc::clone(&source));
        senders.spawn(async move {
            for n in (first..count).step_by(CONNECTIONS as usize) {
                let answer = client.send(source.request(&client, n)?).await?;
                ensure!(
                    answer.status == source.expected(),
                    "request {n} was answered {}: {}",
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                );
            }
            Ok(())
        });
    }
    while let Some(ended) = senders.join_next().await {
        ended.context("a sender")??;
    }
    Ok(())
}

async fn in_turns<One: Source, Other: Source>(
    client: &Client,
    one: &Arc<Numbered<One>>,
    other: &Arc<Numbered<Other>>,
) -> Result<Compared> {
    closed(client, one, CONNECTIONS, TURN).await?;
    closed(client, other, CONNECTIONS, TURN).await?;
    let (mut of_one, mut of_other) = (Tally::new()?, Tally::new()?);
    for _ in 0..TURNS {
        of_one.add(&closed(client, one, CONNECTIONS, TURN).await?.tally)?;
        of_other.add(&closed(client, other, CONNECTIONS, TURN).await?.tally)?;
    }
    let errors = of_one.errors().values().chain(of_other.errors().values()).sum();
    Ok(Compared { one: of_one.latency(), other: of_other.latency(), errors })
}

impl Measured {
    /// A table of it all.
    pub fn table(&self) -> String {
        let mut text = format!("{:<44}{:>9}{:>9}{:>9}\n", "ms", "p50", "p95", "p99");
        for (name, latency) in [
            ("newest page of a chart of 5,000 observations", self.charts.one),
            ("newest page of a chart of 50", self.charts.other),
            ("free times of a practitioner in a month", self.slots.one),
            ("patient by id", self.slots.other),
            ("a booking, 1,000 a minute", self.bookings.latency),
        ] {
            let _ = writeln!(text, "{name:<44}{:>9.2}{:>9.2}{:>9.2}", latency.p50, latency.p95, latency.p99);
        }
        let _ = writeln!(text, "\n{} bookings, {} errors", self.bookings.acknowledged, self.errors());
        text
    }

    /// What is wanted of it.
    pub fn goals(&self) -> Vec<Goal> {
        let Compared { one, other, .. } = &self.charts;
        let (month, read) = (self.slots.one, self.slots.other);
        vec![
            Goal::at_most("newest page, 5,000 observations by 50, p50", 1.3, Some(one.p50 / other.p50)),
            Goal::at_most("a practitioner's month by a read by id, p95", 3.0, Some(month.p95 / read.p95)),
            #[expect(clippy::cast_precision_loss, reason = "a count of errors")]
            Goal::at_most("errors", 0.0, Some(self.errors() as f64)),
        ]
    }

    /// Requests that were not answered as they should.
    pub fn errors(&self) -> u64 {
        self.charts.errors + self.slots.errors + self.bookings.errors
    }
}
