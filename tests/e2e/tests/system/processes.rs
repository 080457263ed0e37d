//! What the processes weigh.
#![expect(clippy::print_stdout, reason = "figures that a person wants to see whatever the verdict")]

use anyhow::{Context as _, Result, ensure};
use local::{App, Part};

use crate::stage::Stage;

const MOST_KIB: u64 = 30 * 1024;

/// Before anybody has asked anything; programs that are not optimised are weighed and not judged.
pub(crate) async fn idle_services_are_small(stage: &Stage) -> Result<()> {
    let mut heavy = Vec::new();
    for part in Part::all() {
        let process = stage.system.process(part).with_context(|| format!("{part} does not run"))?;
        let resident = process.resident_kib();
        println!("    {:<18} {:>6.1} MiB", part.to_string(), mebibytes(resident));
        if matches!(part, Part::Service(_)) && resident > MOST_KIB {
            heavy.push(part.to_string());
        }
    }
    for (name, process) in stage.foundation() {
        println!("    {name:<18} {:>6.1} MiB", mebibytes(process.resident_kib()));
    }
    ensure!(heavy.is_empty() || !stage.release, "over 30 MiB: {}", heavy.join(", "));
    Ok(())
}

/// What the services weigh after all that the trials asked of them.
pub(crate) fn show_services(stage: &Stage) {
    for app in App::ALL {
        let resident = stage.system.process(Part::Service(app)).map_or(0, |process| process.resident_kib());
        println!("    {:<18} {:>6.1} MiB after everything", app.id(), mebibytes(resident));
    }
}

fn mebibytes(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}
