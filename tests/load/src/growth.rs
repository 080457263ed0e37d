//! `bench growth`: the same requests on a table that is a hundred times as long, and a backlog that drains.

mod drain;
pub(crate) mod loading;

use std::{fmt::Write as _, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use local::App;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

pub use self::drain::Drain;
use crate::{
    client::Client,
    goals::Goal,
    load::{Numbered, Source, closed},
    measured::{Measured, measure},
    options::Growth,
    person::People,
    report::progress,
    rig::Rig,
    sources::{Reads, Registrations, Searches},
};

const CONNECTIONS: u32 = 64;
/// So that there is a page 1,000 even among 10,000.
const PAGE: u64 = 10;
const PAGES: u64 = 1000;
const CHECKED: u64 = 20;
/// The seeds of those who are loaded and of those who register must not be the same.
const OTHERS: u64 = 1;

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub struct Grown {
    /// Each size, with its scenarios.
    pub sizes: Vec<(u64, Vec<Measured>)>,
    /// The backlog.
    pub drain: Option<Drain>,
}

/// One page of everyone, in the order of their names.
struct Pages {
    cursor: Option<Uuid>,
}

impl Source for Pages {
    fn request(&self, client: &Client, _: u64) -> Result<Request<Full<Bytes>>> {
        let cursor = self.cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        client.get(&format!("/api/patients?limit={PAGE}{cursor}"))
    }

    fn expected(&self) -> StatusCode {
        StatusCode::OK
    }
}

/// Loads, measures, loads more; then the backlog.
pub async fn run(options: &Growth, seed: u64) -> Result<Grown> {
    let rig = Rig::start(&options.setup, "growth", &options.setup.programs()?).await?;
    let grown = grow(&rig, options, seed).await;
    rig.end().await?;
    grown
}

async fn grow(rig: &Rig, options: &Growth, seed: u64) -> Result<Grown> {
    let mut grown = Grown::default();
    let people = People::new(seed);
    let registrations = Numbered::new(Registrations::new(People::new(seed.wrapping_add(OTHERS))));
    let mut loaded = 0;
    for &size in &options.sizes {
        let there = u64::try_from(rig.patients().await?)?;
        let to = loaded + size.saturating_sub(there);
        progress(&format!("loading {} patients", to - loaded));
        loading::load(rig, people, loaded, to).await?;
        loaded = to;
        check(rig, people, loaded).await?;
        let scenarios = scenarios(rig, options, people, loaded, &registrations).await?;
        grown.sizes.push((size, scenarios));
    }
    if options.backlog > 0 {
        ensure!(options.backlog <= loaded, "a backlog is of people who are loaded");
        progress(&format!("draining {} events", options.backlog));
        grown.drain = Some(drain::drain(rig, options.backlog).await?);
    }
    Ok(grown)
}

async fn scenarios(
    rig: &Rig,
    options: &Growth,
    people: People,
    loaded: u64,
    registrations: &Arc<Numbered<Registrations>>,
) -> Result<Vec<Measured>> {
    let ids = (0..loaded).map(loading::id).collect();
    let mut measured = Vec::new();
    let time = Duration::from_secs(options.seconds);
    let warm_up = Duration::from_secs(options.warm_up);
    measured.push(quiet(rig, "read", Reads { ids }, warm_up, time).await?);
    // One letter, so that the page is full at every size.
    measured.push(quiet(rig, "search", Searches { people, letters: 1 }, warm_up, time).await?);
    measured.push(quiet(rig, "page 1", Pages { cursor: None }, warm_up, time).await?);
    let cursor = Some(cursor(rig).await?);
    measured.push(quiet(rig, "page 1000", Pages { cursor }, warm_up, time).await?);
    // Last, since it makes the table longer.
    let (client, counts) = (rig.client()?, rig.counts().await?);
    let warm = closed(&client, registrations, CONNECTIONS, warm_up).await?;
    rig.quiet(counts, warm.tally.successes()).await?;
    let load = closed(&client, registrations, CONNECTIONS, time);
    measured.push(measure(rig, "register", true, load).await?);
    for scenario in &measured {
        progress(&format!("{:<10} {:>6.0}/s  p99 {:.1} ms", scenario.name, scenario.per_second, scenario.latency.p99));
    }
    Ok(measured)
}

async fn quiet<S: Source>(rig: &Rig, name: &str, source: S, warm_up: Duration, time: Duration) -> Result<Measured> {
    let (client, source) = (rig.client()?, Numbered::new(source));
    closed(&client, &source, CONNECTIONS, warm_up).await?;
    measure(rig, name, false, closed(&client, &source, CONNECTIONS, time)).await
}

/// The last patient before page 1,000: where a reader is who has turned that many pages.
async fn cursor(rig: &Rig) -> Result<Uuid> {
    let mut connection = rig.database(App::Patient).await?;
    let query = "select patient_id from projection.patients order by family, given, patient_id offset $1 limit 1";
    let before = i64::try_from((PAGES - 1) * PAGE - 1)?;
    Ok(sqlx::query_scalar(query).bind(before).fetch_one(&mut connection).await?)
}

/// That the service reads those who were loaded, and finds them.
async fn check(rig: &Rig, people: People, loaded: u64) -> Result<()> {
    let client = rig.client()?;
    for nth in 0..CHECKED {
        let n = nth * loaded / CHECKED;
        let id = loading::id(n).to_string();
        let read = client.send(client.get(&format!("/api/patients/{id}"))?).await?;
        ensure!(read.status == StatusCode::OK, "patient/{id} is answered {}", read.status);
        let patient: Value = serde_json::from_slice(&read.body)?;
        let family = patient["name"][0]["family"].as_str().context("no family name")?;
        ensure!(family.to_lowercase().starts_with(&people.prefix(n, 2)), "patient/{id} is somebody else");
        let found = client.send(client.get(&format!("/api/patients?family={family}"))?).await?;
        let found: Value = serde_json::from_slice(&found.body)?;
        ensure!(
            found["items"].as_array().is_some_and(|items| items.iter().any(|item| item["id"] == *id)),
            "{id} is not found"
        );
    }
    Ok(())
}

impl Grown {
    /// How much longer a request takes at the last size than at the first; none for what was not measured.
    pub fn ratio(&self, name: &str) -> Option<f64> {
        let speed = |(_, scenarios): &(u64, Vec<Measured>)| {
            Some(scenarios.iter().find(|scenario| scenario.name == name)?.per_second)
        };
        Some(speed(self.sizes.first()?)? / speed(self.sizes.last()?)?)
    }

    /// A table of it all.
    pub fn table(&self) -> String {
        let mut text = format!("{:<12}", "requests/s");
        for (size, _) in &self.sizes {
            let _ = write!(text, "{size:>12}{:>12}{:>12}", "p99 ms", "CPU ms");
        }
        text += "  slower by\n";
        let names =
            self.sizes.first().map(|(_, scenarios)| scenarios.iter().map(|s| s.name.clone()).collect::<Vec<_>>());
        for (index, name) in names.unwrap_or_default().iter().enumerate() {
            let _ = write!(text, "{name:<12}");
            for scenario in self.sizes.iter().filter_map(|(_, scenarios)| scenarios.get(index)) {
                let (speed, p99, cpu) = (scenario.per_second, scenario.latency.p99, scenario.cpu);
                let _ = write!(text, "{speed:>12.0}{p99:>12.1}{cpu:>12.3}");
            }
            let _ = writeln!(text, "{:>11.2}", self.ratio(name).unwrap_or_default());
        }
        if let Some(Drain { events, seconds, per_second, counted }) = self.drain {
            let _ = writeln!(
                text,
                "\nbacklog: {events} events left in {seconds:.1} s, {per_second:.0} a second; all counted after {counted:.1} s"
            );
        }
        text
    }

    /// What is wanted of it.
    pub fn goals(&self) -> Vec<Goal> {
        let mut goals: Vec<_> = [
            ("read by id, slower by", "read", 1.3),
            ("search by family name, slower by", "search", 1.3),
            ("page 1, slower by", "page 1", 1.3),
            ("page 1000, slower by", "page 1000", 1.3),
            ("registration, slower by", "register", 1.5),
        ]
        .map(|(what, name, wanted)| Goal::at_most(what, wanted, self.ratio(name)))
        .into();
        goals.push(Goal::at_least("events of a backlog, a second", 5000.0, self.drain.map(|drain| drain.per_second)));
        goals
    }
}
