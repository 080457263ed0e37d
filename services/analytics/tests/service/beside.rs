//! The overview: figures beside those of the period before and of the year before.

use access::Role;
use anyhow::{Context as _, ensure};
use contracts::analytics::v1::{Cell, Comparison, GetMetricRequest, GetOverviewRequest, Group};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use testkit::{Parts, Result};

use crate::{
    asking::{figures, metric, over, values},
    events::patient,
    ingest::{ingest, sidecar},
};

/// Encounters of a clinic of the test's own.
fn encounters(count: usize, day: Date) -> Result<Vec<(&'static str, Value)>> {
    // Noon, or now when that is still to come.
    let noon = day.at(12, 0, 0, 0).to_zoned(zone()?)?.timestamp().min(Timestamp::now());
    let one = |n| {
        let fact = json!({
            "id": patient(&format!("beside {day}"), n), "version": 1, "time_zone": "America/New_York",
            "patient_id": patient("beside whom", n), "clinic_id": patient("beside clinic", 0), "practitioner_id": null,
            "walk_in": false, "finished": true, "started_at": noon, "services": [],
        });
        ("encounters", fact)
    };
    Ok((0..count).map(one).collect())
}

fn zone() -> Result<TimeZone> {
    Ok(TimeZone::get("America/New_York")?)
}

pub(crate) async fn earlier_periods(parts: Parts) -> Result {
    let today = Timestamp::now().to_zoned(zone()?).date();
    let (yesterday, year_ago) = (today.yesterday()?, today.checked_sub(1.year())?);
    let mut facts = encounters(2, today)?;
    facts.extend(encounters(3, yesterday)?);
    facts.extend(encounters(4, year_ago)?);
    ingest(&sidecar(&parts)?, &facts).await?;

    let clinic_id = Some(patient("beside clinic", 0).to_string());
    let mut client = figures(&parts, Role::Admin).await?;
    let answer =
        client.get_overview(GetOverviewRequest { period: None, clinic_id: clinic_id.clone() }).await?.into_inner();
    let item = answer.items.iter().find(|item| item.metric == "encounters").context("no encounters")?;
    let told = [&item.current, &item.previous_period, &item.previous_year];
    let told = told.map(|cell| cell.as_ref().and_then(|cell| cell.value));
    ensure!(told == [2.0, 3.0, 4.0].map(Some), "{told:?}");
    ensure!(answer.period() == Group::Day && answer.from.starts_with(&today.to_string()), "{answer:?}");
    // What no clinic is known of is not told of one.
    ensure!(answer.items.iter().all(|item| item.metric != "registrations"), "{answer:?}");

    let total = |cell: Option<Cell>| cell.and_then(|cell| cell.value);
    for (compare, expected) in [(Comparison::PreviousPeriod, 3.0), (Comparison::PreviousYear, 4.0)] {
        let asked = GetMetricRequest {
            compare: Some(compare.into()),
            clinic_id: clinic_id.clone(),
            ..over("encounters", &today.to_string(), &today.tomorrow()?.to_string())
        };
        let answer = metric(&parts, asked).await?;
        ensure!(values(&answer) == [Some(2.0)], "{answer:?}");
        ensure!(total(answer.series[0].compared.clone()) == Some(expected), "{compare:?}: {answer:?}");
        ensure!(answer.series[0].compared_items[0].value == Some(expected), "{answer:?}");
    }
    Ok(())
}
