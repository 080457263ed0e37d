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

/// The routes of a service that takes each attempt for a new request, for the tests that have to notice.
#[cfg(debug_assertions)]
pub fn forgetting_keys(routes: Router) -> Router {
    routes.layer(middleware::map_request(async |mut request: axum::extract::Request| {
        let drawn = uuid::Uuid::now_v7().to_string();
        if let (Some(key), Ok(drawn)) = (request.headers_mut().get_mut("idempotency-key"), drawn.parse()) {
            *key = drawn;
        }
        request
    }))
}
