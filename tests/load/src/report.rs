//! Tables for people, JSON for programs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::{goals::Goal, measured::Measured, scenarios::Outcome, storm::PEOPLE, tokens::TokenCheck};

/// Where the files go when it is not said.
const FOLDER: &str = ".pms/bench";
const NAME: usize = 26;
const COLUMN: usize = 12;

/// Says what is being done, beside the report.
pub fn progress(line: &str) {
    let _ = writeln!(std::io::stderr(), "  {line}");
}

/// Prints a part of the report.
pub fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Writes what was measured as JSON; answers where.
pub fn write(to: Option<&Path>, name: &str, report: &impl Serialize) -> Result<PathBuf> {
    let path = to.map_or_else(|| Path::new(FOLDER).join(name), Path::to_owned);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, serde_json::to_string_pretty(report)?).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

/// All tables of `bench load`.
pub fn tables(outcome: &Outcome) -> String {
    let scenarios = &outcome.scenarios;
    let mut text = if scenarios.is_empty() { String::new() } else { speeds(scenarios) };
    for scenario in scenarios {
        if scenario.name == "first" {
            let second = |n: usize| scenario.seconds.get(n).copied().unwrap_or_default();
            let _ = writeln!(
                text,
                "\nAfter start: {} in the first second, {} a second in seconds 1 to 5, {:.0} a second in all.",
                second(0),
                (0..5).map(second).sum::<u64>() / 5,
                scenario.per_second
            );
        }
        if let Some(visible) = scenario.visible {
            let _ = writeln!(
                text,
                "\nAcknowledged to visible in analytics ({}): p50 {:.0} ms, p99 {:.0} ms, looked every {:.0} ms; {} never seen.",
                scenario.name, visible.p50, visible.p99, visible.resolution, visible.missed
            );
        }
        for (error, count) in &scenario.errors {
            let _ = writeln!(text, "\n{}: {count} times {error}", scenario.name);
        }
        if scenario.settled.is_none() {
            let _ = writeln!(text, "\n{}: its events were not all applied", scenario.name);
        }
    }
    text += &guarded(outcome);
    if scenarios.is_empty() {
        return text;
    }
    text += &grid("CPU, ms for one request", scenarios, |scenario| scenario.cpu_by_process.clone(), 3);
    text += &grid("Sidecar calls for one request", scenarios, |scenario| scenario.calls_by_kind.clone(), 3);
    text += &grid("Memory, RSS in MiB, at the end", scenarios, |scenario| memory(scenario, |memory| memory.rss), 0);
    text += &grid("Memory, PSS in MiB, at the end", scenarios, |scenario| memory(scenario, |memory| memory.pss), 0);
    if let Some(idle) = &outcome.idle {
        let _ = writeln!(text, "\nAt rest: {:.0} ms of CPU and {:.1} sidecar calls a second.", idle.cpu, idle.calls);
        for (name, cpu) in idle.cpu_by_process.iter().filter(|(_, cpu)| **cpu >= 0.5) {
            let _ = writeln!(text, "  {name:<NAME$} {cpu:.1}");
        }
    }
    text
}

/// What it costs that not everybody may do everything.
fn guarded(outcome: &Outcome) -> String {
    let mut text = String::new();
    if let Some(TokenCheck { new, seen, bytes }) = outcome.tokens {
        let _ =
            writeln!(text, "\nA token of {bytes} bytes is checked in {new:.1} us, once it was seen in {seen:.2} us.");
    }
    for overhead in &outcome.overheads {
        let (p50, p99) = (overhead.spread(|ratio| ratio.p50), overhead.spread(|ratio| ratio.p99));
        let _ = writeln!(
            text,
            "\nThe same read at {} connections ({} errors), p50 and p99 ms\n  {:<NAME$}{:>9.3}{:>9.3}\n  {:<NAME$}{:>9.3}{:>9.3}\n  {:<NAME$}{:>9.3}{:>9.3}   in {} rounds {:.3} to {:.3}, {:.3} to {:.3}",
            overhead.connections,
            overhead.errors,
            "through the gateway",
            overhead.gateway.p50,
            overhead.gateway.p99,
            "through its sidecar alone",
            overhead.bare.p50,
            overhead.bare.p99,
            "ratio",
            overhead.ratio.p50,
            overhead.ratio.p99,
            overhead.rounds.len(),
            p50.0,
            p50.1,
            p99.0,
            p99.1
        );
    }
    if let Some(storm) = &outcome.storm {
        let _ = writeln!(
            text,
            "\n{PEOPLE} sign in at once, {:.2} s each time: {:?}; auth held {:.0} MiB before and {:.0} at most.\n\
             Others meanwhile ({}, not answered well {:?}): p50 {:.1}, p99 {:.1}, max {:.1} ms; when nobody signs in: {:.1}, {:.1}, {:.1}.",
            storm.seconds,
            storm.ended,
            storm.before,
            storm.peak,
            storm.asked,
            storm.errors,
            storm.others.p50,
            storm.others.p99,
            storm.others.max,
            storm.calm.p50,
            storm.calm.p99,
            storm.calm.max
        );
    }
    text
}

/// The goals, and whether they are met.
pub fn goals(goals: &[Goal]) -> String {
    let mut text = "\nGoals\n".to_owned();
    for goal in goals {
        let verdict = match goal.met() {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "not measured",
        };
        let measured = goal.measured.map_or_else(|| "-".to_owned(), |measured| format!("{measured:.2}"));
        let _ = writeln!(text, "  {:<54} {:>8} {measured:>9}  {verdict}", goal.what, goal.wanted);
    }
    text
}

fn memory(scenario: &Measured, of: fn(&crate::usage::Memory) -> f64) -> BTreeMap<String, f64> {
    let mut memory: BTreeMap<_, _> = scenario.memory.iter().map(|(name, held)| (name.clone(), of(held))).collect();
    memory.insert("= services and sidecars".to_owned(), of(&scenario.services_and_sidecars));
    memory
}

fn speeds(scenarios: &[Measured]) -> String {
    let mut text = format!(
        "{:<NAME$}{:>9}{:>9}{:>9}{:>9}{:>9}{:>8}{:>9}{:>9}{:>9}{:>9}{:>9}\n",
        "scenario",
        "req/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
        "errors",
        "calls",
        "deliv.",
        "CPU ms",
        "ours %",
        "settled"
    );
    for scenario in scenarios {
        let latency = scenario.latency;
        let _ = writeln!(
            text,
            "{:<NAME$}{:>9.0}{:>9.2}{:>9.2}{:>9.2}{:>9.1}{:>8}{:>9.2}{:>9.3}{:>9.3}{:>9.1}{:>9}",
            scenario.name,
            scenario.per_second,
            latency.p50,
            latency.p95,
            latency.p99,
            latency.max,
            scenario.errors.values().sum::<u64>(),
            scenario.calls,
            scenario.deliveries,
            scenario.cpu,
            scenario.cpu_of_services * 100.0,
            scenario.settled.map_or_else(|| "never".to_owned(), |settled| format!("{settled:.1} s")),
        );
    }
    text
}

/// A row for each name, a column for each scenario; names that come to nothing everywhere are left out.
fn grid(
    title: &str,
    scenarios: &[Measured],
    values: impl Fn(&Measured) -> BTreeMap<String, f64>,
    digits: usize,
) -> String {
    let columns: Vec<_> = scenarios.iter().map(&values).collect();
    let least = 0.5 / 10_f64.powi(i32::try_from(digits).unwrap_or_default());
    let names: BTreeSet<_> =
        columns.iter().flatten().filter(|(_, value)| **value >= least).map(|(name, _)| name.clone()).collect();
    let mut text = format!("\n{title}\n{:<NAME$}", "");
    for scenario in scenarios {
        let _ = write!(text, "{:>COLUMN$}", scenario.name);
    }
    for name in names {
        let _ = write!(text, "\n{name:<NAME$}");
        for column in &columns {
            let value = column.get(&name).copied().unwrap_or_default();
            let _ =
                if value < least { write!(text, "{:>COLUMN$}", "") } else { write!(text, "{value:>COLUMN$.digits$}") };
        }
    }
    text + "\n"
}
