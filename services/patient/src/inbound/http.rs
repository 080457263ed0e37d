//! The routes.

pub mod patients;
mod refusals;
mod request;
mod search;

use std::sync::Arc;

use access::{AccessTokens, authenticate};
use axum::{Router, middleware, routing::get};

use crate::service::Registry;

/// All routes of this service.
pub fn routes(registry: Arc<Registry>, tokens: Arc<AccessTokens>) -> Router {
    Router::new()
        .route("/api/patients", get(search::search).post(patients::register))
        .route("/api/patients/{id}", get(patients::read).patch(patients::amend))
        .route_layer(middleware::from_fn_with_state(tokens, authenticate))
        .with_state(registry)
}
