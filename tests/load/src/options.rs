//! The command line.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use local::broker;

/// Measures the whole system on this machine.
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub struct CommandLine {
    /// What to measure.
    #[command(subcommand)]
    pub command: Command,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Speed and cost of registrations, reads, searches and sign-in, beside the floor.
    Load(Load),
    /// The same with 10,000, 100,000 and 1,000,000 patients, and how fast a backlog of events drains.
    Growth(Growth),
    /// Charts, the search for a free time, and bookings.
    Appointments(Appointments),
    /// How fast events are counted, how soon they show, what is asked of a year, and 100 who listen.
    Analytics(Analytics),
    /// Payments beside the floor, many for one patient, and invoices by id.
    Billing(Billing),
}

/// How a system is started.
#[derive(Args, Clone, Debug)]
pub struct Setup {
    /// Where the systems keep their state; kept afterwards. A directory that is deleted at the end, when not given.
    #[arg(long)]
    pub home: Option<PathBuf>,
    /// The services' programs.
    #[arg(long, env = "PMS_BIN_DIR")]
    pub bin_dir: Option<PathBuf>,
    /// The broker: `kafka`, `redis` or `rabbitmq`.
    #[arg(long, env = "BROKER", default_value_t)]
    pub broker: broker::Kind,
    /// How many instances there are of the services that may have several.
    #[arg(long, env = "PMS_INSTANCES", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub instances: u8,
    /// A variable for every service and sidecar, over those of `dapr.yaml`: `GOGC=200`.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub variables: Vec<String>,
    /// How much services and sidecars log.
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub log_level: String,
    /// Whom to register: the same seed gives the same people.
    #[arg(long)]
    pub seed: Option<u64>,
    /// The file that is written.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// `bench load`
#[derive(Args, Clone, Debug)]
pub struct Load {
    #[command(flatten)]
    /// How the systems are started.
    pub setup: Setup,
    /// How long each scenario lasts.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// How long it is warmed up before.
    #[arg(long, default_value_t = 2)]
    pub warm_up: u64,
    /// How long the first scenario lasts, which is not warmed up.
    #[arg(long, default_value_t = 30)]
    pub first_seconds: u64,
    /// Scenarios by name or by the beginning of it: `register-64,floor`. All, when not given.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Compare with the goals, and fail when one is not met.
    #[arg(long)]
    pub check: bool,
}

/// `bench growth`
#[derive(Args, Clone, Debug)]
pub struct Growth {
    #[command(flatten)]
    /// How the system is started.
    pub setup: Setup,
    /// How many patients there are, smallest first.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000])]
    pub sizes: Vec<u64>,
    /// How many events wait to leave; none when 0.
    #[arg(long, default_value_t = 100_000)]
    pub backlog: u64,
    /// How long each scenario lasts.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// How long it is warmed up before.
    #[arg(long, default_value_t = 2)]
    pub warm_up: u64,
    /// Compare with the goals, and fail when one is not met.
    #[arg(long)]
    pub check: bool,
}

/// `bench appointments`
#[derive(Args, Clone, Debug)]
pub struct Appointments {
    #[command(flatten)]
    /// How the system is started.
    pub setup: Setup,
    /// For how long is booked.
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// Compare with the goals, and fail when one is not met.
    #[arg(long)]
    pub check: bool,
}

/// `bench analytics`
#[derive(Args, Clone, Debug)]
pub struct Analytics {
    #[command(flatten)]
    /// How the system is started.
    pub setup: Setup,
    /// How many appointments of a year are there before anything is asked.
    #[arg(long, default_value_t = 1_000_000)]
    pub facts: u64,
    /// About how many events wait for analytics.
    #[arg(long, default_value_t = 60_000)]
    pub backlog: u64,
    /// For how long is registered and listened.
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// How often each question is asked.
    #[arg(long, default_value_t = 20)]
    pub times: u64,
    /// Compare with the goals, and fail when one is not met.
    #[arg(long)]
    pub check: bool,
}

/// `bench billing`
#[derive(Args, Clone, Debug)]
pub struct Billing {
    #[command(flatten)]
    /// How the systems are started.
    pub setup: Setup,
    /// How often it is each one's turn, where turns are taken.
    #[arg(long, default_value_t = 30)]
    pub turns: u32,
    /// For how long invoices are read.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Compare with the goals, and fail when one is not met.
    #[arg(long)]
    pub check: bool,
}

impl Setup {
    /// The variables for services and sidecars.
    pub fn environment(&self) -> Result<BTreeMap<String, String>> {
        let pair = |text: &String| {
            let (name, value) = text.split_once('=').with_context(|| format!("--env {text} is not NAME=VALUE"))?;
            Ok((name.to_owned(), value.to_owned()))
        };
        self.variables.iter().map(pair).collect()
    }

    /// The services' programs: where they were said to be, else beside this one.
    pub fn programs(&self) -> Result<PathBuf> {
        self.bin_dir.clone().map_or_else(own_directory, Ok)
    }

    /// The seed that was given, or one that nobody had yet.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or_else(rand::random)
    }
}

impl Load {
    /// Whether a scenario is asked for.
    pub fn wants(&self, scenario: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| scenario == wanted || begins(scenario, wanted))
    }
}

/// `register` begins `register-64`, and `register-6` does not.
fn begins(scenario: &str, wanted: &str) -> bool {
    scenario.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('-'))
}

/// Where this program is.
pub fn own_directory() -> Result<PathBuf> {
    env::current_exe()?.parent().map(Path::to_owned).context("this program has no directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_picked_by_name_or_family() {
        assert!(begins("register-64", "register") && !begins("register-64", "register-6"));
        assert!(!begins("floor-64", "register"));
    }
}
