//! The key set that others verify tokens by.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::header;
use problem::Problem;

use crate::service::{Directory, login::GrantError};

/// A key that has been taken back is not trusted for longer.
const CACHE: &str = "public, max-age=10";

/// `GET /auth/.well-known/jwks.json`
pub(super) async fn keys(State(directory): State<Arc<Directory>>) -> Result<Response, Problem> {
    let keys = directory.key_set().ok_or(GrantError::NotReady)?;
    Ok(([(header::CACHE_CONTROL, CACHE)], Json(keys)).into_response())
}
