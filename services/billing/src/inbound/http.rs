//! The routes that are no methods of gRPC: what a person reads on paper, and the audit.

mod audited;
mod print;

use std::sync::Arc;

use access::{AccessTokens, Door, matrix::MatrixError};
use axum::{Extension, Router};

pub use self::audited::Viewer;
use crate::{APP_ID, service::Books};

/// All routes of this service over HTTP, but for those of events.
pub fn routes(books: Books, viewer: Viewer, tokens: Arc<AccessTokens>) -> Result<Router, MatrixError> {
    let door = Door::of(APP_ID, tokens)?
        .behind(audit::watch(viewer.recorder.clone(), audited::COLLECTIONS))
        .on("GET /api/billing/audit", audited::page)
        .on("GET /api/billing/invoices/{invoiceId}/print", print::invoice)
        .on("GET /api/billing/accounts/{patientId}/statement", print::statement);
    Ok(door.finish()?.layer(Extension(viewer)).with_state(books))
}
