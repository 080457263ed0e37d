//! How fast a backlog leaves: events that the broker did not get while it was away.

use std::{fmt::Write as _, time::Duration};

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use local::{App, Part};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::loading::{copy, id, load_accounts, registered, silent};
use crate::{
    rig::Rig,
    tally::{micros, quotient},
};

const LIMIT: Duration = Duration::from_mins(5);
/// Counting has its cost, too.
const POLL: Duration = Duration::from_millis(200);
/// As old as if the broker had been away.
const AGE: SignedDuration = SignedDuration::from_mins(1);

/// What became of a backlog.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Drain {
    /// How many events waited.
    pub events: u64,
    /// Seconds from the first that left until the outbox was empty.
    pub seconds: f64,
    /// Events a second.
    pub per_second: f64,
    /// Seconds until analytics had counted every one.
    pub counted: f64,
}

/// Puts a registration's event of each of `events` loaded people into the outbox, and watches it drain.
///
/// The accounts of these people are there, as they are when only the broker was away.
pub(super) async fn drain(rig: &Rig, events: u64) -> Result<Drain> {
    load_accounts(rig, events).await?;
    let known = rig.counts().await?.known_patients;
    let killed = rig.system().kill(Part::Service(App::Patient)).await?;
    let mut connection = silent(rig, App::Patient).await?;
    let then = Timestamp::now().checked_sub(AGE)?;
    let mut rows = String::new();
    for n in 0..events {
        let event = registered(id(n), then)?;
        let text = serde_json::to_string(&event.event)?.replace('\\', "\\\\");
        writeln!(rows, "{}\t{}\t{}\t{text}\t{then}", event.event.id, event.topic, event.partition_key)?;
    }
    copy(&mut connection, "document.outbox", "event_id, topic, partition_key, event, created_at", rows).await?;
    sqlx::raw_sql("vacuum (analyze) document.outbox").execute(&mut connection).await?;
    sqlx::raw_sql("checkpoint").execute(&mut connection).await?;
    killed.respawn()?;

    let waiting = async || rig.number(App::Patient, "select count(*) from document.outbox").await;
    let all = i64::try_from(events)?;
    let started = Instant::now();
    while waiting().await? >= all {
        ensure!(started.elapsed() < LIMIT, "nothing left the outbox");
        sleep(POLL).await;
    }
    let begun = Instant::now();
    while waiting().await? > 0 {
        ensure!(begun.elapsed() < LIMIT, "the outbox is not empty after {LIMIT:?}");
        sleep(POLL).await;
    }
    let elapsed = begun.elapsed();
    while rig.counts().await?.known_patients < known + all {
        ensure!(begun.elapsed() < LIMIT, "analytics has not counted everyone after {LIMIT:?}");
        sleep(POLL).await;
    }
    Ok(Drain {
        events,
        seconds: elapsed.as_secs_f64(),
        per_second: quotient(events * 1_000_000, micros(elapsed)),
        counted: begun.elapsed().as_secs_f64(),
    })
}
