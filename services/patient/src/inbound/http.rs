//! The routes.

mod appointments;
mod audited;
mod calendar;
pub mod patients;
mod records;
mod refusals;
mod request;
mod search;

use std::sync::Arc;

use access::{AccessTokens, Door, matrix::MatrixError};
use axum::{Extension, Router};

pub use self::audited::Viewer;
use crate::{
    APP_ID,
    service::{Registry, booking::Bookings, calendar::Calendar, chart::Charts},
};

/// All routes of this service.
pub fn routes(
    registry: Arc<Registry>,
    charts: Charts,
    calendar: Arc<Calendar>,
    bookings: Arc<Bookings>,
    viewer: Viewer,
    tokens: Arc<AccessTokens>,
) -> Result<Router, MatrixError> {
    let door = Door::of(APP_ID, tokens)?
        .behind(audit::watch(viewer.recorder.clone(), audited::COLLECTIONS))
        .on("GET /api/patients", search::search)
        .on("POST /api/patients", patients::register)
        .on("GET /api/patients/{id}", patients::read)
        .on("PATCH /api/patients/{id}", patients::amend)
        .on("GET /api/patients/audit", audited::page)
        .on("GET /api/patients/{id}/access-log", audited::access_log);
    let door = appointments::routes(calendar::routes(records::serve(door)));
    let router = door.finish()?.layer(Extension(charts)).layer(Extension(calendar)).layer(Extension(bookings));
    Ok(router.layer(Extension(viewer)).with_state(registry))
}

/// The routes of a service that takes each attempt for a new request, for the tests that have to notice.
#[cfg(debug_assertions)]
pub fn forgetting_keys(routes: Router) -> Router {
    routes.layer(axum::middleware::map_request(async |mut request: axum::extract::Request| {
        let drawn = uuid::Uuid::now_v7().to_string();
        if let (Some(key), Ok(drawn)) = (request.headers_mut().get_mut("idempotency-key"), drawn.parse()) {
            *key = drawn;
        }
        request
    }))
}
