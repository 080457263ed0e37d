//! What payers say, in place of a clearing house.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde_json::{Value, json};

/// The member whose payer hangs.
pub(super) const OF_SILENT_PAYER: &str = "SILENT";
/// The member whose payer answers what nobody asked for.
pub(super) const OF_BROKEN_PAYER: &str = "BROKEN";
/// The member whom nobody insures any more.
pub(super) const FORMER: &str = "FORMER";

/// The member whose claims nobody takes.
pub(super) const OF_UNKNOWN_PAYER: &str = "UNKNOWN";

/// All that was asked, and whether nobody answers at the moment.
static ASKED: Mutex<(Vec<Value>, bool)> = Mutex::new((Vec::new(), false));

pub(super) fn routes() -> Router {
    Router::new().route("/eligibility", post(eligibility)).route("/claims", post(claims))
}

/// From now on nobody answers, or somebody does.
pub(super) fn is_silent(silent: bool) {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner).1 = silent;
}

/// The questions about a coverage, in their order.
pub(super) fn asked_about(coverage: &str) -> Vec<Value> {
    let asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    asked.0.iter().filter(|question| question["coverageId"] == coverage).cloned().collect()
}

/// The claims that came for an id, in their order.
pub(super) fn claimed(claim: &str) -> Vec<Value> {
    let asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    asked.0.iter().filter(|question| question["claimId"] == claim).cloned().collect()
}

async fn claims(Json(claim): Json<Value>) -> Response {
    let member = claim["subscriber"]["memberId"].as_str().unwrap_or_default().to_owned();
    let first = {
        let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
        asked.0.push(claim.clone());
        asked.0.iter().filter(|question| question["claimId"] == claim["claimId"]).count() == 1
    };
    if member == OF_SILENT_PAYER && first {
        return hang().await;
    }
    if member == OF_UNKNOWN_PAYER {
        let refused = json!({ "status": 422, "title": "Ada Okafor has no such payer" }).to_string();
        return (StatusCode::UNPROCESSABLE_ENTITY, [(CONTENT_TYPE, "application/problem+json")], refused)
            .into_response();
    }
    (StatusCode::ACCEPTED, Json(json!({ "claimId": claim["claimId"] }))).into_response()
}

async fn eligibility(Json(question): Json<Value>) -> Response {
    let member = question["memberId"].as_str().unwrap_or_default().to_owned();
    let silent = {
        let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
        asked.0.push(question);
        asked.1
    };
    match member.as_str() {
        _ if silent => hang().await,
        OF_SILENT_PAYER => hang().await,
        OF_BROKEN_PAYER => Json(json!({ "active": "perhaps" })).into_response(),
        FORMER => Json(json!({ "active": false })).into_response(),
        _ => Json(json!({ "active": true, "note": "In network" })).into_response(),
    }
}

async fn hang() -> Response {
    tokio::time::sleep(Duration::from_secs(10)).await;
    Json(json!({ "active": true })).into_response()
}
