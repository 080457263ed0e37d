//! The service beside a real sidecar, with real PostgreSQL and Kafka.

mod events;
mod faults;
mod figures;
mod ingest;

use std::process::ExitCode;

use analytics::{app::App, config::Config};
use testkit::{Parts, test};

fn main() -> ExitCode {
    testkit::run(testkit::App::Analytics, async |parts: Parts| {
        let config = Config::read(parts.environment(&[("CLINIC_TIME_ZONE", "America/New_York")]))?;
        tokio::spawn(App::build(&config)?.run());
        parts.ready().await?;
        parts.start_publisher(testkit::App::Patient).await?;
        parts.start_publisher(testkit::App::Billing).await?;
        Ok(vec![
            // First, while nothing is known.
            test("a_clinic_without_patients_has_figures", &parts, figures::nothing_is_known),
            test("events_become_figures", &parts, figures::events_become_figures),
            test("days_and_hours_are_those_of_the_clinics_clock", &parts, figures::clocks_change),
            test("wrong_parameters_are_named", &parts, figures::wrong_parameters),
            test("only_who_needs_figures_sees_them", &parts, figures::roles),
            test("events_may_come_again_and_in_any_order", &parts, events::again_and_in_any_order),
            test("a_shuffled_thrice_delivered_sequence_gives_the_facts_of_the_sorted_one", &parts, ingest::shuffled),
            test("concurrent_batches_end_with_the_same_facts", &parts, ingest::concurrent),
            test("a_batch_is_taken_wholly_or_not_at_all", &parts, ingest::all_or_nothing),
            test("a_zone_that_is_new_is_counted_from_the_facts", &parts, ingest::new_zone),
            test("one_poison_event_is_one_dead_letter", &parts, faults::poison),
            test("events_wait_for_the_database", &parts, faults::database_down),
        ])
    })
}
