//! The checker's report, run as a process of its own, and what the harness has to say itself.

use std::{path::Path, process::Stdio};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tokio::process::Command;

use crate::{sabotage::Sabotage, settings::Settings, stage::Stage};

/// One promise, and what was found to speak against it.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    /// The name of the promise.
    pub name: String,
    /// The promise.
    pub promise: String,
    /// How many things were looked at.
    pub checked: usize,
    /// How many offend.
    pub offenders: usize,
    /// The first of these.
    pub first: Vec<String>,
}

#[derive(Deserialize)]
struct Report {
    lines: Vec<Line>,
}

impl Line {
    /// A promise of the run itself.
    pub(crate) fn of_run(name: &str, promise: &str, holds: bool, offence: String) -> Self {
        let first = if holds { Vec::new() } else { vec![offence] };
        Self { name: name.to_owned(), promise: promise.to_owned(), checked: 1, offenders: first.len(), first }
    }

    /// Whether nothing speaks against it.
    pub fn holds(&self) -> bool {
        self.offenders == 0
    }
}

/// Has the checker look at the system at rest.
pub(crate) async fn check(settings: &Settings, stage: &Stage, log: &Path, poison: &Path) -> Result<Vec<Line>> {
    let output = Command::new(&settings.checker)
        .arg("--log")
        .arg(log)
        .arg("--poison")
        .arg(poison)
        .args(["--time-zone", &stage.time_zone, "--json"])
        .env("CHECKER_POSTGRES", stage.postgres_url())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("running the checker {}", settings.checker.display()))?;
    let report: Report = serde_json::from_slice(&output.stdout).context("the checker answered no report")?;
    anyhow::ensure!(
        output.status.success() == report.lines.iter().all(Line::holds),
        "the checker's report and its exit ({}) disagree",
        output.status
    );
    Ok(report.lines)
}

/// Why a sabotage was not seen as it should have been; none when it was.
pub fn unseen(sabotage: Sabotage, lines: &[Line]) -> Option<String> {
    let broken: Vec<&str> = lines.iter().filter(|line| !line.holds()).map(|line| line.name.as_str()).collect();
    if !broken.contains(&sabotage.breaks()) {
        return Some(format!("{} does not break, but {broken:?}", sabotage.breaks()));
    }
    let foreign: Vec<_> =
        broken.iter().filter(|name| **name != sabotage.breaks() && !sabotage.may_break().contains(name)).collect();
    (!foreign.is_empty()).then(|| format!("{foreign:?} break as well, and have nothing to do with it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(broken: &[&str]) -> Vec<Line> {
        let names = ["once", "outbox", "facts", "accounts"];
        names.map(|name| Line::of_run(name, "", !broken.contains(&name), String::new())).to_vec()
    }

    #[test]
    fn a_sabotage_is_seen_by_its_own_line_alone() {
        let sabotage = Sabotage::SweeperOff;
        assert_eq!(unseen(sabotage, &lines(&["outbox", "facts"])), None);
        assert!(unseen(sabotage, &lines(&[])).is_some());
        assert!(unseen(sabotage, &lines(&["facts"])).is_some());
        assert!(unseen(sabotage, &lines(&["outbox", "once"])).is_some());
    }
}
