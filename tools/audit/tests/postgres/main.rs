//! Chains on a real PostgreSQL that these tests start, tamper with, kill and stop.

mod chain;
mod cluster;
mod command;
mod tampering;
mod writers;

use std::{future::Future, process::ExitCode};

use anyhow::Context as _;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

use cluster::Cluster;

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    if arguments.list {
        return Ok(libtest_mimic::run(&arguments, trials(None)).exit_code());
    }
    // One of them kills the server.
    arguments.test_threads = Some(1);
    let cluster: &'static Cluster = Box::leak(Box::new(Runtime::new()?.block_on(Cluster::start())?));
    let conclusion = libtest_mimic::run(&arguments, trials(Some(cluster)));
    Runtime::new()?.block_on(cluster.stop())?;
    Ok(conclusion.exit_code())
}

fn trials(cluster: Option<&'static Cluster>) -> Vec<Trial> {
    macro_rules! trials {
        ($($module:ident: $($name:ident),+;)+) => {
            vec![$($(trial(cluster, concat!(stringify!($module), "::", stringify!($name)), $module::$name)),+),+]
        };
    }
    trials![
        tampering: an_untouched_chain_is_intact, purged_details_are_counted_and_no_failure,
            every_changed_field_is_found, a_changed_hash_is_found, changed_details_are_found, a_changed_salt_is_found,
            details_that_never_were_are_found, a_dropped_entry_is_found, two_swapped_entries_are_found,
            a_truncated_end_is_found, an_end_that_was_truncated_with_its_checkpoints_is_found_by_one_kept_elsewhere,
            an_entry_that_was_not_sealed_is_found, a_replaced_checkpoint_is_found,
            a_chain_that_was_made_anew_is_found, a_checkpoint_of_another_service_is_none;
        writers: under_many_writers_and_kills_every_acknowledged_entry_is_sealed;
        command: it_tells_where_and_ends_with_a_code;
    ]
}

fn trial<Test, Run>(cluster: Option<&'static Cluster>, name: &'static str, test: Test) -> Trial
where
    Test: FnOnce(&'static Cluster) -> Run + Send + 'static,
    Run: Future<Output = anyhow::Result<()>>,
{
    Trial::test(name, move || {
        let run = async { test(cluster.context("no cluster was started")?).await };
        let runtime = Runtime::new().map_err(anyhow::Error::from);
        runtime.and_then(|runtime| runtime.block_on(run)).map_err(|error| Failed::from(format!("{error:?}")))
    })
}
