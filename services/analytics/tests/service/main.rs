//! The service beside a real sidecar, with real PostgreSQL and Kafka.

mod asking;
mod books;
mod delivery;
mod events;
mod figures;
mod ingest;

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
        parts.start_publisher(testkit::App::Patient).await?;
        parts.start_publisher(testkit::App::Billing).await?;
        Ok(vec![
            // The first, since nothing is known yet.
            test("a_clinic_without_patients_has_figures", &parts, figures::without_patients),
            test("events_become_figures", &parts, figures::from_events),
            test("hours_and_days_are_those_of_the_clinics_clock", &parts, figures::by_the_clock),
            test("wrong_parameters_are_named", &parts, figures::wrong_parameters),
            test("who_needs_no_figures_sees_none", &parts, figures::roles),
            test("a_metric_is_told_as_comma_separated_values", &parts, figures::comma_separated),
            test("a_batch_is_taken_wholly_or_not_at_all", &parts, ingest::all_or_nothing),
            test("a_shuffled_thrice_delivered_sequence_gives_the_facts_of_the_sorted_one", &parts, ingest::shuffled),
            test("batches_at_the_same_time_give_the_facts_of_one_after_the_other", &parts, ingest::concurrent),
            test("events_that_come_again_and_late_change_nothing", &parts, delivery::again_and_late),
            test("one_poison_event_is_one_dead_letter", &parts, delivery::poison),
            test("bytes_that_no_text_can_be_are_dead_letters_too", &parts, delivery::what_no_text_can_be),
            test("events_wait_for_the_database", &parts, delivery::database_down),
        ])
    })
}
