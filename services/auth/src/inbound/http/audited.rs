//! `GET /auth/audit`

use access::Caller;
use audit::{Collections, Recorder};
use axum::{
    Extension,
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use problem::Problem;
use sidecar::Sidecar;

/// Who is refused for their role is recorded; what may be done is recorded where it is done, and reading is not.
pub(super) const COLLECTIONS: Collections = Collections {
    kinds: &[("users", "user"), ("session", "session")],
    unwatched: &["audit", "jwks.json", "me", "revoked-sessions", "session", "users"],
};

/// What the audit is read with.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Has the entries.
    pub sidecar: Sidecar,
    /// Is told who looked at them.
    pub recorder: Recorder,
}

pub(super) async fn page(
    Extension(Viewer { sidecar, recorder }): Extension<Viewer>,
    Extension(caller): Extension<Caller>,
    parameters: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(parameters) = parameters.map_err(|_| Problem::invalid_field("query string", "is not readable"))?;
    audit::view(&sidecar, &recorder, &caller, "/auth/audit", &parameters).await
}
