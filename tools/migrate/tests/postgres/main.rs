//! What the prepared databases promise, tried on a real server that these tests start and stop.
//!
//! The services' own databases serve the tests of preparing, of roles and of the command.
//! The trigger and the functions of the foundation are tried in copies of `probe-service-db`,
//! which has the foundation and a projection of the tests' own, so that no service's migration matters.

#![expect(clippy::print_stderr, reason = "a test runner that tells how long preparing took")]

mod audit;
mod cluster;
mod command;
mod outbox;
mod preparing;
mod probe;
mod projections;
mod roles;
mod sidecar_start;
mod state_table;
mod store;
mod trigger;

use std::future::Future;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, ensure};
use libtest_mimic::{Arguments, Failed, Trial};

use cluster::Cluster;

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::from_args();
    if arguments.list {
        return Ok(libtest_mimic::run(&arguments, trials(None)).exit_code());
    }
    let cluster: &'static Cluster = Box::leak(Box::new(Cluster::start()?));
    let conclusion = runtime()?.block_on(set_up(cluster)).map(|()| {
        // Every test waits for the server more than it computes.
        let arguments = Arguments { test_threads: arguments.test_threads.or(Some(4)), ..arguments };
        libtest_mimic::run(&arguments, trials(Some(cluster)))
    });
    cluster.stop()?;
    Ok(conclusion?.exit_code())
}

async fn set_up(cluster: &Cluster) -> anyhow::Result<()> {
    cluster.make_administrator().await?;
    let fresh = migrate::status(&cluster.admin_url()).await?;
    ensure!(fresh.iter().all(|status| status.applied.is_empty() && !status.pending.is_empty()), "{fresh:?}");
    let started = Instant::now();
    migrate::prepare(&cluster.admin_url(), &cluster::targets()).await?;
    eprintln!("four databases prepared in {} ms", started.elapsed().as_millis());
    probe::make_template(cluster).await
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn trials(cluster: Option<&'static Cluster>) -> Vec<Trial> {
    macro_rules! trials {
        ($($module:ident: $($name:ident),+;)+) => {
            vec![$($(trial(cluster, concat!(stringify!($module), "::", stringify!($name)), $module::$name)),+),+]
        };
    }
    trials![
        preparing: preparing_again_and_twice_at_once_changes_nothing, a_changed_password_takes_effect,
            a_newer_schema_is_refused, a_migration_that_was_changed_after_it_ran_is_refused;
        roles: roles_sign_in_by_scram_and_have_no_powers, the_functions_role_may_execute_api_and_nothing_else,
            the_state_role_may_keep_documents_and_nothing_else, only_a_service_connects_to_its_database;
        sidecar_start: a_sidecar_starts_and_migrates_nothing, a_sidecar_that_had_to_migrate_would_be_refused;
        state_table: it_is_the_one_that_the_sidecar_would_make;
        trigger: a_write_leaves_its_events_and_its_projection, a_refused_first_write_leaves_nothing,
            a_before_trigger_would_let_a_refused_first_write_leave_an_event, a_change_keeps_the_replaced_version,
            a_version_that_does_not_follow_is_refused, an_event_is_applied_once,
            a_violated_constraint_refuses_document_and_events, bytes_that_are_no_document_are_refused,
            a_dead_letter_needs_no_projection_of_the_service,
            writers_that_name_the_same_take_turns_in_sorted_order;
        outbox: a_worker_passes_over_what_another_is_claiming, workers_share_the_backlog_without_overlap,
            a_lease_that_ran_out_is_claimed_again, a_young_event_is_left_to_its_writer,
            the_backlog_is_told, dead_letters_page_by_key;
        audit: a_change_leaves_its_entries_with_its_document, a_refused_change_leaves_no_entry,
            a_malformed_entry_refuses_its_document, an_entry_that_comes_twice_is_sealed_once,
            one_worker_at_a_time_seals, an_entry_that_commits_late_is_sealed_without_a_gap,
            a_page_has_what_was_asked_for_newest_first, a_page_is_found_by_an_index,
            what_is_sealed_never_changes_not_even_by_its_owner, only_a_checkpoint_of_the_chain_is_kept;
        projections: a_rebuild_gives_equal_tables_and_sends_nothing, a_rebuild_that_fails_changes_nothing,
            a_rebuild_waits_for_writers_and_has_their_documents,
            a_rebuild_without_documents_keeps_rows_that_came_from_elsewhere,
            a_rebuild_takes_no_lock_for_each_document, a_rebuild_of_patients_gives_equal_tables;
        command: it_prepares_and_tells;
    ]
}

fn trial<Test, Run>(cluster: Option<&'static Cluster>, name: &'static str, test: Test) -> Trial
where
    Test: FnOnce(&'static Cluster) -> Run + Send + 'static,
    Run: Future<Output = anyhow::Result<()>>,
{
    Trial::test(name, move || {
        let run = async { test(cluster.context("no cluster was started")?).await };
        runtime()?.block_on(run).map_err(|error| Failed::from(format!("{error:?}")))
    })
}
