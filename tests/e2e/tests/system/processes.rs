//! What the processes weigh.
#![expect(clippy::print_stdout, reason = "figures that a person wants to see whatever the verdict")]

use anyhow::{Result, ensure};
use local::{App, Part};

use crate::stage::Stage;

/// Programs that are not optimised weigh half more and not always the same: `billing` 45 to 52 MiB.
const MOST_KIB: u64 = if cfg!(debug_assertions) { 56 } else { 30 } * 1024;

/// `auth` has judged the password of the administrator whom it made, and the dictionaries for that stay in memory.
const MOST_KIB_OF_AUTH: u64 = MOST_KIB * 5 / 4;

/// As they are by default, before anybody has asked anything.
pub(crate) async fn idle_services_are_small(stage: &Stage) -> Result<()> {
    for (part, resident) in &stage.weights {
        println!("    {:<18} {:>6.1} MiB", part.to_string(), mebibytes(*resident));
    }
    for (name, process) in stage.system.foundation() {
        println!("    {name:<18} {:>6.1} MiB", mebibytes(process.resident_kib()));
    }
    ensure!(stage.weights.len() == stage.system.parts().count(), "not everything was weighed");
    let services = stage.weights.iter().filter(|(part, _)| part.is_service());
    let heavy: Vec<_> =
        services.filter(|(part, resident)| *resident > most(*part)).map(|(part, _)| part.to_string()).collect();
    ensure!(heavy.is_empty(), "too heavy: {}", heavy.join(", "));
    Ok(())
}

fn most(part: Part) -> u64 {
    if part.app == App::Auth { MOST_KIB_OF_AUTH } else { MOST_KIB }
}

/// What the services weigh after all that the trials asked of them.
pub(crate) fn show_services(stage: &Stage) {
    for part in stage.system.parts().filter(|part| part.is_service()) {
        let resident = stage.system.process(part).map_or(0, |process| process.resident_kib());
        println!("    {:<18} {:>6.1} MiB after everything", part.to_string(), mebibytes(resident));
    }
}

fn mebibytes(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}
