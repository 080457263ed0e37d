//! `pms-access write` makes what follows from `dapr/access.yaml`; `pms-access check` only compares.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to the one who typed it")]

use std::{env, path::PathBuf, process::ExitCode};

use access_policy::generated;
use anyhow::{Result, bail};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pms-access: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (command, root) = match arguments.as_slice() {
        [command] => (command, PathBuf::from(".")),
        [command, root] => (command, PathBuf::from(root)),
        _ => bail!("usage: pms-access write|check [repository]"),
    };
    match command.as_str() {
        "write" => {
            for path in generated::write(&root)? {
                println!("{path}");
            }
            Ok(ExitCode::SUCCESS)
        }
        "check" => {
            let stale = generated::stale(&root)?;
            for path in &stale {
                eprintln!("{path} does not follow from {}", generated::SOURCE);
            }
            if stale.is_empty() {
                return Ok(ExitCode::SUCCESS);
            }
            bail!("run `cargo run -p access-policy -- write`")
        }
        other => bail!("unknown command {other:?}: write or check"),
    }
}
