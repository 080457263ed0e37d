//! Compares what the clients were promised with what the databases hold.
//!
//! It shares no code with the services and knows of them what an auditor would: the clients' own log of their requests
//! and answers, the layout of the databases, and the contract of the public API.

mod books;
mod databases;
mod figures;
mod insurance;
mod lines;
mod log;
mod report;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;

use crate::{databases::Databases, log::Log, report::Report};

/// Checks a system at rest against the log of its clients.
#[derive(Parser)]
struct Arguments {
    /// The server, as its superuser: postgres://user:password@host:port
    #[arg(long, env = "CHECKER_POSTGRES", hide_env_values = true)]
    postgres: String,
    /// The clients' log: a request and its final answer on each line.
    #[arg(long)]
    log: PathBuf,
    /// What was published that nobody can use, one message on each line.
    #[arg(long)]
    poison: Option<PathBuf>,
    /// The zone that the clinic counts its days in.
    #[arg(long)]
    time_zone: String,
    /// Answer one JSON document.
    #[arg(long)]
    json: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let log = Log::read(&arguments.log, arguments.poison.as_deref())?;
    let databases = Databases::read(&arguments.postgres, &arguments.time_zone).await?;
    let report = Report { lines: lines::all(&log, &databases) };
    report.print(arguments.json)?;
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
