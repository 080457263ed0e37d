//! Figures, live and made anew.

use std::time::{Duration, Instant};

use access::Role;
use anyhow::{Context as _, Result, bail, ensure};
use local::App;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, query_scalar};

use crate::{
    door::Door,
    people::person,
    stage::{Stage, within},
};

const STREAM: &str = "/api/analytics/stream";
/// What the issue of a dashboard asks of nearly all changes; measured by itself in `bench analytics`.
const SEEN_WITHIN: Duration = Duration::from_secs(3);

/// The pause between two comparisons, and what three of them take that find something.
const HEARD_AGAIN: Duration = Duration::from_mins(1);

/// Server-sent events as they come.
struct Events {
    response: Response,
    read: String,
}

impl Events {
    async fn of(door: &Door, after: Option<&str>) -> Result<Self> {
        let mut request = door.request(Method::GET, STREAM).header("accept", "text/event-stream");
        if let Some(id) = after {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await?;
        ensure!(response.status() == 200, "{}: {}", response.status(), response.text().await?);
        ensure!(response.headers()["content-type"] == "text/event-stream", "{:?}", response.headers());
        Ok(Self { response, read: String::new() })
    }

    /// The next event: its id and its data.
    async fn next(&mut self) -> Result<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let found = field("event: ").zip(field("data: ")).zip(field("id: "));
                self.read = rest.to_owned();
                if let Some(((name, data), id)) = found {
                    ensure!(name == "overview", "an event is called {name}");
                    return Ok((id, serde_json::from_str(&data)?));
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await??;
            self.read += &String::from_utf8(chunk.context("the stream has ended")?.to_vec())?;
        }
    }
}

/// The figure of a metric, where an event has it.
fn figure(event: &Value, metric: &str) -> Option<f64> {
    event["items"].as_array()?.iter().find(|item| item["metric"] == metric)?["current"]["value"].as_f64()
}

pub(crate) async fn are_live(stage: &Stage) -> Result<()> {
    stage.settled().await?;
    let (clerk, manager) = (stage.public(Role::FrontDesk)?, stage.public(Role::Admin)?);
    let mut events = Events::of(&manager, None).await?;
    let (_, everything) = events.next().await?;
    let before = figure(&everything, "registrations").context("not everything is told at first")?;
    ensure!(figure(&everything, "no-shows").is_some(), "{everything}");

    clerk.registered(&person()).await?;
    let begun = Instant::now();
    let id = loop {
        let (id, event) = events.next().await?;
        if figure(&event, "registrations").is_some_and(|now| now > before) {
            ensure!(figure(&event, "no-shows").is_none(), "what has not changed is told: {event}");
            break id;
        }
        ensure!(begun.elapsed() < SEEN_WITHIN, "nothing is told of a registration: {event}");
    };
    ensure!(begun.elapsed() < SEEN_WITHIN, "{:?}", begun.elapsed());
    drop(events);

    // Whoever was away is told what they have missed, and nothing else.
    clerk.registered(&person()).await?;
    stage.settled().await?;
    let (_, missed) = Events::of(&manager, Some(&id)).await?.next().await?;
    ensure!(figure(&missed, "registrations").is_some_and(|now| now >= before + 2.0), "{missed}");
    ensure!(figure(&missed, "no-shows").is_none(), "{missed}");

    let wrong = manager.request(Method::GET, STREAM).header("last-event-id", "yesterday").send().await?;
    ensure!(wrong.status() == 422, "{}", wrong.status());
    let nobody = manager.without_token().get(STREAM).await?;
    ensure!(nobody.status == 401, "{}", nobody.status);
    Ok(())
}

/// Every rollup that is not nothing.
async fn rollups(stage: &Stage) -> Result<Vec<Value>> {
    const KEPT: &str = "
        select to_jsonb(kept) from (
            select measure, unit, start, axis, clinic_id, practitioner_id, service, payer, currency, 0 as bin, value, things
            from fact.rollups join fact.dimensions using (dimension_id)
            union all
            select measure, unit, start, axis, clinic_id, practitioner_id, service, payer, currency, bin, sum(n), sum(n)
            from fact.distributions join fact.dimensions using (dimension_id)
            cross join lateral (select bin, coalesce(n, 1) as n from unnest(bins, counts) as bins(bin, n)) as counted
            group by measure, unit, start, dimensions.dimension_id, bin
            union all
            select measure, unit, start, null, null, null, null, null, currency, bin, value, things from fact.totals) as kept
        where value <> 0 or things <> 0
        order by measure, unit, start, axis, clinic_id, practitioner_id, service, payer, currency, bin";
    let mut analytics = stage.database(App::Analytics).await?;
    Ok(query_scalar(AssertSqlSafe(KEPT)).fetch_all(&mut analytics).await?)
}

pub(crate) async fn made_anew_are_the_same(stage: &Stage) -> Result<()> {
    stage.settled().await?;
    let manager = stage.public(Role::Admin)?;
    let rebuild = async |role: Role| -> Result<u16> {
        let request = stage.public(role)?.request(Method::POST, "/api/analytics/rebuild").json(&json!({}));
        Ok(request.send().await?.status().as_u16())
    };
    for role in [Role::Analyst, Role::Biller] {
        ensure!(rebuild(role).await? == 403, "{role}");
    }
    let before = rollups(stage).await?;
    ensure!(before.len() > 200, "{} rollups are too few to tell anything", before.len());
    ensure!(rebuild(Role::Admin).await? == 200, "it does not begin");
    let done = async || {
        let answer = manager.get("/api/analytics/metrics/registrations").await?;
        match answer.status {
            200 => Ok(true),
            503 => Ok(false),
            status => bail!("{status}: {}", answer.body),
        }
    };
    stage.eventually("all figures are there again", done).await?;
    let after = rollups(stage).await?;
    let missing: Vec<_> = before.iter().filter(|row| !after.contains(row)).take(5).collect();
    let surplus: Vec<_> = after.iter().filter(|row| !before.contains(row)).take(5).collect();
    ensure!(before == after, "{} and {}: missing {missing:?}, surplus {surplus:?}", before.len(), after.len());
    Ok(())
}

/// Makes analytics forget events as if they had never come: facts of a kind, and what they count for.
async fn forget(stage: &Stage, kind: &str, count: u8) -> Result<()> {
    let forgotten = format!(
        "with chosen as (select id from fact.{kind} order by md5(id::text) limit {count}), counted as (
            select fact.apply(array(select m from fact.{kind}_measures(array(
                select f from fact.{kind} f join chosen using (id))) m), '{{}}'))
         delete from fact.{kind} where id in (select id from chosen) and exists (select from counted)"
    );
    let mut analytics = stage.database(App::Analytics).await?;
    let done = sqlx::query(AssertSqlSafe(forgotten)).execute(&mut analytics).await?;
    ensure!(done.rows_affected() == u64::from(count), "{kind}: {} are forgotten", done.rows_affected());
    Ok(())
}

pub(crate) async fn are_heard_again(stage: &Stage) -> Result<()> {
    stage.settled().await?;
    let before = rollups(stage).await?;
    for (kind, count) in [("patients", 3), ("invoices", 2), ("entries", 4)] {
        forget(stage, kind, count).await?;
    }
    ensure!(rollups(stage).await? != before, "nothing is forgotten");
    within(HEARD_AGAIN, "what was forgotten is known again", async || Ok(rollups(stage).await? == before)).await?;
    Ok(())
}
