//! What is due by the clock: `POST /tick`, which the sidecar calls as `components/base/patient/tick.yaml` says.

use std::sync::Arc;

use axum::{Router, extract::State, http::StatusCode, routing::post};
use jiff::Timestamp;
use problem::Problem;

use crate::{
    outbound::reminders::Reminders,
    service::{booking::Bookings, remind::remind},
};

type Parts = (Arc<Bookings>, Option<Reminders>);

/// The route; the server lets in nobody but the sidecar, and no other app may invoke it (`dapr/access.yaml`).
pub fn routes(bookings: Arc<Bookings>, reminders: Option<Reminders>) -> Router {
    Router::new().route("/tick", post(tick)).with_state((bookings, reminders))
}

/// What fails is due at the next tick again. The sidecar takes any other answer than 200 for a failure.
async fn tick(State((bookings, reminders)): State<Parts>) -> Result<StatusCode, Problem> {
    let offers = bookings.renew_offers(Timestamp::now()).await;
    if let Some(reminders) = &reminders {
        remind(reminders).await?;
    }
    offers?;
    Ok(StatusCode::OK)
}
