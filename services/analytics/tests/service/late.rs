//! Late events: they change the group that they belong to, and that says so.

use anyhow::ensure;
use contracts::analytics::v1::{Cell, GetMetricRequest, Group};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use testkit::{Parts, Result};
use uuid::Uuid;

use crate::{
    asking::{metric, over},
    events::patient,
    ingest::{ingest, sidecar},
};

/// Nobody else pays in it.
const CURRENCY: &str = "SEK";

fn payment(id: Uuid, version: i64, captured: Timestamp) -> (&'static str, Value) {
    let fact = json!({ "id": id, "version": version, "time_zone": "America/New_York", "currency": CURRENCY,
                       "captured_at": captured, "amount": 100 });
    ("payments", fact)
}

/// The groups that something was paid in or that were restated, by their beginnings.
async fn told(parts: &Parts, group: Group, from: Timestamp) -> Result<Vec<Cell>> {
    let to = (Timestamp::now() + 1.hour()).to_string();
    let asked = GetMetricRequest { group: Some(group.into()), ..over("paid-in", &from.to_string(), &to) };
    let answer = metric(parts, asked).await?;
    let series = answer.series.into_iter().find(|series| series.currency_code == CURRENCY).unwrap_or_default();
    let of_any = |cell: &Cell| cell.value != Some(0.0) || cell.restated_time.is_some();
    Ok(series.items.into_iter().filter(of_any).collect())
}

fn holds(cell: &Cell, time: Timestamp, length: jiff::Span) -> bool {
    let start: Timestamp = cell.start.parse().unwrap_or_default();
    start <= time && time < start + length
}

pub(crate) async fn restate(parts: Parts) -> Result {
    let sidecar = sidecar(&parts)?;
    let now = Timestamp::now();
    let (hours_ago, days_ago, longer_ago) = (now - 3.hours(), now - 50.hours(), now - 98.hours());
    let from = now - 240.hours();
    let ids = [1, 2, 3, 4].map(|n| patient("late", n));
    ingest(&sidecar, &[payment(ids[0], 1, now), payment(ids[1], 1, hours_ago), payment(ids[2], 1, days_ago)]).await?;

    let hours = told(&parts, Group::Hour, from).await?;
    let all = [days_ago, hours_ago, now];
    ensure!(hours.len() == 3 && all.iter().zip(&hours).all(|(time, cell)| holds(cell, *time, 1.hour())), "{hours:?}");
    let restated: Vec<_> = hours.iter().map(|cell| cell.restated_time.is_some()).collect();
    ensure!(restated == [true, true, false], "the present hour is not over: {hours:?}");

    let days = told(&parts, Group::Day, from).await?;
    let restated: Vec<_> = days.iter().filter(|cell| cell.restated_time.is_some()).collect();
    ensure!(restated.len() == 1 && holds(restated[0], days_ago, 25.hours()), "only the day that is over: {days:?}");
    let sum: f64 = days.iter().filter_map(|cell| cell.value).sum();
    ensure!(Some(sum) == Some(300.0), "{days:?}");

    // A correction takes it from one day that is over to another: both are restated, and the first has nothing any more.
    let before = restated[0].restated_time;
    ingest(&sidecar, &[payment(ids[2], 2, longer_ago)]).await?;
    let days = told(&parts, Group::Day, from).await?;
    let restated: Vec<_> = days.iter().filter(|cell| cell.restated_time.is_some()).collect();
    ensure!(restated.len() == 2 && holds(restated[0], longer_ago, 25.hours()), "{days:?}");
    ensure!(restated.iter().map(|cell| cell.value).eq([Some(100.0), Some(0.0)]), "{days:?}");
    let seconds = |cell: &Cell| cell.restated_time.map(|time| (time.seconds, time.nanos));
    ensure!(seconds(restated[1]) > before.map(|time| (time.seconds, time.nanos)), "it says when it was last: {days:?}");

    // The same again changes nothing, so nothing is restated once more.
    ingest(&sidecar, &[payment(ids[2], 1, days_ago), payment(ids[2], 2, longer_ago)]).await?;
    ensure!(told(&parts, Group::Day, from).await? == days, "an old version restates nothing");

    // What is gathered anew is not late.
    parts.execute("update fact.progress set rebuilding = true").await?;
    ingest(&sidecar, &[payment(ids[3], 1, now - 146.hours())]).await?;
    parts.execute("update fact.progress set rebuilding = false").await?;
    let days = told(&parts, Group::Day, from).await?;
    let gathered: Vec<_> = days.iter().filter(|cell| holds(cell, now - 146.hours(), 25.hours())).collect();
    ensure!(gathered.iter().any(|cell| cell.value == Some(100.0) && cell.restated_time.is_none()), "{days:?}");
    Ok(())
}
