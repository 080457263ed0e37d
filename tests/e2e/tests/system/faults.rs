//! What happens when a part is away: each trial takes one away, and `main.rs` brings it back whatever came of it.

pub(crate) mod auth;
pub(crate) mod billing;
pub(crate) mod bookings;
pub(crate) mod books;
pub(crate) mod broker;
pub(crate) mod consumer;
pub(crate) mod database;
pub(crate) mod deployment;
pub(crate) mod instances;

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{
    door::{Answer, Door},
    people::person,
};

/// A registration never waits longer for what it can do without.
const PROMPT: Duration = Duration::from_millis(500);

/// The outages of the requirements; `E2E_LONG=1` asks for them.
const LONG: Duration = Duration::from_mins(2);

/// How long a part is away.
#[expect(clippy::disallowed_methods, reason = "a test has no config.rs")]
fn or_long(short: Duration) -> Duration {
    if std::env::var("E2E_LONG").is_ok_and(|long| long == "1") { LONG } else { short }
}

/// Registers somebody while billing is away.
async fn register_without_account(door: &Door) -> Result<Answer> {
    let answer = door.registered(&person()).await?;
    ensure!(answer.text("/billingAccount/status") == "pending", "{}", answer.body);
    ensure!(answer.took < PROMPT, "answered after {:?}", answer.took);
    Ok(answer)
}
