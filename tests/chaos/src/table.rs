//! What a run prints.

use std::io::{Write as _, stdout};

use anyhow::Result;
use chaos::{Outcome, Plan, Settings};

/// A line while it goes on.
pub(crate) fn say(said: &str) {
    // A reader who has gone away does not end the run.
    let _ = writeln!(stdout(), "  {said}");
}

/// What is about to happen, and how to make it happen again.
pub(crate) fn head(settings: &Settings) -> Result<()> {
    let Settings { seed, writes, clients, kills, broker, instances, sabotage, .. } = settings;
    let mut out = stdout().lock();
    write!(out, "chaos: seed {seed}, {writes} writes by {clients} clients, {kills} kills of each kind, {broker}")?;
    if *instances > 1 {
        write!(out, ", {instances} instances")?;
    }
    if let Some(sabotage) = sabotage {
        write!(out, ", sabotaged: {sabotage:?}")?;
    }
    Ok(writeln!(out)?)
}

/// The plan that a seed makes.
pub(crate) fn plan(plan: &Plan) -> Result<()> {
    let mut out = stdout().lock();
    for (n, step) in plan.steps.iter().enumerate() {
        writeln!(out, "{:>3} {step}", n + 1)?;
    }
    Ok(writeln!(out, "    at last {} hangs", plan.paused)?)
}

/// Counts and promises.
pub(crate) fn outcome(settings: &Settings, outcome: &Outcome) -> Result<()> {
    let mut out = stdout().lock();
    let Outcome { tally, evidence, injected: [again, late, published, missed, poison], .. } = outcome;
    let list = |counts: Vec<(String, u64)>| {
        counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    };
    let answers = tally.answers.iter().map(|((wish, status), count)| (format!("{wish} {status}:"), *count));
    writeln!(out, "\nload        {:.1} s; {} attempts", outcome.load.as_secs_f64(), tally.attempts)?;
    writeln!(out, "answers     {}", list(answers.collect()))?;
    writeln!(out, "no answers  {}", list(tally.faults.iter().map(|(name, count)| (name.clone(), *count)).collect()))?;
    let kinds = outcome.kinds.iter().map(|(kind, count)| (kind.to_string(), *count));
    writeln!(out, "kills       {}; {} restarts of services and sidecars", list(kinds.collect()), outcome.restarts)?;
    writeln!(out, "            {}", list(outcome.kills.iter().map(|(name, count)| (name.clone(), *count)).collect()))?;
    writeln!(
        out,
        "sweepers    {} events claimed ({} by the logs), {} of them again; {} kills left {} committed events to them",
        evidence.swept, evidence.logged, evidence.again, evidence.kills, evidence.left
    )?;
    writeln!(
        out,
        "injected    {again} deliveries again ({late} events after newer ones, {missed} to nobody), {published} published again, {poison} poison"
    )?;
    let took = |took: Option<std::time::Duration>| {
        took.map_or("never".to_owned(), |took| format!("{:.1} s", took.as_secs_f64()))
    };
    let [outbox, consumers, remittances] = outcome.drained.map(took);
    writeln!(out, "drained     outbox {outbox}, consumers {consumers}, remittances {remittances}\n")?;
    for line in &outcome.lines {
        let verdict = if line.holds() { "holds" } else { "BROKEN" };
        writeln!(
            out,
            "{:<14} {verdict:<7} {:>7} checked {:>6} offend  {}",
            line.name, line.checked, line.offenders, line.promise
        )?;
        for offence in &line.first {
            // An answer may be long.
            writeln!(out, "    {}", offence.chars().take(400).collect::<String>())?;
        }
    }
    for (tampering, unseen) in &outcome.tampered {
        writeln!(out, "{}  {tampering}", unseen.as_deref().map_or("seen".to_owned(), |why| format!("UNSEEN: {why}")))?;
    }
    if let Some(home) = &outcome.home {
        writeln!(out, "\nkept in {}: clients.jsonl, poison.jsonl, logs/, postgres/", home.display())?;
        writeln!(
            out,
            "replay: make chaos ARGS=\"--seed {} --writes {} --kills {}\"",
            settings.seed, settings.writes, settings.kills
        )?;
    }
    Ok(())
}

/// The last word.
pub(crate) fn verdict(settings: &Settings, verdict: Result<(), &str>) -> Result<()> {
    let mut out = stdout().lock();
    match (settings.sabotage, verdict) {
        (None, Ok(())) => writeln!(out, "\nnothing was lost, nothing is there twice (seed {})\n", settings.seed),
        (Some(sabotage), Ok(())) => writeln!(out, "\n{sabotage:?} was seen, by {:?}\n", sabotage.breaks()),
        (None, Err(why)) => writeln!(out, "\nBROKEN: {why} (seed {})\n", settings.seed),
        (Some(sabotage), Err(why)) => writeln!(out, "\nUNSEEN: {sabotage:?}: {why} (seed {})\n", settings.seed),
    }?;
    Ok(())
}
