//! How fast a backlog leaves: events that the broker did not get while it was away.

use std::time::Duration;

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use local::{App, Part};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::loading::{id, load_accounts, registered, silent, wait_to_leave};
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
    let killed = rig.system().kill(Part::service(App::Patient)).await?;
    let mut connection = silent(rig, App::Patient).await?;
    let then = Timestamp::now().checked_sub(AGE)?;
    wait_to_leave(&mut connection, (0..events).map(|n| registered(id(n), then)), then).await?;
    killed.respawn()?;

    let all = i64::try_from(events)?;
    let started = Instant::now();
    while rig.waiting().await? >= all {
        ensure!(started.elapsed() < LIMIT, "nothing left the outbox");
        sleep(POLL).await;
    }
    let begun = Instant::now();
    while rig.waiting().await? > 0 {
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
