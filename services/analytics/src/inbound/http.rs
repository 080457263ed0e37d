//! The routes.

mod registrations;

use std::sync::Arc;

use access::{AccessTokens, Door, matrix::MatrixError};
use axum::Router;

use crate::{APP_ID, service::Figures};

/// The routes for people.
pub fn routes(figures: Figures, tokens: Arc<AccessTokens>) -> Result<Router, MatrixError> {
    let door = Door::of(APP_ID, tokens)?.on("GET /api/analytics/registrations", registrations::count);
    Ok(door.finish()?.with_state(figures))
}
