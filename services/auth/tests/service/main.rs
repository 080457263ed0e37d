//! The service as it runs: in this process, beside a real sidecar and a real PostgreSQL.

mod administrator;
mod audited;
mod browser;
mod factors;
mod instance;
mod keys;
mod login;
mod logs;
mod passwords;
mod people;
mod pressure;
mod sessions;
mod throttle;
mod users;

use std::{process::ExitCode, time::Duration};

use auth::{app::App, config::Config};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use testkit::{Parts, Result};

fn main() -> ExitCode {
    testkit::run(testkit::App::Auth, |parts| async move {
        logs::keep()?;
        let app = App::build(&Config::read(parts.environment(&[("MFA_REQUIRED", "false")]))?)?;
        tokio::spawn(app.run());
        parts.ready().await?;
        Ok(vec![
            testkit::test("who_signs_in_gets_a_token_that_the_served_keys_verify", &parts, login::good),
            testkit::test("a_wrong_password_and_an_unknown_user_look_alike", &parts, login::alike),
            testkit::test("a_key_is_rotated_without_a_restart_and_a_bad_one_changes_nothing", &parts, keys::rotated),
            testkit::test("who_signs_in_and_who_does_not_is_in_the_audit", &parts, audited::sign_ins),
            testkit::test("the_audit_is_for_the_privacy_officer_and_knows_who_looked", &parts, audited::viewing),
            testkit::test("every_wrong_question_to_the_audit_is_named", &parts, audited::bad_questions),
            testkit::test("every_bad_body_is_refused_and_nothing_is_written", &parts, login::bad_bodies),
            testkit::test("many_at_once_wait_or_are_told_to_come_back", &parts, pressure::many_at_once),
            testkit::test("without_a_database_callers_are_told_at_once", &parts, pressure::without_a_database),
            testkit::test("without_its_sidecar_a_service_says_what_is_missing", &parts, instance::before_its_sidecar),
            testkit::test("an_administrator_is_made_once_and_never_overwritten", &parts, administrator::made_once),
            testkit::test("without_the_secrets_there_is_no_administrator", &parts, administrator::not_wanted),
            testkit::test("an_old_refresh_token_ends_the_session", &parts, sessions::an_old_token),
            testkit::test("of_simultaneous_refreshes_one_succeeds_and_the_session_ends", &parts, sessions::at_once),
            testkit::test("a_refused_refresh_does_not_say_why", &parts, sessions::refusals),
            testkit::test("who_signs_out_is_out_and_others_are_told_within_seconds", &parts, sessions::signing_out),
            testkit::test("a_session_of_a_user_who_was_changed_is_over", &parts, sessions::of_a_changed_user),
            testkit::test("of_what_is_saved_together_all_stays_or_nothing", &parts, sessions::saved_together),
            testkit::test("a_bad_refresh_body_is_refused", &parts, sessions::bad_bodies),
            testkit::test("a_changed_password_ends_other_sessions_and_not_its_own", &parts, passwords::changed),
            testkit::test("of_simultaneous_changes_of_a_password_one_succeeds", &parts, passwords::at_once),
            testkit::test("a_bad_new_password_is_refused_with_a_reason", &parts, passwords::refused),
            testkit::test("a_cheap_hash_is_made_anew_at_sign_in", &parts, passwords::rehashed),
            testkit::test("a_user_is_made_once_and_chooses_a_password_first", &parts, users::made),
            testkit::test("a_wrong_wish_for_a_user_is_refused", &parts, users::wrong_wishes),
            testkit::test("pages_of_users_hold_everybody_once", &parts, users::pages),
            testkit::test("a_changed_user_is_changed_at_once_and_only_as_seen", &parts, users::changed),
            testkit::test("there_is_always_an_administrator", &parts, users::last_administrator),
            testkit::test("a_reset_password_serves_once", &parts, users::reset),
            testkit::test("who_was_there_before_is_not_held_up_by_what_others_try", &parts, throttle::no_lock_out),
            testkit::test("whether_there_is_a_user_makes_no_difference_to_who_tries", &parts, throttle::alike),
            testkit::test("many_tries_at_once_are_as_many_as_one_by_one", &parts, throttle::at_once),
            testkit::test("one_address_does_not_try_every_account", &parts, throttle::one_address),
            testkit::test("the_present_password_is_not_tried_for_ever", &parts, throttle::present_password),
            testkit::test("what_a_change_leaves_in_the_audit_is_written_with_it", &parts, audited::changes),
            testkit::test("a_browser_goes_on_by_its_cookie", &parts, browser::goes_on_by_its_cookie),
            testkit::test("a_browser_that_is_left_is_locked", &parts, browser::is_locked),
            testkit::test("what_a_browser_does_is_noted_seldom", &parts, browser::is_noted_seldom),
            testkit::test("a_code_serves_once_and_only_beside_the_password", &parts, factors::code_once),
            testkit::test("a_second_factor_is_taken_away_with_care", &parts, factors::taken_away),
            testkit::test("some_roles_set_a_second_factor_up_first", &parts, factors::required),
            testkit::test("no_password_address_or_token_is_logged", &parts, logs::hold_no_secret),
        ])
    })
}

/// The administrator that the set-up wants.
fn administrator(parts: &Parts) -> (&str, &str) {
    (&parts.secrets().administrator_email, &parts.secrets().administrator_password)
}

fn credentials(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

fn login(parts: &Parts, body: &Value) -> RequestBuilder {
    parts.request(Method::POST, "/auth/login").json(body).timeout(Duration::from_secs(20))
}

/// Signs in; the status and the body of the answer.
async fn sign_in(parts: &Parts, email: &str, password: &str) -> Result<(u16, Value)> {
    answered(login(parts, &credentials(email, password)).send().await?).await
}

async fn answered(response: Response) -> Result<(u16, Value)> {
    Ok((response.status().as_u16(), response.json().await?))
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
