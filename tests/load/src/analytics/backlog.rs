//! How fast events are counted that had to wait, as they do after analytics was away.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use local::{App, Part};
use serde::Serialize;
use sqlx::PgConnection;
use tokio::time::{Instant, sleep};

use super::events::visit;
use crate::{
    growth::loading::{silent, wait_to_leave},
    rig::Rig,
    tally::{micros, quotient},
    usage::{self, Processes},
};

const LIMIT: Duration = Duration::from_mins(5);
/// Looking costs one row.
const POLL: Duration = Duration::from_millis(50);
/// The publishers leave younger ones to whoever has written them.
const AGE: SignedDuration = SignedDuration::from_mins(1);

/// What became of a backlog.
#[derive(Clone, Debug, Serialize)]
pub struct Backlog {
    /// How many events waited at the broker.
    pub events: u64,
    /// Of how many visits.
    pub visits: u64,
    /// From when nothing was counted yet until everything was.
    pub seconds: f64,
    /// Events a second.
    pub per_second: f64,
    /// Of both cores and whoever used them, in parts of one core.
    pub cpu_by_process: BTreeMap<String, f64>,
}

/// Publishes while analytics is away, and looks how long it takes when it is back.
///
/// They leave by the publishers' own outboxes. Billing's service is ended before it hears of visits that its database does not
/// know, and stays so: nothing can be measured of it afterwards.
pub(super) async fn drain(rig: &Rig, events: u64) -> Result<Backlog> {
    let (visits, now) = (events / 13, Timestamp::now());
    let (mut of_patient, mut of_billing) = (Vec::new(), Vec::new());
    for n in 0..visits {
        let visit = visit(n, now)?;
        of_patient.extend(visit.patient);
        of_billing.extend(visit.billing);
    }
    let events = u64::try_from(of_patient.len() + of_billing.len())?;
    let killed = rig.system().kill(Part::service(App::Analytics)).await?;
    publish(rig, App::Billing, of_billing).await?;
    let _stays_away = rig.system().kill(Part::service(App::Billing)).await?;
    publish(rig, App::Patient, of_patient).await?;

    let mut connection = rig.database(App::Analytics).await?;
    let wanted = known(&mut connection).await? + i64::try_from(visits)? * VERSIONS + i64::try_from(visits.div_ceil(4))?;
    let before = change(&mut connection).await?;
    killed.respawn()?;
    let processes = Processes::of(rig.home());
    let (started, mut begun, mut cpu) = (Instant::now(), Instant::now(), processes.cpu());
    while change(&mut connection).await? == before {
        ensure!(started.elapsed() < LIMIT, "nothing is counted");
        (begun, cpu) = (Instant::now(), processes.cpu());
        sleep(POLL).await;
    }
    // All is counted again only when nothing moves: that reads every fact, and its cost is not theirs.
    let (mut last, mut moved) = (before, begun);
    loop {
        let now = change(&mut connection).await?;
        if now == last {
            let there = known(&mut connection).await?;
            ensure!(there <= wanted, "more is counted than was told");
            if there == wanted {
                break;
            }
            ensure!(begun.elapsed() < LIMIT, "{there} of {wanted} versions are counted after {LIMIT:?}");
        } else {
            (last, moved) = (now, Instant::now());
        }
        sleep(POLL).await;
    }
    let (elapsed, cpu) = (moved - begun, usage::since(&cpu, &processes.cpu()));
    let part = |time| quotient(micros(time), micros(elapsed));
    Ok(Backlog {
        events,
        visits,
        seconds: elapsed.as_secs_f64(),
        per_second: quotient(events * 1_000_000, micros(elapsed)),
        cpu_by_process: cpu.into_iter().map(|(name, time)| (name, part(time))).collect(),
    })
}

/// The last versions of a visit together: an appointment's, an encounter's, an invoice's, a payment's, a claim's, three entries'.
const VERSIONS: i64 = 4 + 1 + 3 + 1 + 2 + 3;

/// How often the figures have changed.
async fn change(connection: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("select change from fact.progress").fetch_one(connection).await?)
}

/// The versions of all facts together: a fact that has not all of its events yet is less.
async fn known(connection: &mut PgConnection) -> Result<i64> {
    let query = "select (sum(versions))::bigint from (
          select sum(version) from fact.patients union all select sum(version) from fact.appointments
          union all select sum(version) from fact.encounters union all select sum(version) from fact.invoices
          union all select sum(version) from fact.payments union all select sum(version) from fact.claims
          union all select sum(version) from fact.entries) as kinds(versions)";
    Ok(sqlx::query_scalar::<_, Option<i64>>(query).fetch_one(connection).await?.unwrap_or_default())
}

async fn publish(rig: &Rig, app: App, events: Vec<sidecar::event::Event>) -> Result<()> {
    let mut connection = silent(rig, app).await?;
    wait_to_leave(&mut connection, events.into_iter().map(Ok), Timestamp::now().checked_sub(AGE)?).await?;
    let begun = Instant::now();
    while rig.counts().await?.waiting > 0 {
        ensure!(begun.elapsed() < LIMIT, "{app} does not publish");
        sleep(POLL).await;
    }
    Ok(())
}
