//! The routes that are no methods.

mod export;

use std::sync::Arc;

use access::{AccessTokens, Door, matrix::MatrixError};
use axum::Router;

use crate::{APP_ID, service::Figures};

/// The routes for people.
pub fn routes(figures: Figures, tokens: Arc<AccessTokens>) -> Result<Router, MatrixError> {
    let door = Door::of(APP_ID, tokens)?.on("GET /api/analytics/metrics/{metric}/export", export::export);
    Ok(door.finish()?.with_state(figures))
}
