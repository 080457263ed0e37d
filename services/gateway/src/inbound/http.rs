//! The public routes: all that the matrix of roles calls public, and nothing else, whatever a service behind answers.

mod accounts;
mod docs;
mod forward;
pub mod headers;
pub mod limits;

use std::{collections::BTreeMap, sync::Arc};

use access::{AccessTokens, Door, Name, matrix};
use axum::Router;
use sidecar::Sidecar;

use self::{forward::to, limits::Limits};
use crate::{APP_ID, outbound::billing::Billing};

/// All routes of this service.
pub fn routes(
    sidecar: &Sidecar,
    billing: Billing,
    tokens: Arc<AccessTokens>,
    limits: &Arc<Limits>,
) -> Result<Router, matrix::MatrixError> {
    let operations = matrix::operations()?;
    let places: BTreeMap<_, _> = operations.iter().map(|operation| (&operation.app, limits.places())).collect();
    let guarded = Arc::clone(limits);
    let mut door = Door::public(APP_ID, tokens)?
        .behind(move |operation, route| guarded.of_route(Arc::clone(&places[&operation.app]), route));
    for operation in operations.iter().filter(|operation| operation.public) {
        if operation.app != APP_ID && matches!(operation.name, Name::Http { .. }) {
            door = door.on(&operation.name.to_string(), to(&operation.app, sidecar));
        }
    }
    door = door.on("GET /openapi.json", docs::openapi).on("GET /docs", docs::first_page);
    door = door.on("GET /docs/{file}", docs::page);
    door = door.on_method("billing.v1.Accounts/GetAccount", "GET /api/billing/accounts/{patientId}", accounts::read);
    Ok(door.finish()?.with_state(billing))
}
