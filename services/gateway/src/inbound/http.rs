//! The public routes, on one screen. A route that is not here does not exist, whatever a service behind answers.

mod accounts;
mod forward;

use std::sync::Arc;

use access::{AccessTokens, authenticate};
use axum::{
    Router, middleware,
    routing::{get, post},
};
use sidecar::Sidecar;

use self::forward::to;
use crate::outbound::billing::Billing;

/// All routes of this service.
pub fn routes(sidecar: &Sidecar, billing: Billing, tokens: Arc<AccessTokens>) -> Router {
    let signed_in = Router::new()
        .route("/api/patients", get(to("patient", sidecar)).post(to("patient", sidecar)))
        .route("/api/patients/{id}", get(to("patient", sidecar)).patch(to("patient", sidecar)))
        .route("/api/analytics/registrations", get(to("analytics", sidecar)))
        .merge(Router::new().route("/api/billing/accounts/{patientId}", get(accounts::read)).with_state(billing))
        .route_layer(middleware::from_fn_with_state(tokens, authenticate));
    let open = Router::new()
        .route("/auth/login", post(to("auth", sidecar)))
        .route("/auth/.well-known/jwks.json", get(to("auth", sidecar)));
    signed_in.merge(open)
}
