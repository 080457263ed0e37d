//! `POST /auth/login`

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::header;
use jiff::Timestamp;
use problem::{
    Problem,
    input::{self, Findings},
};
use runtime::http::read_body;
use serde::Serialize;

use super::request::client_address;
use crate::{
    domain::{email_address::EmailAddress, password::Password, second_factor::Otp},
    service::{
        Directory,
        login::{Credentials, Granted},
    },
};

/// Room for blanks around an address; its own rule is narrower.
pub(super) const LONGEST_EMAIL: usize = 320;

/// RFC 6749, section 5.1.
#[derive(Serialize)]
struct Answer {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    refresh_token: String,
    scope: &'static str,
}

pub(super) async fn login(State(directory): State<Arc<Directory>>, request: Request) -> Result<Response, Problem> {
    let address = client_address(&request);
    let body = read_body(request, &["application/json"]).await?;
    Ok(answer(directory.login(credentials(&body)?, address.as_deref(), Timestamp::now()).await?))
}

/// The tokens, for their owner and for no cache.
pub(super) fn answer(granted: Granted) -> Response {
    let Granted { access_token, expires_in, scope, refresh_token } = granted;
    let refresh_token = refresh_token.reveal();
    let answer = Answer { access_token, token_type: "Bearer", expires_in, refresh_token, scope };
    ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

/// What a user signs in with, by either door.
pub(super) fn credentials(body: &[u8]) -> Result<Credentials, Problem> {
    let mut findings = Findings::default();
    let mut object = input::body(body)?;
    object.require("email", &mut findings);
    let email = object.parsed("email", LONGEST_EMAIL, &mut findings, EmailAddress::parse);
    object.require("password", &mut findings);
    let password = object.parsed_exactly("password", &mut findings, Password::parse);
    let otp = object.parsed_exactly("otp", &mut findings, Otp::parse);
    object.finish(&mut findings);
    findings.into_result(email.zip(password).map(|(email, password)| Credentials { email, password, otp }))
}

#[cfg(test)]
mod tests {
    use problem::Kind;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_wrong_field_has_its_pointer() {
        for (body, pointers) in [
            (json!({}), vec!["/email", "/password"]),
            (json!({ "email": 5, "password": ["x"] }), vec!["/email", "/password"]),
            (json!({ "email": null, "password": null }), vec!["/email", "/password"]),
            (json!({ "email": "nobody", "password": "" }), vec!["/email", "/password"]),
            (json!({ "email": "a@b.example", "password": "a\0b" }), vec!["/password"]),
            (json!({ "email": "a\0@b.example", "password": "x" }), vec!["/email"]),
            (json!({ "email": "a@b.example", "password": "x".repeat(257) }), vec!["/password"]),
            (json!({ "email": "a@b.example", "password": "x", "role": "admin" }), vec!["/role"]),
        ] {
            let problem = credentials(body.to_string().as_bytes()).unwrap_err();
            let found: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
            assert_eq!((problem.kind, found), (Kind::Invalid, pointers), "{body}");
        }
        assert_eq!(credentials(br#"{"email": "a@b.example", "password": hunter2}"#).unwrap_err().kind, Kind::Malformed);
    }

    #[test]
    fn a_password_comes_as_it_was_sent_and_an_address_does_not() {
        let Credentials { email, password, .. } =
            credentials(br#"{"email": " A@B.example ", "password": " \tx\n"}"#).unwrap();
        assert_eq!(email.as_str(), "a@b.example");
        let kept = Password::parse(" \tx\n").unwrap().hash(&[7; 16]).unwrap();
        assert!(password.matches(Some(&kept)).unwrap());
    }
}
