//! The ways into the audit, beside a real sidecar and a real PostgreSQL that is killed.

mod recorder;
mod sealer;

use std::process::ExitCode;

use axum::Router;
use runtime::{AppConfig, readiness::Readiness, server::Server};
use sidecar::Sidecar;
use testkit::{Parts, Result};

fn main() -> ExitCode {
    // Any app with a database does; this one has the key.
    testkit::run(testkit::App::Auth, |parts| async move {
        let config = config(&parts)?;
        let readiness = Readiness::of(&Sidecar::new(&config.sidecar)?).with_store(&Sidecar::new(&config.sidecar)?);
        tokio::spawn(Server::new(&config, readiness, Router::new(), None).run(None));
        parts.ready().await?;
        Ok(vec![
            testkit::test("what_is_recorded_is_written_within_200_ms", &parts, recorder::soon),
            testkit::test("the_end_of_a_service_writes_what_is_left", &parts, recorder::finish),
            testkit::test("a_malformed_entry_does_not_keep_its_neighbours", &parts, recorder::malformed),
            testkit::test("when_the_log_cannot_keep_up_nobody_is_served", &parts, recorder::bound),
            testkit::test("what_was_taken_is_there_once_though_the_database_was_away", &parts, recorder::away),
            testkit::test("what_waits_is_sealed_every_second_and_signed", &parts, sealer::seals_and_signs),
        ])
    })
}

fn config(parts: &Parts) -> Result<AppConfig> {
    let mut environment = parts.environment(&[]);
    let config = AppConfig::read(&mut environment);
    Ok(environment.finish(config)?)
}

fn sidecar(parts: &Parts) -> Result<Sidecar> {
    Ok(Sidecar::new(&config(parts)?.sidecar)?)
}
