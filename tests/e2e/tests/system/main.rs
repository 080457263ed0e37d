//! The whole system from outside: real PostgreSQL, broker, sentry, five services and their sidecars, as `dapr run -f`
//! starts them.

mod access_matrix;
mod audited;
mod bad_input;
mod browsers;
mod claims;
mod collector;
mod door;
mod faults;
mod figures;
mod journey;
mod limits;
mod openapi;
mod origins;
mod people;
mod privacy;
mod processes;
mod roles;
mod rotation;
mod sessions;
mod sidecars;
mod smuggling;
mod sockets;
mod stage;
mod tracing;

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Result;
use futures::{FutureExt as _, future::LocalBoxFuture};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

use self::stage::Stage;

type Play = fn(Arc<Stage>) -> LocalBoxFuture<'static, Result<()>>;

/// Named by the sentence that each proves, in the order in which they run: what wants a quiet system comes first, what
/// looks back at everything last.
macro_rules! trials {
    ($($name:ident: $play:path,)+) => {
        const TRIALS: &[(&str, Play)] = &[$((stringify!($name), |stage| Box::pin(async move { $play(&stage).await })),)+];
    };
}

trials! {
    an_idle_service_is_small: processes::idle_services_are_small,
    a_registration_goes_through_the_whole_chain: journey::at_the_public_port,
    every_route_answers_at_the_gateways_own_sidecar_with_the_same_checks: journey::at_the_gateways_sidecar,
    bad_input_is_told_apart_and_writes_nothing: bad_input::refused,
    what_is_refused_unread_does_not_break_the_next_request: bad_input::unread,
    the_openapi_document_is_true: openapi::is_true,
    the_openapi_document_is_browsable_without_another_network: openapi::is_browsable,
    a_caller_that_the_matrix_does_not_allow_is_refused: access_matrix::callers,
    every_cell_of_the_matrix_of_roles_is_as_it_says: roles::every_cell,
    a_bad_token_is_refused_at_the_gateway_and_at_every_app: roles::every_bad_token,
    clocks_may_differ_by_a_minute_and_not_by_more: roles::clocks,
    a_forged_identity_gives_nothing: roles::forged_identities,
    a_session_that_was_ended_is_over_everywhere_within_five_seconds: sessions::end_everywhere,
    a_browser_goes_on_by_its_cookie_and_has_no_token: browsers::go_on_by_cookie,
    a_page_of_another_site_does_nothing_in_a_browsers_session: browsers::keep_other_sites_out,
    a_browser_that_is_locked_or_signed_out_is_so_everywhere: browsers::lock,
    a_signing_key_is_rotated_while_everybody_goes_on_and_is_then_refused_everywhere: rotation::rotates,
    nothing_is_smuggled_through_the_public_port: smuggling::nothing_passes,
    who_sends_slowly_does_not_keep_a_connection: smuggling::slow_heads_end,
    who_sends_a_body_slowly_is_told_so_and_does_not_keep_a_connection: smuggling::slow_bodies_end,
    the_gateway_limits_what_anybody_may_ask: limits::by_default,
    every_answer_has_the_headers_for_browsers: limits::headers,
    a_version_that_is_known_is_not_sent_again: limits::not_modified,
    a_request_has_one_id_and_one_trace_in_every_log_and_event: origins::of_registrations,
    an_entry_of_the_audit_has_the_id_and_the_trace_of_its_request: origins::of_the_audit,
    every_access_to_a_record_is_in_the_audit_once_and_the_chains_verify: audited::once_each,
    a_topic_that_the_matrix_does_not_allow_is_refused: access_matrix::topics,
    one_registration_is_one_trace: tracing::one_registration,
    the_metrics_arrive: tracing::metrics,
    what_a_clearing_house_says_comes_in_at_the_public_door: claims::are_answered_at_the_door,
    the_payer_is_asked_whether_somebody_is_insured: claims::are_insured,
    whatever_a_payer_answers_the_books_are_right: claims::are_answered,
    figures_are_live: figures::are_live,
    what_analytics_has_missed_is_heard_again: figures::are_heard_again,
    figures_that_are_made_anew_are_the_same: figures::made_anew_are_the_same,
    a_service_talks_to_its_own_sidecar_alone: sockets::of_services,
    everything_listens_on_loopback: sockets::listeners,
    a_hanging_billing_does_not_hold_up_a_registration: faults::billing::hangs,
    a_dead_billing_does_not_hold_up_a_registration: faults::billing::dies,
    without_a_broker_registrations_go_on_and_their_events_arrive_later_in_their_traces: faults::broker::dies,
    without_a_database_nothing_is_promised_and_nothing_is_lost: faults::database::dies,
    a_consumer_that_was_away_misses_nothing_and_drops_nothing: faults::consumer::was_away,
    one_poison_event_among_a_hundred_is_one_dead_letter: faults::consumer::is_poisoned,
    without_auth_existing_tokens_still_verify: faults::auth::dies,
    a_service_that_is_told_to_end_finishes_what_it_has_begun: faults::deployment::drains,
    an_instance_that_is_killed_costs_no_request: faults::instances::are_killed_in_turn,
    a_time_is_booked_once_whoever_is_killed: faults::bookings::of_one_time,
    invoices_are_numbered_without_a_gap_whoever_is_killed: faults::books::are_numbered,
    a_payment_is_recorded_once_whoever_is_killed: faults::books::take_money,
    nothing_personal_is_in_any_log_span_or_metric: privacy::kept,
}

/// The trial for which the system is weighed before anything else happens.
const WEIGHED: &str = TRIALS[0].0;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    if arguments.list {
        let names = TRIALS.iter().map(|(name, _)| Trial::test(*name, || Ok(())));
        return libtest_mimic::run(&arguments, names.collect()).exit_code();
    }
    let wanted: Vec<_> = TRIALS.iter().filter(|(name, _)| is_wanted(&arguments, name)).collect();
    let Some((first, _)) = wanted.first() else {
        return libtest_mimic::run(&arguments, Vec::new()).exit_code();
    };
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let stage = match runtime.block_on(Stage::set(*first == WEIGHED)) {
        Ok(stage) => Arc::new(stage),
        Err(error) => return failed(&error),
    };
    let trials = TRIALS.iter().map(|&(name, play)| trial(name, play, &stage, runtime.handle()));
    let mut code = libtest_mimic::run(&arguments, trials.collect()).exit_code();
    if code != ExitCode::SUCCESS {
        stage.show_logs();
    }
    if let Err(error) = runtime.block_on(stage.strike()) {
        code = failed(&error);
    }
    runtime.shutdown_background();
    code
}

/// Nothing is started for trials that nobody asked for.
fn is_wanted(arguments: &Arguments, name: &str) -> bool {
    let matches = |filter: &String| if arguments.exact { name == filter } else { name.contains(filter.as_str()) };
    arguments.filter.as_ref().is_none_or(matches) && !arguments.skip.iter().any(matches)
}

/// A trial that leaves the system as it found it, also when it fails.
fn trial(name: &str, play: Play, stage: &Arc<Stage>, runtime: &tokio::runtime::Handle) -> Trial {
    let (stage, runtime) = (Arc::clone(stage), runtime.clone());
    Trial::test(name, move || {
        let (played, mended) = runtime.block_on(async {
            let played = AssertUnwindSafe(play(Arc::clone(&stage))).catch_unwind().await;
            (played, stage.mend().await)
        });
        let played = played.unwrap_or_else(|panic| resume_unwind(panic));
        played.and(mended).map_err(|error| Failed::from(format!("{error:?}")))
    })
}

#[expect(clippy::print_stderr, reason = "what a test's runner says")]
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("the system could not be tried: {error:?}");
    ExitCode::FAILURE
}
