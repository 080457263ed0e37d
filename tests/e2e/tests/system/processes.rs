//! What the processes weigh.
#![expect(clippy::print_stdout, reason = "figures that a person wants to see whatever the verdict")]

use anyhow::{Result, ensure};

use crate::stage::Stage;

const MOST_KIB: u64 = 30 * 1024;

/// As they are by default, before anybody has asked anything.
///
/// Programs that are not optimised weigh a third more and have to keep to it, too.
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
        services.filter(|(_, resident)| *resident > MOST_KIB).map(|(part, _)| part.to_string()).collect();
    ensure!(heavy.is_empty(), "over 30 MiB: {}", heavy.join(", "));
    Ok(())
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
