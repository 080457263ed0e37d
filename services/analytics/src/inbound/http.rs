//! The routes.

mod registrations;

use std::sync::Arc;

use access::{AccessTokens, authenticate};
use axum::{Router, middleware, routing::get};

use crate::service::Figures;

/// The routes for people.
pub fn routes(figures: Figures, tokens: Arc<AccessTokens>) -> Router {
    Router::new()
        .route("/api/analytics/registrations", get(registrations::count))
        .route_layer(middleware::from_fn_with_state(tokens, authenticate))
        .with_state(figures)
}
