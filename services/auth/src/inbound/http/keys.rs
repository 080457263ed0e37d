//! What others verify tokens by.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::header;
use problem::Problem;
use serde_json::json;

use crate::service::{Directory, login::LoginError};

/// A key that has been taken back is not trusted for longer.
const CACHE: &str = "public, max-age=10";

/// `GET /auth/.well-known/jwks.json`
pub(super) async fn keys(State(directory): State<Arc<Directory>>) -> Result<Response, Problem> {
    let key = directory.signing_key().ok_or(LoginError::NotReady)?;
    Ok(([(header::CACHE_CONTROL, CACHE)], Json(key.key_set())).into_response())
}

/// `GET /auth/.well-known/revoked-sessions`: none yet, since nothing ends a session before its token expires.
pub(super) async fn revoked_sessions() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "sessions": [] }))).into_response()
}
