//! `pms-local`: starts, shows and stops the system on this machine. The Makefile calls it.

use std::process::ExitCode;

use clap::Parser as _;

mod command_line;
mod commands;

#[tokio::main]
async fn main() -> ExitCode {
    match commands::run(command_line::CommandLine::parse()).await {
        Ok(code) => code,
        Err(error) => {
            commands::complain(&error);
            ExitCode::FAILURE
        }
    }
}
