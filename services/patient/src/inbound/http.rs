//! The routes.

mod appointments;
mod audited;
mod calendar;
pub mod patients;
mod records;
mod refusals;
mod request;
mod search;
mod summary;

use std::sync::Arc;

use access::{AccessTokens, Door, matrix::MatrixError};
use axum::{Extension, Router};

pub use self::audited::Viewer;
use crate::{
    APP_ID,
    service::{Registry, booking::Bookings, calendar::Calendar, chart::Charts, summary::Summaries},
};

/// What the routes do.
#[derive(Clone, Debug)]
pub struct UseCases {
    /// Who the patients are.
    pub registry: Arc<Registry>,
    /// What is known of their health.
    pub charts: Charts,
    /// When they can be seen.
    pub calendar: Arc<Calendar>,
    /// When they are.
    pub bookings: Arc<Bookings>,
    /// All of it on one page.
    pub summaries: Summaries,
}

/// All routes of this service.
pub fn routes(use_cases: UseCases, viewer: Viewer, tokens: Arc<AccessTokens>) -> Result<Router, MatrixError> {
    let UseCases { registry, charts, calendar, bookings, summaries } = use_cases;
    let door = Door::of(APP_ID, tokens)?
        .behind(audit::watch(viewer.recorder.clone(), audited::COLLECTIONS))
        .on("GET /api/patients", search::search)
        .on("POST /api/patients", patients::register)
        .on("GET /api/patients/{id}", patients::read)
        .on("PATCH /api/patients/{id}", patients::amend)
        .on("GET /api/patients/audit", audited::page)
        .on("GET /api/patients/{id}/access-log", audited::access_log)
        .on("GET /api/patients/{id}/summary", summary::summary);
    let door = appointments::routes(calendar::routes(records::serve(door)));
    let router = door.finish()?.layer(Extension(charts)).layer(Extension(calendar)).layer(Extension(bookings));
    Ok(router.layer(Extension(summaries)).layer(Extension(viewer)).with_state(registry))
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
