//! `api.ingest` itself.

use analytics::config::{Config, ENV_CLINIC_TIME_ZONE};
use anyhow::ensure;
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

use crate::events::patient;

type Result<T = (), E = anyhow::Error> = std::result::Result<T, E>;

const ZONE: &str = "America/New_York";
const SEQUENCES: usize = 100;

/// The service's own way to its database.
fn sidecar(parts: &Parts) -> Result<Sidecar> {
    let config = Config::read(parts.environment(&[(ENV_CLINIC_TIME_ZONE, ZONE)]))?;
    Ok(Sidecar::new(&config.app.sidecar)?)
}

async fn ingest(sidecar: &Sidecar, patients: &[Value]) -> Result<(), Failure> {
    sidecar.exec("ingest", &json!({ "timeZone": ZONE, "patients": patients })).await
}

fn fact(id: Uuid, version: i64, registered: &str) -> Value {
    json!({ "patientId": id, "version": version, "registeredAt": registered, "changedAt": registered, "gender": "other",
            "ageBand": format!("{version}0+"), "active": version % 2 == 0 })
}

/// Compares the counts with what they are when they are counted anew.
async fn check_counts(parts: &Parts) -> Result {
    const COUNTS: &str = "select * from fact.registrations order by time_zone, unit, bucket_start";
    let kept = parts.sql(COUNTS).await?;
    sidecar(parts)?.exec("rebuild_registrations", &json!({ "timeZone": ZONE })).await?;
    let anew = parts.sql(COUNTS).await?;
    ensure!(kept == anew, "kept {kept:?}, counted anew {anew:?}");
    Ok(())
}

/// What is known of each of these patients.
async fn facts(parts: &Parts, ids: &[Uuid]) -> Result<Vec<Value>> {
    let ids: Vec<_> = ids.iter().map(|id| format!("'{id}'")).collect();
    let facts = "version, registered_at, changed_at, gender, age_band, active";
    let asked = format!("unnest(array[{}]::uuid[]) with ordinality as asked (patient_id, n)", ids.join(","));
    parts.sql(&format!("select {facts} from fact.patients join {asked} using (patient_id) order by n")).await
}

/// A patient's number, a version of them, and when that says that they were registered.
type Told = (usize, i64, u8);

/// Versions of a few patients; then all of it three times over in some order; and the size of batches.
fn sequences() -> impl Strategy<Value = (Vec<Told>, Vec<Told>, usize)> {
    let versions = prop::collection::vec(prop::collection::vec(0_u8..6, 1..5), 1..6);
    versions.prop_flat_map(|patients| {
        let number = |(n, hours): (usize, Vec<u8>)| (1..).zip(hours).map(move |(version, hour)| (n, version, hour));
        let sorted: Vec<_> = patients.into_iter().enumerate().flat_map(number).collect();
        let thrice = sorted.repeat(3);
        (Just(sorted), Just(thrice).prop_shuffle(), 1_usize..12)
    })
}

/// Around two midnights and the beginning of summer time.
fn hour(hour: u8) -> &'static str {
    [
        "2023-03-11T04:59:59.999999Z",
        "2023-03-11T05:00:00Z",
        "2023-03-12T04:59:59Z",
        "2023-03-12T06:59:59Z",
        "2023-03-12T07:00:00Z",
        "2023-03-13T04:00:00Z",
    ][usize::from(hour)]
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
        let patients = 0..=sorted.iter().map(|&(n, ..)| n).max().unwrap_or_default();
        of_sorted.extend(patients.clone().map(sorted_one));
        of_shuffled.extend(patients.map(shuffled_one));
        for (n, version, at) in sorted {
            ingest(&sidecar, &[fact(sorted_one(n), version, hour(at))]).await?;
        }
        let told: Vec<_> = thrice.iter().map(|&(n, version, at)| fact(shuffled_one(n), version, hour(at))).collect();
        for batch in told.chunks(size) {
            ingest(&sidecar, batch).await?;
        }
        if round % 20 == 19 {
            check_counts(&parts).await?;
        }
    }
    let [sorted, shuffled] = [facts(&parts, &of_sorted).await?, facts(&parts, &of_shuffled).await?];
    ensure!(sorted.len() == of_sorted.len() && sorted == shuffled, "sorted {sorted:?}, shuffled {shuffled:?}");
    Ok(())
}

pub(crate) async fn concurrent(parts: Parts) -> Result {
    let ids: Vec<_> = (0..40).map(|n| patient("concurrent", n)).collect();
    let sidecar = sidecar(&parts)?;
    let mut batches = JoinSet::new();
    for version in 1_u8..=24 {
        let mut told: Vec<_> =
            (0_u8..).zip(&ids).map(|(n, &id)| fact(id, version.into(), hour((n + version) % 6))).collect();
        if version % 2 == 0 {
            told.reverse();
        }
        let sidecar = sidecar.clone();
        batches.spawn(async move { ingest(&sidecar, &told).await });
    }
    while let Some(taken) = batches.join_next().await {
        taken??;
    }
    let known = facts(&parts, &ids).await?;
    ensure!(known.len() == ids.len() && known.iter().all(|fact| fact["version"] == 24), "{known:?}");
    check_counts(&parts).await
}

pub(crate) async fn all_or_nothing(parts: Parts) -> Result {
    let ids = [patient("all_or_nothing", 1), patient("all_or_nothing", 2)];
    let sidecar = sidecar(&parts)?;
    for (member, bad) in
        [("version", json!(0)), ("registeredAt", Value::Null), ("registeredAt", json!("soon")), ("active", Value::Null)]
    {
        let mut wrong = fact(ids[1], 1, hour(0));
        wrong[member] = bad.clone();
        let refused = ingest(&sidecar, &[fact(ids[0], 1, hour(0)), wrong]).await;
        ensure!(matches!(refused, Err(Failure::Constraint { .. } | Failure::Bug(_))), "{member} {bad}: {refused:?}");
    }
    ensure!(facts(&parts, &ids).await?.is_empty());
    check_counts(&parts).await
}

pub(crate) async fn new_zone(parts: Parts) -> Result {
    let id = patient("new_zone", 1);
    let sidecar = sidecar(&parts)?;
    ingest(&sidecar, &[fact(id, 1, "2024-01-31T18:20:00Z")]).await?;
    let [from, to] = ["2024-01-30T18:15:00Z", "2024-02-02T18:15:00Z"];
    let asked = json!({ "timeZone": "Asia/Kathmandu", "group": "day", "from": from, "to": to });
    let figures = async || sidecar.query::<_, Value>("registrations", &asked).await;
    ensure!(figures().await? == Value::Null, "nobody has counted there");
    sidecar.exec("rebuild_registrations", &json!({ "timeZone": "Asia/Kathmandu" })).await?;
    ensure!(figures().await? == json!([["2024-01-31T18:15:00+00:00", 1]]));
    // From now on each batch counts in both.
    ingest(&sidecar, &[fact(id, 2, "2024-01-31T18:10:00Z")]).await?;
    ensure!(figures().await? == json!([["2024-01-30T18:15:00+00:00", 1]]));
    check_counts(&parts).await
}
