//! Who did what: the audit of this service, and what of the routes is recorded.

use access::Caller;
use audit::{Collections, Recorder};
use axum::{
    Extension,
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use problem::Problem;
use sidecar::Sidecar;

/// Reads are recorded but for that of the audit, which records itself who reads it. An account is known by whose it is.
pub(super) const COLLECTIONS: Collections =
    Collections { kinds: &[("invoices", "invoice"), ("accounts", "patient")], unwatched: &["audit"] };

/// What the audit is read with.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Has the entries.
    pub sidecar: Sidecar,
    /// Is told who looked at them, and at everything else.
    pub recorder: Recorder,
}

/// `GET /api/billing/audit`
pub(super) async fn page(
    Extension(Viewer { sidecar, recorder }): Extension<Viewer>,
    Extension(caller): Extension<Caller>,
    parameters: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(parameters) = parameters.map_err(|_| Problem::invalid_field("query string", "is not readable"))?;
    audit::view(&sidecar, &recorder, &caller, "/api/billing/audit", &parameters).await
}
