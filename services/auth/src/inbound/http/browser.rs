//! `/auth/session`: the session of a browser, by its cookie; and what the gateway exchanges the cookie for.

use std::sync::Arc;

use access::cookie::{COOKIE, csrf_token, session_cookie};
use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use problem::{
    Problem,
    input::{self, Findings},
};
use runtime::http::read_body;
use serde_json::{Value, json};

use super::{login::credentials, request::client_address, users::user_json};
use crate::{
    domain::{password::Password, session::Refusal},
    service::{
        Directory,
        browser::{BrowserError, InBrowser},
    },
};

/// Not for other sites, not for scripts, not over plain HTTP; for as long as the browser runs, since when the session
/// is over is decided here.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

/// `POST /auth/session`
pub(super) async fn begin(State(directory): State<Arc<Directory>>, request: Request) -> Result<Response, Problem> {
    let address = client_address(&request);
    let body = read_body(request, &["application/json"]).await?;
    let shown = credentials(&body)?;
    let (token, session) = directory.sign_in_at_browser(shown, address.as_deref(), Timestamp::now()).await?;
    let cookie = token.reveal();
    let set = [(header::SET_COOKIE, format!("{COOKIE}={cookie}; {ATTRIBUTES}"))];
    Ok((StatusCode::CREATED, set, told(&cookie, &session)).into_response())
}

/// `GET /auth/session`
pub(super) async fn read(State(directory): State<Arc<Directory>>, headers: HeaderMap) -> Result<Response, Problem> {
    let cookie = cookie(&headers)?;
    Ok(told(cookie, &directory.in_browser(cookie, Timestamp::now()).await?))
}

/// `DELETE /auth/session`
pub(super) async fn end(State(directory): State<Arc<Directory>>, headers: HeaderMap) -> Result<Response, Problem> {
    directory.sign_out_at_browser(cookie(&headers)?, Timestamp::now()).await?;
    let gone = [(header::SET_COOKIE, format!("{COOKIE}=; Max-Age=0; {ATTRIBUTES}"))];
    Ok((StatusCode::NO_CONTENT, gone).into_response())
}

/// `POST /auth/session/lock`
pub(super) async fn lock(State(directory): State<Arc<Directory>>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    directory.lock(cookie(&headers)?, Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /auth/session/unlock`
pub(super) async fn unlock(State(directory): State<Arc<Directory>>, request: Request) -> Result<Response, Problem> {
    let address = client_address(&request);
    let cookie = cookie(request.headers())?.to_owned();
    let body = read_body(request, &["application/json"]).await?;
    let mut findings = Findings::default();
    let mut object = input::body(&body)?;
    object.require("password", &mut findings);
    let password = object.parsed_exactly("password", &mut findings, Password::parse);
    object.finish(&mut findings);
    let password = findings.into_result(password)?;
    let session = directory.unlock(&cookie, password, address.as_deref(), Timestamp::now()).await?;
    Ok(told(&cookie, &session))
}

/// `POST /auth/session/token`, which only the gateway may call.
pub(super) async fn exchange(State(directory): State<Arc<Directory>>, request: Request) -> Result<Response, Problem> {
    let body = read_body(request, &["application/json"]).await?;
    let mut findings = Findings::default();
    let mut object = input::body(&body)?;
    object.require("cookie", &mut findings);
    let cookie = object.parsed_exactly("cookie", &mut findings, |text| Ok::<_, String>(text.to_owned()));
    object.require("attended", &mut findings);
    let attended = object.boolean("attended", &mut findings);
    object.finish(&mut findings);
    let (cookie, attended) = findings.into_result(cookie.zip(attended))?;
    let exchanged = directory.exchange(&cookie, attended, Timestamp::now()).await?;
    let body = json!({
        "access_token": exchanged.access_token, "token_type": "Bearer", "expires_in": exchanged.expires_in,
        "scope": exchanged.scope, "locks_in": exchanged.locks_in,
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

fn cookie(headers: &HeaderMap) -> Result<&str, Problem> {
    session_cookie(headers).ok_or_else(|| BrowserError::from(Refusal::Unreadable).into())
}

/// What a page needs to know of its session, and nothing by which anybody could go on in it.
fn told(cookie: &str, session: &InBrowser) -> Response {
    let InBrowser { user, scope, attended, ends_at } = session;
    let body = json!({
        "user": Value::Object(user_json(user)), "scope": scope, "csrfToken": csrf_token(cookie),
        "locked": attended.locked, "locksAt": attended.locks_at(), "endsAt": ends_at,
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
