//! `POST /auth/refresh`, `/auth/logout`, `/auth/logout-all` and the list of sessions that are over.

use std::sync::Arc;

use access::Caller;
use axum::{
    Extension, Json,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use jiff::Timestamp;
use problem::{
    Problem,
    input::{self, Findings},
};
use runtime::http::read_body;
use serde_json::json;

use super::login::answer;
use crate::service::Directory;

/// `POST /auth/refresh`
pub(super) async fn refresh(State(directory): State<Arc<Directory>>, request: Request) -> Result<Response, Problem> {
    let body = read_body(request, &["application/json"]).await?;
    let shown = shown(&body)?;
    Ok(answer(directory.refresh(&shown, Timestamp::now()).await?))
}

/// Any text: what is no token of ours is refused like an old one.
fn shown(body: &[u8]) -> Result<String, Problem> {
    let mut findings = Findings::default();
    let mut object = input::body(body)?;
    object.require("refresh_token", &mut findings);
    let shown = object.parsed_exactly("refresh_token", &mut findings, |text| Ok::<_, String>(text.to_owned()));
    object.finish(&mut findings);
    findings.into_result(shown)
}

/// `POST /auth/logout`
pub(super) async fn logout(
    State(directory): State<Arc<Directory>>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Problem> {
    directory.sign_out(caller.session, Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /auth/logout-all`
pub(super) async fn logout_all(
    State(directory): State<Arc<Directory>>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Problem> {
    directory.sign_out_everywhere(caller.subject).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /auth/.well-known/revoked-sessions`
pub(super) async fn revoked(State(directory): State<Arc<Directory>>) -> Result<Response, Problem> {
    let sessions = directory.revoked_sessions().await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!({ "sessions": &*sessions }))).into_response())
}
