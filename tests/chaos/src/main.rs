//! `make chaos` and `make chaos-negative`.

mod table;

use std::{env, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, ensure};
use chaos::{Controls, Plan, Sabotage, Settings, run, settings::CLIENTS, verdict};
use clap::Parser;

/// Kills every part of the system again and again while clients write, and has the checker look at what is left.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Replays the plan of an earlier run: victims, order, gaps, people and injections.
    #[arg(long)]
    seed: Option<u64>,
    /// How many writes get a definite answer.
    #[arg(long, default_value_t = 5000)]
    writes: u64,
    /// How many clients make them.
    #[arg(long, default_value_t = CLIENTS)]
    clients: u32,
    /// How many kills of each kind: services, sidecars, the broker, PostgreSQL.
    #[arg(long, default_value_t = 22)]
    kills: u32,
    /// How many seconds the relay hangs at the end.
    #[arg(long, default_value_t = 15)]
    pause: u64,
    /// The broker: `kafka`, `redis` or `rabbitmq`.
    #[arg(long, env = "BROKER", default_value_t)]
    broker: local::broker::Kind,
    /// How many instances of patient and of billing.
    #[arg(long, env = "PMS_INSTANCES", default_value_t = 1)]
    instances: u8,
    /// The services' programs.
    #[arg(long, env = "PMS_BIN_DIR")]
    bin_dir: PathBuf,
    /// The checker's program; by default the one beside this program.
    #[arg(long)]
    checker: Option<PathBuf>,
    /// Break something on purpose: the run succeeds when the checker sees it.
    #[arg(long, value_enum)]
    sabotage: Option<Sabotage>,
    /// The run without sabotage, and then each sabotage.
    #[arg(long, conflicts_with = "sabotage")]
    negative: bool,
    /// Print the plan and do nothing.
    #[arg(long)]
    plan: bool,
    /// Leave data and logs where they are, whatever the verdict.
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    let settings = Settings {
        seed,
        writes: arguments.writes,
        clients: arguments.clients,
        kills: arguments.kills,
        pause: Duration::from_secs(arguments.pause),
        broker: arguments.broker,
        instances: arguments.instances,
        bin_dir: arguments.bin_dir,
        checker: arguments.checker.map_or_else(beside, Ok)?,
        sabotage: arguments.sabotage,
        keep: arguments.keep,
    };
    if arguments.plan {
        table::plan(&Plan::new(seed, settings.kills, settings.instances))?;
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(settings.checker.exists(), "{} is missing; `make chaos` builds it", settings.checker.display());
    let wanted: Vec<_> = if arguments.negative {
        std::iter::once(None).chain(Sabotage::ALL.map(Some)).collect()
    } else {
        vec![settings.sabotage]
    };
    let mut good = true;
    for sabotage in wanted {
        let controls = Controls { books: arguments.negative && sabotage.is_none(), sabotage: None };
        good &= one(&Settings { sabotage, ..settings.clone() }, controls).await?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One run, told as it goes; whether it went as it should.
async fn one(settings: &Settings, controls: Controls) -> Result<bool> {
    table::head(settings)?;
    let outcome = run(settings, controls, table::say).await?;
    table::outcome(settings, &outcome)?;
    let Some(sabotage) = settings.sabotage else {
        table::verdict(settings, outcome.holds().then_some(()).ok_or("a promise is broken"))?;
        let is_seen = outcome.tampered.iter().all(|(_, unseen)| unseen.is_none());
        return Ok(outcome.holds() && is_seen);
    };
    let unseen = verdict::unseen(sabotage, &outcome.lines);
    table::verdict(settings, unseen.as_deref().map_or(Ok(()), Err))?;
    Ok(unseen.is_none())
}

fn beside() -> Result<PathBuf> {
    Ok(env::current_exe()?.parent().context("this program is in no directory")?.join("chaos-checker"))
}
