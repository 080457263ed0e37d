//! The program `bench`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use jiff::Timestamp;
use load::{
    analytics, appointments, billing,
    goals::{self, Goal},
    growth,
    machine::Machine,
    options::{Analytics, Appointments, Billing, Command, CommandLine, Growth, Load, Setup},
    report, scenarios,
};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    match CommandLine::parse().command {
        Command::Load(options) => measure(&options).await,
        Command::Growth(options) => grow(&options).await,
        Command::Appointments(options) => book(&options).await,
        Command::Analytics(options) => count(&options).await,
        Command::Billing(options) => pay(&options).await,
    }
}

async fn measure(options: &Load) -> Result<ExitCode> {
    let (machine, seed) = begin(&options.setup);
    let outcome = scenarios::run(options, seed).await?;
    report::print(&report::tables(&outcome));
    let goals = goals::of(&outcome);
    let figures = json!({
        "scenarios": outcome.scenarios, "idle": outcome.idle, "tokens": outcome.tokens,
        "overheads": outcome.overheads, "storm": outcome.storm,
    });
    let failed = outcome.scenarios.iter().any(|scenario| !scenario.errors.is_empty() || scenario.settled.is_none());
    let met = end(
        "bench.json",
        &options.setup,
        &machine,
        seed,
        &format!("{options:?}"),
        &figures,
        options.check.then_some(goals),
    )?;
    Ok(code(met && !failed))
}

async fn grow(options: &Growth) -> Result<ExitCode> {
    let (machine, seed) = begin(&options.setup);
    let grown = growth::run(options, seed).await?;
    report::print(&grown.table());
    let failed = grown.sizes.iter().flat_map(|(_, scenarios)| scenarios).any(|scenario| !scenario.errors.is_empty());
    let goals = options.check.then(|| grown.goals());
    let met = end("growth.json", &options.setup, &machine, seed, &format!("{options:?}"), &json!(grown), goals)?;
    Ok(code(met && !failed))
}

async fn book(options: &Appointments) -> Result<ExitCode> {
    let (machine, seed) = begin(&options.setup);
    let measured = appointments::run(options, seed).await?;
    report::print(&measured.table());
    let goals = options.check.then(|| measured.goals());
    let figures = json!(measured);
    let met = end("appointments.json", &options.setup, &machine, seed, &format!("{options:?}"), &figures, goals)?;
    Ok(code(met && measured.errors() == 0))
}

async fn pay(options: &Billing) -> Result<ExitCode> {
    let (machine, seed) = begin(&options.setup);
    let measured = billing::run(options, seed).await?;
    report::print(&measured.table());
    let goals = options.check.then(|| measured.goals());
    let met = end("billing.json", &options.setup, &machine, seed, &format!("{options:?}"), &json!(measured), goals)?;
    Ok(code(met && measured.errors() == 0))
}

async fn count(options: &Analytics) -> Result<ExitCode> {
    let (machine, seed) = begin(&options.setup);
    let measured = analytics::run(options, seed).await?;
    report::print(&measured.table());
    let goals = options.check.then(|| measured.goals());
    let met = end("analytics.json", &options.setup, &machine, seed, &format!("{options:?}"), &json!(measured), goals)?;
    Ok(code(met && measured.errors() == 0))
}

fn begin(setup: &Setup) -> (Machine, u64) {
    let (machine, seed) = (Machine::read(), setup.seed());
    report::print(&format!(
        "{}\n{}, seed {seed}, broker {}, instances {}\n",
        machine.line(),
        Timestamp::now(),
        setup.broker,
        setup.instances
    ));
    (machine, seed)
}

/// Writes everything down and compares it with the goals; answers whether none is missed.
fn end(
    name: &str,
    setup: &Setup,
    machine: &Machine,
    seed: u64,
    options: &str,
    figures: &Value,
    goals: Option<Vec<Goal>>,
) -> Result<bool> {
    let time = Timestamp::now();
    let record = json!({ "machine": machine, "time": time, "options": options, "seed": seed, "figures": figures });
    let written = report::write(setup.out.as_deref(), name, &record)?;
    let goals = goals.unwrap_or_default();
    if !goals.is_empty() {
        report::print(&report::goals(&goals));
    }
    report::print(&format!("written to {}", written.display()));
    Ok(goals.iter().all(|goal| goal.met() == Some(true)))
}

fn code(well: bool) -> ExitCode {
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
