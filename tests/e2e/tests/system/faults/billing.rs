//! Billing hangs or is dead: registrations go on, and accounts open by themselves.
#![expect(clippy::print_stdout, reason = "how long it takes is a figure to know")]

use std::time::{Duration, Instant};

use access::Role;
use anyhow::Result;
use local::App;

use super::{or_long, register_without_account};
use crate::{
    door::{Answer, Door},
    people::person,
    stage::{Stage, within},
};

const REGISTRATIONS: usize = 5;
/// How long billing is dead.
const OUTAGE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(500);
/// Until then it must be as if nothing had happened.
const RECOVERY: Duration = Duration::from_secs(15);

pub(crate) async fn hangs(stage: &Stage) -> Result<()> {
    let door = stage.public(Role::FrontDesk)?;
    warm(&door).await?;
    let billing = stage.services(App::Billing);
    billing.iter().try_for_each(|service| stage.system.pause(*service))?;
    let mut patients = Vec::new();
    for _ in 0..REGISTRATIONS {
        patients.push(register_without_account(&door).await?);
    }
    say("registrations answered while billing hung", &patients);
    billing.iter().try_for_each(|service| stage.system.resume(*service))?;
    recovers(stage, &door, &patients).await
}

pub(crate) async fn dies(stage: &Stage) -> Result<()> {
    let door = stage.public(Role::FrontDesk)?;
    warm(&door).await?;
    stage.kill_every(App::Billing).await?;
    let begun = Instant::now();
    let mut patients = Vec::new();
    // A sidecar that tries in vain may wait longer each time.
    while begun.elapsed() < or_long(OUTAGE) {
        patients.push(register_without_account(&door).await?);
        tokio::time::sleep(PAUSE).await;
    }
    say("registrations answered while billing was dead", &patients);
    stage.respawn_every(App::Billing)?;
    recovers(stage, &door, &patients).await
}

/// Nobody who was registered meanwhile stays without an account, and the next ones have theirs at once.
async fn recovers(stage: &Stage, door: &Door, patients: &[Answer]) -> Result<()> {
    let recovery = if or_long(RECOVERY) == RECOVERY { RECOVERY } else { RECOVERY * 10 };
    let open = within(recovery, "every account is open", async || {
        for patient in patients {
            if door.account(patient.id()).await?.is_none_or(|account| account["status"] != "active") {
                return Ok(false);
            }
        }
        Ok(true)
    });
    let again = within(recovery, "a registration has its account at once", async || {
        Ok(door.registered(&person()).await?.has_account())
    });
    let (open, again) = tokio::try_join!(open, again)?;
    println!(
        "    accounts readable and open {open:.1?} after billing was back, OpenAccounts in time after {again:.1?}"
    );
    stage.settled().await
}

async fn warm(door: &Door) -> Result<()> {
    within(RECOVERY, "billing answers in time", async || Ok(door.registered(&person()).await?.has_account()))
        .await
        .map(drop)
}

fn say(what: &str, answers: &[Answer]) {
    let mut took: Vec<_> = answers.iter().map(|answer| answer.took.as_millis()).collect();
    took.sort_unstable();
    let (median, slowest) = (took.get(took.len() / 2).unwrap_or(&0), took.last().unwrap_or(&0));
    println!("    {} {what}, the median after {} ms, the slowest after {} ms", took.len(), median, slowest);
}
