//! What analysts are not told, beside what an administrator is.

use std::collections::BTreeMap;

use access::Role;
use anyhow::{Context as _, ensure};
use contracts::analytics::v1::{
    Cell, Comparison, Dimension, GetMetricRequest, GetMetricResponse, GetOverviewRequest, OverviewItem, Series,
    WatchOverviewRequest,
};
use jiff::{Timestamp, ToSpan as _};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result};

use crate::{
    asking::{figures, over},
    events::patient,
    ingest::{ingest, sidecar},
};

type Told = (&'static str, Value);

/// `count` of something, each with a number of its own.
fn some(count: usize, name: &str, of: impl Fn(usize, String) -> Told) -> Vec<Told> {
    (0..count).map(|n| of(n, format!("suppressed {name}"))).collect()
}

fn registered(count: usize, day: &str) -> Vec<Told> {
    some(count, day, |n, name| {
        let time = format!("{day}T12:00:00Z");
        let fact = json!({ "id": patient(&name, n), "version": 1, "time_zone": "America/New_York", "registered_at": time,
                           "changed_at": time, "gender": null, "age_band": null, "active": true });
        ("patients", fact)
    })
}

fn appointments(count: usize, day: &str, status: &str, practitioner: usize) -> Vec<Told> {
    some(count, &format!("{day} {status} {practitioner}"), |n, name| {
        let time = format!("{day}T15:00:00Z");
        let fact = json!({
            "id": patient(&name, n), "version": 1, "time_zone": "America/New_York", "clinic_id": patient("suppressed clinic", 0),
            "practitioner_id": patient("suppressed practitioner", practitioner), "service_id": patient("suppressed service", 0),
            "status": status, "created_at": time, "booked_at": time, "start_at": time, "end_at": time, "arrived_at": null,
            "started_at": null, "finished_at": null, "cancelled_late": false, "reschedules": 0, "waited": false,
        });
        ("appointments", fact)
    })
}

fn encounters(count: usize, whose: &str, clinic: usize, time: Timestamp) -> Vec<Told> {
    some(count, &format!("{whose} {clinic}"), |n, name| {
        let fact = json!({
            "id": patient(&name, n), "version": 1, "time_zone": "America/New_York", "patient_id": patient(whose, n),
            "clinic_id": patient("suppressed clinic", clinic), "practitioner_id": null, "walk_in": false, "finished": true,
            "started_at": time, "services": [],
        });
        ("encounters", fact)
    })
}

async fn both(parts: &Parts, asked: GetMetricRequest) -> Result<[GetMetricResponse; 2]> {
    let admin = figures(parts, Role::Admin).await?.get_metric(asked.clone()).await?.into_inner();
    let analyst = figures(parts, Role::Analyst).await?.get_metric(asked).await?.into_inner();
    for cell in analyst.series.iter().flat_map(cells) {
        let hidden = cell.value.is_none() && cell.restated_time.is_none();
        ensure!(!cell.suppressed || hidden, "told although it is suppressed: {cell:?}");
    }
    let of_admin = admin.series.iter().flat_map(cells).all(|cell| !cell.suppressed);
    ensure!(of_admin, "an administrator is told everything: {admin:?}");
    Ok([admin, analyst])
}

fn cells(series: &Series) -> impl Iterator<Item = &Cell> {
    series.items.iter().chain(&series.total).chain(&series.compared).chain(&series.compared_items)
}

/// The figures; `None` where they are suppressed.
fn told<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> Vec<Option<f64>> {
    cells.into_iter().map(|cell| if cell.suppressed { None } else { cell.value }).collect()
}

/// 20, 3, none and 12 patients were registered on four days of 2012.
async fn register(parts: &Parts) -> Result {
    let days = [(20, "2012-03-05"), (3, "2012-03-06"), (12, "2012-03-08")];
    let told: Vec<_> = days.into_iter().flat_map(|(count, day)| registered(count, day)).collect();
    Ok(ingest(&sidecar(parts)?, &told).await?)
}

pub(crate) async fn counts(parts: Parts) -> Result {
    register(&parts).await?;
    let [admin, analyst] = both(&parts, over("registrations", "2012-03-05", "2012-03-09")).await?;
    ensure!(told(&admin.series[0].items) == [20.0, 3.0, 0.0, 12.0].map(Some), "{admin:?}");
    // The 3 would be told by the total, so that the next smallest is not told either.
    ensure!(told(&analyst.series[0].items) == [Some(20.0), None, Some(0.0), None], "{analyst:?}");
    ensure!(told(&analyst.series[0].total) == [Some(35.0)], "{analyst:?}");
    let [_, analyst] = both(&parts, over("registrations", "2012-03-06", "2012-03-07")).await?;
    ensure!(told(&analyst.series[0].total) == [None], "{analyst:?}");

    // Beside the four days after.
    let compare = Some(Comparison::PreviousPeriod.into());
    let later = GetMetricRequest { compare, ..over("registrations", "2012-03-09", "2012-03-13") };
    let [_, analyst] = both(&parts, later).await?;
    ensure!(told(&analyst.series[0].items) == [Some(0.0); 4], "{analyst:?}");
    ensure!(told(&analyst.series[0].compared_items) == [Some(20.0), None, Some(0.0), None], "{analyst:?}");
    ensure!(told(&analyst.series[0].compared) == [Some(35.0)], "{analyst:?}");

    // As comma-separated values.
    let path = "/api/analytics/metrics/registrations/export?from=2012-03-05&to=2012-03-09";
    let table = parts.request(Method::GET, path).bearer_auth(parts.token(Role::Analyst)?).send().await?.text().await?;
    let told: Vec<_> =
        table.lines().skip(1).map(|line| line.split(',').skip(4).collect::<Vec<_>>().join(",")).collect();
    ensure!(told[1] == ",suppressed,," && told[3] == ",suppressed,,", "{table}");
    ensure!(told[0].starts_with("20,,") && told[2].starts_with("0,,"), "{table}");
    Ok(())
}

pub(crate) async fn levels(parts: Parts) -> Result {
    register(&parts).await?;
    let compare = Some(Comparison::PreviousPeriod.into());
    let [admin, analyst] = both(&parts, over("panel", "2012-03-05", "2012-03-09")).await?;
    let all = told(&admin.series[0].items);
    let before = all[0].context("no level")? - 20.0;
    ensure!(all == [20.0, 23.0, 23.0, 35.0].map(|new| Some(before + new)), "{admin:?}");
    // On the third day nobody was new: its level is that of the second, which tells the 3.
    ensure!(told(&analyst.series[0].items) == [all[0], None, None, all[3]], "{analyst:?}");
    // Two days that nobody was new on, beside the two before, of which the second is not told.
    let [_, analyst] = both(&parts, GetMetricRequest { compare, ..over("panel", "2012-03-07", "2012-03-08") }).await?;
    ensure!(told(&analyst.series[0].compared) == [None], "{analyst:?}");
    let [_, analyst] = both(&parts, over("panel", "2012-03-05", "2012-03-07")).await?;
    ensure!(told(&analyst.series[0].total) == [None], "a total is the last level: {analyst:?}");
    Ok(())
}

pub(crate) async fn parts_of_ratios(parts: Parts) -> Result {
    let days = [
        ("2012-04-02", 30, 12),
        ("2012-04-03", 30, 4),
        // Few came: 20 by 24 would tell how few.
        ("2012-04-04", 4, 20),
        ("2012-04-05", 15, 0),
    ];
    let mut facts = Vec::new();
    for (day, kept, missed) in days {
        facts.extend(appointments(kept, day, "fulfilled", 0));
        facts.extend(appointments(missed, day, "noshow", 0));
    }
    for (practitioner, missed) in [(1, 40), (2, 30), (3, 5)] {
        facts.extend(appointments(missed, "2012-04-12", "noshow", practitioner));
    }
    ingest(&sidecar(&parts)?, &facts).await?;
    let [admin, analyst] = both(&parts, over("no-show-rate", "2012-04-02", "2012-04-06")).await?;
    ensure!(told(&admin.series[0].items).iter().all(Option::is_some), "{admin:?}");
    ensure!(told(&analyst.series[0].items) == [Some(12.0 / 42.0), None, None, Some(0.0)], "{analyst:?}");
    ensure!(told(&analyst.series[0].total) == [Some(36.0 / 115.0)], "{analyst:?}");

    let by = Some(Dimension::Practitioner.into());
    let [admin, analyst] =
        both(&parts, GetMetricRequest { by, ..over("no-shows", "2012-04-12", "2012-04-13") }).await?;
    let by_total = |answer: &GetMetricResponse| -> BTreeMap<_, _> {
        answer.series.iter().map(|series| (series.key.clone(), told(&series.total)[0])).collect()
    };
    let of = |n| patient("suppressed practitioner", n).to_string();
    ensure!(by_total(&admin) == BTreeMap::from([(of(1), Some(40.0)), (of(2), Some(30.0)), (of(3), Some(5.0))]));
    ensure!(by_total(&analyst) == BTreeMap::from([(of(1), Some(40.0)), (of(2), None), (of(3), None)]), "{analyst:?}");
    for series in &analyst.series {
        ensure!(told(&series.items) == told(&series.total), "of the one day: {series:?}");
    }
    Ok(())
}

/// Today's figure of a metric.
fn today(items: &[OverviewItem], name: &str) -> Result<Option<f64>> {
    let item = items.iter().find(|item| item.metric == name).with_context(|| format!("nothing of {name}"))?;
    Ok(told(&item.current)[0])
}

pub(crate) async fn overview(parts: Parts) -> Result {
    let now = Timestamp::now();
    // 20 who were seen before at another clinic, and 3 who were not.
    let mut facts = encounters(20, "suppressed known", 2, now - (300 * 24).hours());
    facts.extend(encounters(20, "suppressed known", 1, now));
    facts.extend(encounters(3, "suppressed new", 1, now));
    ingest(&sidecar(&parts)?, &facts).await?;
    let asked =
        GetOverviewRequest { clinic_id: Some(patient("suppressed clinic", 1).to_string()), ..Default::default() };
    for (role, expected) in [
        (Role::Admin, [Some(23.0), Some(3.0), Some(20.0)]),
        // 23 less 20 would be told.
        (Role::Analyst, [Some(23.0), None, None]),
    ] {
        let items = figures(&parts, role).await?.get_overview(asked.clone()).await?.into_inner().items;
        for (name, expected) in ["encounters", "new-patients", "returning-patients"].into_iter().zip(expected) {
            let told = today(&items, name)?;
            ensure!(told == expected, "{role} {name}: {told:?}");
        }
    }

    // The stream tells no more than that of everything.
    let mut analyst = figures(&parts, Role::Analyst).await?;
    let items = analyst.get_overview(GetOverviewRequest::default()).await?.into_inner().items;
    let mut stream = analyst.watch_overview(WatchOverviewRequest::default()).await?.into_inner();
    let first = stream.message().await?.context("nothing is said")?;
    ensure!(first.items == items, "{:?} {items:?}", first.items);
    let mut admin = figures(&parts, Role::Admin).await?;
    let all = admin.get_overview(GetOverviewRequest::default()).await?.into_inner().items;
    let hidden = |items: &[OverviewItem]| items.iter().filter(|item| told(&item.current) == [None]).count();
    ensure!(hidden(&items) > hidden(&all), "{items:?}");

    // And no more when something has changed: one who was never seen, which changes what may be told of the others.
    ingest(&sidecar(&parts)?, &encounters(1, "suppressed one more", 1, now)).await?;
    let said = loop {
        let said = stream.message().await?.context("nothing is said")?;
        if !said.items.is_empty() {
            break said;
        }
    };
    let items = analyst.get_overview(GetOverviewRequest::default()).await?.into_inner().items;
    for item in &said.items {
        let same = items.iter().find(|other| other.metric == item.metric && other.currency_code == item.currency_code);
        ensure!(same.is_some_and(|other| other.current == item.current), "{item:?} {same:?}");
    }
    for name in ["encounters", "new-patients", "returning-patients"] {
        ensure!(said.items.iter().any(|item| item.metric == name), "{name} is not said with the others: {said:?}");
    }
    Ok(())
}

/// Three visits with five services each are three things, however many lines they have.
pub(crate) async fn things(parts: Parts) -> Result {
    let codes = ["00100", "10004", "70010", "80047", "99213"];
    let sidecar = sidecar(&parts)?;
    let visits = some(3, "things", |n, name| {
        let services: Vec<_> = codes.iter().map(|code| json!({ "code": code, "units": 1 })).collect();
        let fact = json!({
            "id": patient(&name, n), "version": 1, "time_zone": "America/New_York", "patient_id": patient("things", n),
            "clinic_id": patient("suppressed clinic", 7), "practitioner_id": null, "walk_in": true, "finished": true,
            "started_at": "2004-05-05T15:00:00Z", "services": services,
        });
        ("encounters", fact)
    });
    let charges = some(3, "charges", |n, name| {
        let charge = |code: &&str| {
            json!({ "debit": "patient-receivable", "credit": "revenue", "amount": 100,
            "clinic_id": patient("suppressed clinic", 7), "services": [{"code": code, "amount": 100}] })
        };
        let moves: Vec<_> = codes.iter().map(charge).collect();
        (
            "entries",
            json!({ "id": patient(&name, n), "version": 1, "date": "2004-05-05", "currency": "EUR", "moves": moves }),
        )
    });
    ingest(&sidecar, &visits).await?;
    ingest(&sidecar, &charges).await?;
    crate::books::check(&parts).await?;
    for (metric, value) in [("service-units", 15.0), ("charged", 1500.0)] {
        let asked = over(metric, "2004-05-05", "2004-05-06");
        let by_clinic = GetMetricRequest { by: Some(Dimension::Clinic.into()), ..asked.clone() };
        for asked in [asked, by_clinic] {
            let [admin, analyst] = both(&parts, asked).await?;
            let told: f64 = admin.series.iter().filter_map(|series| series.total.as_ref()?.value).sum();
            ensure!(Some(told) == Some(value), "{metric}: {admin:?}");
            let hidden = |series: &Series| series.total.as_ref().is_some_and(|total| total.suppressed);
            ensure!(analyst.series.iter().all(hidden), "{metric}: {analyst:?}");
        }
    }
    Ok(())
}
