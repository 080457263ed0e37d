//! Events that this service acts on.

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    response::Response,
    routing::post,
};
use bytes::Bytes;
use contracts::patient::v1::PatientRegistered;
use jiff::Timestamp;
use problem::Problem;
use sidecar::{documents::Documents, event::CloudEvent, subscription::deliver};
use uuid::Uuid;

use crate::{
    domain::account::PatientId,
    service::{Books, open_accounts::Opening},
};

/// The routes that `dapr/subscriptions` names.
pub fn routes(books: Books, documents: Documents) -> Router {
    Router::new()
        .route("/events/patient.registered", post(patient_registered))
        // The broker bounds a message and the subscription their number: one that is refused for its size would come
        // again for ever.
        .layer(DefaultBodyLimit::disable())
        .with_state((books, documents))
}

async fn patient_registered(State((books, documents)): State<(Books, Documents)>, body: Bytes) -> Response {
    let now = Timestamp::now();
    let apply = |openings| async { books.open_accounts(openings, now).await.map(drop).map_err(Problem::from) };
    deliver(&documents, &body, now, opening, apply).await
}

/// Whoever is registered has an account, and their id is all that it takes.
fn opening(event: &CloudEvent) -> Result<Opening, String> {
    let registered: PatientRegistered = event.message().map_err(|error| error.to_string())?;
    let patient = registered.patient.ok_or("the event has no patient")?;
    let patient_id = Uuid::parse_str(&patient.patient_id).map(PatientId).map_err(|_| "the patient's id is no UUID")?;
    Ok(Opening { patient_id, origin: event.origin() })
}
