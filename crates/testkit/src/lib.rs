#![doc = include_str!("../README.md")]

mod ask;
mod database;
pub mod grpc;
mod issuer;
mod parts;
mod place;
mod sidecar;
mod stranger;

use std::{future::Future, process::ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

pub use local::App;

pub use self::{
    database::Database,
    issuer::Issuer,
    parts::Parts,
    place::{kafka_files, repo, runtime_dir},
};

/// What a test answers.
pub type Result<T = ()> = anyhow::Result<T>;

/// Starts the parts for `app`, then the service by `start`, which answers the tests; runs them, ends everything.
pub fn run<S, F>(app: App, start: S) -> ExitCode
where
    S: FnOnce(Parts) -> F,
    F: Future<Output = Result<Vec<Trial>>>,
{
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let parts = match runtime.block_on(Parts::start(app)) {
        Ok(parts) => parts,
        Err(error) => return failed(&error),
    };
    let code = match runtime.block_on(start(parts.clone())) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => failed(&error),
    };
    if code != ExitCode::SUCCESS {
        parts.show_logs();
    }
    parts.end();
    runtime.shutdown_background();
    code
}

/// A test, named by the sentence that it proves.
pub fn test<T, F>(name: &str, parts: &Parts, test: T) -> Trial
where
    T: FnOnce(Parts) -> F + Send + 'static,
    F: Future<Output = Result>,
{
    let parts = parts.clone();
    Trial::test(name, move || {
        let handle = parts.handle();
        handle.block_on(test(parts)).map_err(|error| Failed::from(format!("{error:?}")))
    })
}

#[expect(clippy::print_stderr, reason = "what a test's runner says")]
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("the tests could not be run: {error:?}");
    ExitCode::FAILURE
}
