//! `POST` and `DELETE /auth/mfa/totp`, `POST /auth/mfa/totp/confirm`, and the administrator's `DELETE /auth/users/{id}/mfa`.

use std::sync::Arc;

use access::Caller;
use axum::{
    Extension, Json,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use jiff::Timestamp;
use problem::{
    Problem,
    input::{self, Findings},
};
use runtime::http::read_body;
use serde_json::{Value, json};

use super::request::{client_address, user_id};
use crate::{
    domain::{password::Password, second_factor::Otp},
    service::Directory,
};

/// `POST /auth/mfa/totp`
pub(super) async fn enrol(
    State(directory): State<Arc<Directory>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let address = client_address(&request);
    let password = field(request, "password", Password::parse).await?;
    let enrolment = directory.enrol(&caller, password, address.as_deref()).await?;
    Ok(told(&json!({ "secret": enrolment.secret, "uri": enrolment.uri })))
}

/// `POST /auth/mfa/totp/confirm`
pub(super) async fn confirm(
    State(directory): State<Arc<Directory>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let address = client_address(&request);
    let otp = field(request, "otp", Otp::parse).await?;
    let codes = directory.confirm_factor(&caller, &otp, address.as_deref(), Timestamp::now()).await?;
    Ok(told(&json!({ "recoveryCodes": codes })))
}

/// `DELETE /auth/mfa/totp`
pub(super) async fn remove(
    State(directory): State<Arc<Directory>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let address = client_address(&request);
    let password = field(request, "password", Password::parse).await?;
    directory.remove_factor(&caller, password, address.as_deref(), Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /auth/users/{id}/mfa`
pub(super) async fn reset(
    State(directory): State<Arc<Directory>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    directory.reset_factor(caller.subject, user_id(&id)?, Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The one field of a body.
async fn field<T>(request: Request, name: &str, parse: fn(&str) -> Result<T, &'static str>) -> Result<T, Problem> {
    let body = read_body(request, &["application/json"]).await?;
    let mut findings = Findings::default();
    let mut object = input::body(&body)?;
    object.require(name, &mut findings);
    let read = object.parsed_exactly(name, &mut findings, parse);
    object.finish(&mut findings);
    findings.into_result(read)
}

fn told(body: &Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
