//! `entrypoint`: what a container needs a shell for elsewhere.
//!
//! `run PROGRAM ARGUMENT..` becomes that program, with variables whose values lie in files;
//! `probe URL` ends well when what listens there on this machine is well.
#![expect(clippy::print_stderr, reason = "a command talks to the one who started it")]

mod probe;
mod secrets;

use std::{
    convert::Infallible,
    env,
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match obey(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("entrypoint: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn obey(arguments: &[OsString]) -> Result<()> {
    match arguments {
        [command, program, rest @ ..] if command == "run" => match become_program(program, rest)? {},
        [command, url] if command == "probe" => probe::ask(url.to_str().context("the URL is not UTF-8")?),
        _ => bail!("usage: entrypoint run PROGRAM [ARGUMENT..] | entrypoint probe URL"),
    }
}

/// Takes its place, so that the program gets the container's signals and its exit is the container's.
fn become_program(program: &OsStr, arguments: &[OsString]) -> Result<Infallible> {
    let environment = secrets::read(env::vars_os())?;
    let error = Command::new(program).args(arguments).env_clear().envs(environment).exec();
    Err(error).with_context(|| format!("starting {}", program.display()))
}
