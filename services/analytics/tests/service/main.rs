//! The service beside a real sidecar, with real PostgreSQL and Kafka.

mod asking;
mod beside;
mod books;
mod clinic;
mod delivery;
mod events;
mod figures;
mod ingest;
mod late;
mod metrics;
mod suppressed;
mod watching;

use std::process::ExitCode;

use analytics::{
    app::App,
    config::{Config, ENV_CLINIC_TIME_ZONE},
};
use testkit::{Parts, test};

fn main() -> ExitCode {
    testkit::run(testkit::App::Analytics, async |parts: Parts| {
        let config = Config::read(parts.environment(&[(ENV_CLINIC_TIME_ZONE, "America/New_York")]))?;
        tokio::spawn(App::build(&config)?.run());
        parts.ready().await?;
        // Publishes, and tells how many minutes there are.
        parts.start_neighbour(testkit::App::Patient, clinic::hours()).await?;
        parts.start_publisher(testkit::App::Billing).await?;
        Ok(vec![
            // The first, since nothing is known yet.
            test("a_clinic_without_patients_has_figures", &parts, figures::without_patients),
            test("events_become_figures", &parts, figures::from_events),
            test("hours_and_days_are_those_of_the_clinics_clock", &parts, figures::by_the_clock),
            test("every_metric_is_what_was_worked_out_by_hand", &parts, metrics::by_hand),
            test("what_is_told_apart_is_what_was_worked_out_by_hand", &parts, metrics::told_apart),
            test("an_hour_of_a_clinic_in_another_zone_is_in_the_hour_in_which_it_began", &parts, metrics::by_the_hour),
            test("corrections_make_figures_what_they_should_have_been", &parts, metrics::corrected),
            test("a_late_event_restates_the_group_that_was_over_and_no_other", &parts, late::restate),
            test("small_counts_are_not_told_to_analysts_nor_what_would_tell_them", &parts, suppressed::counts),
            test("a_visit_with_many_services_is_one_thing", &parts, suppressed::things),
            test("a_level_tells_analysts_no_small_step", &parts, suppressed::levels),
            test("a_ratio_tells_analysts_of_no_small_part", &parts, suppressed::parts_of_ratios),
            test("an_overview_tells_analysts_nothing_small_by_its_sums", &parts, suppressed::overview),
            test("an_overview_stands_beside_the_day_before_and_the_year_before", &parts, beside::earlier_periods),
            test("who_watches_is_told_everything_and_then_what_has_changed", &parts, watching::what_has_changed),
            test("an_event_id_that_is_none_is_refused", &parts, watching::wrong_ids),
            test("a_stream_ends_with_the_token_and_with_the_session", &parts, watching::until_it_ends),
            test("wrong_parameters_are_named", &parts, figures::wrong_parameters),
            test("who_needs_no_figures_sees_none", &parts, figures::roles),
            test("a_metric_is_told_as_comma_separated_values", &parts, figures::comma_separated),
            test("measures_are_kept_as_metrics_ask_for_them", &parts, ingest::kept_as_asked),
            test("a_batch_is_taken_wholly_or_not_at_all", &parts, ingest::all_or_nothing),
            test("a_shuffled_thrice_delivered_sequence_gives_the_facts_of_the_sorted_one", &parts, ingest::shuffled),
            test("batches_at_the_same_time_give_the_facts_of_one_after_the_other", &parts, ingest::concurrent),
            test("events_that_come_again_and_late_change_nothing", &parts, delivery::again_and_late),
            test("one_poison_event_is_one_dead_letter", &parts, delivery::poison),
            test("bytes_that_no_text_can_be_are_dead_letters_too", &parts, delivery::what_no_text_can_be),
            test("events_wait_for_the_database", &parts, delivery::database_down),
            test("figures_are_not_told_while_they_are_made_anew", &parts, figures::made_anew),
        ])
    })
}
