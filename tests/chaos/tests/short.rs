//! A short run within `make test`, and one proof that the checker can fail: the run's own system, broken after the
//! verdict.

use std::{env, path::Path, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use chaos::{Controls, Outcome, Sabotage, Settings, run, settings::CLIENTS};
use libtest_mimic::{Arguments, Failed, Trial};

/// The same plan each time: what this finds is to be found again.
const SEED: u64 = 20;
const BROKEN: Sabotage = Sabotage::VersionCheckOff;
const NAMES: [&str; 3] = [
    "nothing_is_lost_and_nothing_is_there_twice_whatever_is_killed",
    "the_checker_sees_that_somebody_tampered_with_the_books",
    "the_checker_sees_that_an_old_version_wins",
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let matches = |name: &str| arguments.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
    if arguments.list || !NAMES.iter().any(|name| matches(name)) {
        let names = NAMES.iter().map(|name| Trial::test(*name, || Ok(())));
        return libtest_mimic::run(&arguments, names.collect()).exit_code();
    }
    let outcome = Arc::new(short_run());
    let (lost, tampered, seen) = (Arc::clone(&outcome), Arc::clone(&outcome), outcome);
    let trials = vec![
        Trial::test(NAMES[0], move || lost_nothing(lost.as_ref().as_ref()).map_err(Failed::from)),
        Trial::test(NAMES[1], move || saw_each(tampered.as_ref().as_ref()).map_err(Failed::from)),
        Trial::test(NAMES[2], move || saw_it(seen.as_ref().as_ref()).map_err(Failed::from)),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn short_run() -> Result<Outcome> {
    let settings = Settings {
        seed: SEED,
        writes: 400,
        clients: CLIENTS,
        kills: 4,
        pause: Duration::from_secs(5),
        broker: local::broker::Kind::default(),
        instances: 1,
        bin_dir: programs()?,
        checker: beside()?.join("chaos-checker"),
        sabotage: None,
        keep: false,
    };
    tokio::runtime::Runtime::new()?.block_on(run(&settings, Controls { books: true, sabotage: Some(BROKEN) }, |_| {}))
}

fn lost_nothing(outcome: Result<&Outcome, &anyhow::Error>) -> Result<(), String> {
    let outcome = outcome.map_err(|error| format!("{error:?}"))?;
    let broken: Vec<_> = outcome.lines.iter().filter(|line| !line.holds()).collect();
    if broken.is_empty() { Ok(()) } else { Err(format!("seed {SEED}: {broken:#?}\nkept in {:?}", outcome.home)) }
}

fn saw_each(outcome: Result<&Outcome, &anyhow::Error>) -> Result<(), String> {
    let outcome = outcome.map_err(|error| format!("{error:?}"))?;
    let unseen: Vec<_> = outcome.tampered.iter().filter(|(_, unseen)| unseen.is_some()).collect();
    match outcome.tampered.as_slice() {
        [] => Err("the run itself has failed, so nothing was tampered with".to_owned()),
        _ if unseen.is_empty() => Ok(()),
        _ => Err(format!("{unseen:#?}")),
    }
}

fn saw_it(outcome: Result<&Outcome, &anyhow::Error>) -> Result<(), String> {
    let outcome = outcome.map_err(|error| format!("{error:?}"))?;
    match &outcome.control {
        Some((_, None)) => Ok(()),
        Some((sabotage, Some(why))) => Err(format!("{sabotage:?}: {why}")),
        None => Err("the run itself has failed, so nothing was broken".to_owned()),
    }
}

/// Where the services' programs are: in `PMS_BIN_DIR`, else where cargo built them beside this test.
#[expect(clippy::disallowed_methods, reason = "a test has no config.rs")]
fn programs() -> Result<PathBuf> {
    env::var("PMS_BIN_DIR").map_or_else(|_| beside(), |directory| Ok(directory.into()))
}

fn beside() -> Result<PathBuf> {
    let test = env::current_exe()?;
    Ok(test.parent().and_then(Path::parent).context("cargo's directory")?.to_owned())
}
