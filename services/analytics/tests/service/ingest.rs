//! `api.ingest` itself.

use std::collections::BTreeMap;

use analytics::{
    config::{Config, ENV_CLINIC_TIME_ZONE},
    domain::metric::{Dimension, Formula, catalogue::METRICS},
};
use anyhow::{Context as _, ensure};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};
use sidecar::{Sidecar, failure::Failure};
use testkit::Parts;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{books, events::patient};

type Result<T = (), E = anyhow::Error> = std::result::Result<T, E>;

const ZONE: &str = "America/New_York";
const SEQUENCES: usize = 60;
const KINDS: [&str; 7] = ["patients", "appointments", "encounters", "invoices", "payments", "claims", "entries"];

/// The service's own way to its database.
pub(crate) fn sidecar(parts: &Parts) -> Result<Sidecar> {
    let config = Config::read(parts.environment(&[(ENV_CLINIC_TIME_ZONE, ZONE)]))?;
    Ok(Sidecar::new(&config.app.sidecar)?)
}

/// Takes facts of one kind after the other.
pub(crate) async fn ingest(sidecar: &Sidecar, facts: &[(&str, Value)]) -> Result<(), Failure> {
    let mut batch = json!({});
    for (kind, fact) in facts {
        if batch[kind].is_null() {
            batch[kind] = json!([]);
        }
        batch[kind].as_array_mut().into_iter().for_each(|facts| facts.push(fact.clone()));
    }
    sidecar.exec("ingest", &batch).await
}

/// What is told of one version of one of a few things: of a kind, with what is chosen by numbers.
fn fact(kind: &'static str, id: Uuid, version: i64, choice: u32) -> (&'static str, Value) {
    let chosen = |shift: u32, of: u32| choice.rotate_right(shift) % of;
    let one = |name: &str, number: u32| patient(name, number as usize);
    let times = [
        "2023-03-11T04:59:59.999999Z",
        "2023-03-12T06:59:59Z",
        "2023-03-12T07:00:00Z",
        "2023-11-05T05:30:00Z",
        "2020-01-05T06:30:00Z",
        "2026-11-30T12:00:00Z",
    ];
    let time = |shift: u32| json!(times[chosen(shift, 6) as usize]);
    let (zone, currency) =
        (["America/New_York", "Asia/Kathmandu"][chosen(3, 2) as usize], ["EUR", "USD"][chosen(5, 2) as usize]);
    let (clinic, practitioner) = (one("clinic", chosen(7, 2)), one("practitioner", chosen(9, 3)));
    let amount = i64::from(chosen(11, 500));
    let status = ["booked", "fulfilled", "noshow", "cancelled", "entered-in-error", "waitlist"][chosen(1, 6) as usize];
    let fact = match kind {
        "patients" => json!({ "registered_at": time(0), "changed_at": time(0), "gender": "other", "age_band": "30-39",
                              "active": chosen(1, 2) == 0 }),
        "appointments" => json!({
            "clinic_id": clinic, "practitioner_id": practitioner, "service_id": one("service", chosen(13, 2)),
            "status": status,
            "created_at": times[4], "booked_at": if chosen(15, 3) == 0 { Value::Null } else { json!(times[4]) },
            "start_at": time(0), "end_at": time(0), "arrived_at": if chosen(17, 2) == 0 { Value::Null } else { time(0) },
            "started_at": if chosen(19, 2) == 0 { Value::Null } else { time(2) }, "finished_at": Value::Null,
            "cancelled_late": chosen(21, 2) == 0, "reschedules": chosen(23, 3), "waited": chosen(25, 2) == 0,
        }),
        "encounters" => json!({
            "patient_id": one("seen", chosen(13, 200)), "clinic_id": clinic, "practitioner_id": practitioner,
            "walk_in": chosen(15, 2) == 0, "finished": chosen(17, 4) > 0, "started_at": time(0),
            "services": [{"code": "99213", "units": 1}, {"code": "85025", "units": chosen(19, 4)}],
        }),
        "invoices" => json!({
            "clinic_id": clinic, "practitioner_id": practitioner, "currency": currency, "issued_at": time(0),
            "patient_open": amount, "insurance_open": i64::from(chosen(15, 2)) * amount,
        }),
        "payments" => json!({ "currency": currency, "captured_at": time(0), "amount": amount }),
        "claims" => json!({
            "clinic_id": clinic, "practitioner_id": practitioner, "payer_id": one("payer", chosen(13, 2)), "currency": currency,
            "submitted_at": time(0), "total": amount, "allowed": amount / 2, "paid": amount / 3,
            "answered_on": if chosen(15, 2) == 0 { Value::Null } else { json!("2026-11-30") }, "denied": chosen(17, 2) == 0,
            "first_pass": chosen(19, 2) == 0, "billed": amount, "denied_amount": amount / 4,
        }),
        _ => json!({
            "date": "2026-11-30", "currency": currency,
            "moves": [
                {"debit": "patient-receivable", "credit": "revenue", "amount": amount, "clinic_id": clinic,
                 "services": [{"code": "99213", "amount": amount}]},
                {"debit": "insurance-receivable", "credit": "patient-receivable", "amount": amount / 2, "payer_id": practitioner,
                 "services": []},
                {"debit": "insurance-unapplied", "credit": "insurance-receivable", "amount": amount / 3, "payer_id": practitioner,
                 "services": [{"code": "99213", "amount": amount / 6}, {"code": "85025", "amount": amount / 3 - amount / 6}]},
            ],
        }),
    };
    let mut fact = fact;
    fact["id"] = json!(id);
    fact["version"] = json!(version);
    if kind != "entries" {
        let own = matches!(kind, "appointments" | "encounters");
        fact["time_zone"] = json!(if own { zone } else { ZONE });
    }
    (kind, fact)
}

/// A thing's number, a version of it, and what is told.
type Told = (usize, i64, u32);

/// Versions of a few things; then all of it three times over in some order; and the size of batches.
fn sequences() -> impl Strategy<Value = (Vec<Told>, Vec<Told>, usize)> {
    let versions = prop::collection::vec(prop::collection::vec(any::<u32>(), 1..5), 7..15);
    versions.prop_flat_map(|things| {
        let number =
            |(n, choices): (usize, Vec<u32>)| (1..).zip(choices).map(move |(version, choice)| (n, version, choice));
        let sorted: Vec<_> = things.into_iter().enumerate().flat_map(number).collect();
        let thrice = sorted.repeat(3);
        (Just(sorted), Just(thrice).prop_shuffle(), 1_usize..25)
    })
}

/// Every fact without its id.
async fn known(parts: &Parts, ids: &[Uuid]) -> Result<Vec<Value>> {
    let ids: Vec<_> = ids.iter().map(|id| format!("'{id}'")).collect();
    let asked = format!("unnest(array[{}]::uuid[]) with ordinality as asked (id, n)", ids.join(","));
    let each =
        KINDS.map(|kind| format!("select n, to_jsonb(f) - 'id' as fact from fact.{kind} f join {asked} using (id)"));
    parts.sql(&format!("select fact from ({}) facts order by n", each.join(" union all "))).await
}

pub(crate) async fn shuffled(parts: Parts) -> Result {
    // The same sequences in each run.
    let mut runner =
        TestRunner::new_with_rng(ProptestConfig::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let sidecar = sidecar(&parts)?;
    let (mut of_sorted, mut of_shuffled) = (Vec::new(), Vec::new());
    for round in 0..SEQUENCES {
        let (sorted, thrice, size) = sequences().new_tree(&mut runner).map_err(anyhow::Error::msg)?.current();
        let [sorted_one, shuffled_one] =
            ["sorted", "shuffled"].map(|who| move |n| patient(&format!("{who} {round}"), n));
        // Of an act of the journal there is one version.
        let kind = |n: usize| KINDS[n % KINDS.len()];
        let told = |id: Uuid, n: usize, version: i64, choice: u32| match kind(n) {
            "entries" => fact("entries", id, 1, u32::try_from(n).unwrap_or_default()),
            kind => fact(kind, id, version, choice),
        };
        let things = 0..=sorted.iter().map(|&(n, ..)| n).max().unwrap_or_default();
        of_sorted.extend(things.clone().map(sorted_one));
        of_shuffled.extend(things.map(shuffled_one));
        for &(n, version, choice) in &sorted {
            ingest(&sidecar, &[told(sorted_one(n), n, version, choice)]).await?;
        }
        let thrice: Vec<_> =
            thrice.iter().map(|&(n, version, choice)| told(shuffled_one(n), n, version, choice)).collect();
        for batch in thrice.chunks(size) {
            ingest(&sidecar, batch).await?;
        }
        if round % 10 == 9 {
            books::check(&parts).await?;
        }
    }
    let [sorted, shuffled] = [known(&parts, &of_sorted).await?, known(&parts, &of_shuffled).await?];
    ensure!(sorted.len() == of_sorted.len() && sorted == shuffled, "{} {}", sorted.len(), shuffled.len());
    Ok(())
}

pub(crate) async fn concurrent(parts: Parts) -> Result {
    let ids: Vec<_> = (0..42).map(|n| patient("concurrent", n)).collect();
    let sidecar = sidecar(&parts)?;
    let mut batches = JoinSet::new();
    for version in 1_u32..=8 {
        let mut told: Vec<_> = (0_u32..)
            .zip(&ids)
            .map(|(n, &id)| {
                fact(KINDS[n as usize % 6], id, version.into(), n.wrapping_mul(2_654_435_761).rotate_left(version))
            })
            .collect();
        if version % 2 == 0 {
            told.reverse();
        }
        let sidecar = sidecar.clone();
        batches.spawn(async move { ingest(&sidecar, &told).await });
    }
    while let Some(taken) = batches.join_next().await {
        taken??;
    }
    let known = known(&parts, &ids).await?;
    ensure!(known.len() == ids.len() && known.iter().all(|row| row["fact"]["version"] == 8), "{known:?}");
    books::check(&parts).await
}

pub(crate) async fn all_or_nothing(parts: Parts) -> Result {
    let ids = [patient("all_or_nothing", 1), patient("all_or_nothing", 2)];
    let sidecar = sidecar(&parts)?;
    for (member, bad) in [
        ("version", json!(0)),
        ("registered_at", Value::Null),
        ("registered_at", json!("soon")),
        ("active", Value::Null),
    ] {
        let mut wrong = fact("patients", ids[1], 1, 0);
        wrong.1[member] = bad.clone();
        let refused = ingest(&sidecar, &[fact("patients", ids[0], 1, 0), wrong]).await;
        ensure!(matches!(refused, Err(Failure::Constraint { .. } | Failure::Bug(_))), "{member} {bad}: {refused:?}");
    }
    ensure!(known(&parts, &ids).await?.is_empty());
    books::check(&parts).await
}

/// What a metric is told by is one look at rows that are summed by that alone, and all that was before is a look at months.
pub(crate) async fn kept_as_asked(parts: Parts) -> Result {
    let rows = parts.sql("select measure::text, axes::text[], monthly, distributed from fact.measures").await?;
    let kept: BTreeMap<_, _> = rows.iter().map(|row| (row["measure"].to_string(), row)).collect();
    for metric in METRICS {
        for measure in metric.measures() {
            let row = kept.get(&serde_json::to_string(&measure)?).with_context(|| format!("{measure:?}"))?;
            let of_all_time = metric.is_distribution() || matches!(metric.formula, Formula::Level(_));
            ensure!(!of_all_time || row["monthly"] == true, "{}: {row}", metric.name);
            let axes = metric.dimensions.iter().filter_map(|dimension| match dimension {
                Dimension::Clinic => Some("clinic"),
                Dimension::Practitioner => Some("practitioner"),
                Dimension::Service | Dimension::Family => Some("service"),
                Dimension::Payer => Some("payer"),
                Dimension::Age => None,
            });
            ensure!(row["distributed"] == metric.is_distribution(), "{}: {row}", metric.name);
            let told: Vec<_> = axes.chain(["each"]).collect();
            let axes = row["axes"].as_array().context("no axes")?;
            ensure!(told.iter().all(|axis| axes.contains(&json!(axis))), "{}: {measure:?} {row}", metric.name);
        }
    }
    Ok(())
}
