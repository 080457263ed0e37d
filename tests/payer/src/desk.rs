//! Where claims come in, and who works on them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post, put},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::sleep,
};
use uuid::Uuid;

use crate::{
    claim::Claim,
    clinic::{Clinic, Credentials},
    plan::{Case, Memory, Message, Step},
    record::{Record, Submission},
};

const TOKEN: &str = "dapr-api-token";
/// What the sidecar and whoever starts it ask without a token.
const OPEN: [&str; 2] = ["/livez", "/readyz"];

/// Between two steps; payers take weeks.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a slow payer's clearing house is silent.
const SILENCE: Duration = Duration::from_secs(5);

/// Members whose numbers begin so are not insured.
const INACTIVE: &str = "INACTIVE";

/// The clearing house.
#[derive(Clone)]
pub(crate) struct Desk(Arc<Inner>);

struct Inner {
    clinic: Clinic,
    api_token: Option<String>,
    state: Mutex<Office>,
}

#[derive(Default)]
struct Office {
    memory: Memory,
    records: BTreeMap<String, Record>,
    /// A payer does one thing after the other.
    payers: BTreeMap<String, UnboundedSender<Work>>,
}

/// What has to be sent about a claim.
struct Work {
    claim_id: String,
    submission: u32,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    member_id: String,
}

#[derive(Serialize)]
struct Eligibility {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl Desk {
    pub(crate) fn new(clinic: Clinic, api_token: Option<String>) -> Self {
        Self(Arc::new(Inner { clinic, api_token, state: Mutex::default() }))
    }

    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route("/livez", get(async || {}))
            .route("/readyz", get(async || {}))
            .route("/eligibility", post(eligibility))
            .route("/claims", post(claims))
            .route("/cases/{claim_id}", get(cases))
            .route("/credentials", put(credentials))
            .layer(middleware::from_fn_with_state(self.clone(), known))
            .with_state(self.clone())
    }

    fn office(&self) -> MutexGuard<'_, Office> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a claim in; answers its case when it is a new one.
    fn take(&self, claim: &Claim) -> Option<Case> {
        let mut office = self.office();
        let known = office.records.get_mut(&claim.id).and_then(|record| record.find(claim.submission));
        if let Some(known) = known {
            known.deliveries += 1;
            return None;
        }
        let (case, steps) = office.memory.decide(claim);
        let record = office.records.entry(claim.id.clone()).or_default();
        record.submissions.push(Submission::new(claim.submission, case, &steps));
        let work = Work { claim_id: claim.id.clone(), submission: claim.submission, steps };
        let payer = office.payers.entry(claim.payer.id.clone()).or_insert_with(|| {
            let (payer, waiting) = unbounded_channel();
            tokio::spawn(self.clone().work(waiting));
            payer
        });
        // The other end is as old as this program.
        let _ = payer.send(work);
        Some(case)
    }

    /// Sends what a payer has to say, each thing when the clinic has answered the one before.
    async fn work(self, mut waiting: UnboundedReceiver<Work>) {
        while let Some(Work { claim_id, submission, steps }) = waiting.recv().await {
            for (place, Step { name, message }) in steps.into_iter().enumerate() {
                sleep(PAUSE).await;
                let path = match &message {
                    Message::Acknowledgement(_) => format!("/api/billing/claims/{claim_id}/acknowledgements"),
                    Message::Remittance(_) => "/api/billing/remittances".to_owned(),
                };
                let key = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{claim_id}/{submission}/{place}").as_bytes());
                let body = serde_json::to_value(&message).unwrap_or_default();
                let outcome = self.0.clinic.deliver(&path, &key.to_string(), &body).await;
                tracing::info!(claim_id, submission, step = name, status = outcome.status, "told the clinic");
                let mut office = self.office();
                let record = office.records.get_mut(&claim_id).and_then(|record| record.find(submission));
                if let Some(record) = record {
                    record.note(place, outcome);
                }
            }
        }
    }
}

/// Only the own sidecar may ask, and who has started both.
async fn known(State(desk): State<Desk>, request: Request, next: Next) -> Result<Response, StatusCode> {
    let shown = request.headers().get(TOKEN).and_then(|token| token.to_str().ok());
    let open = OPEN.contains(&request.uri().path());
    if open || desk.0.api_token.is_none() || shown == desk.0.api_token.as_deref() {
        return Ok(next.run(request).await);
    }
    Err(StatusCode::UNAUTHORIZED)
}

async fn eligibility(Json(question): Json<Question>) -> Json<Eligibility> {
    let active = !question.member_id.starts_with(INACTIVE);
    Json(Eligibility { active, note: (!active).then_some("The coverage has ended.") })
}

async fn claims(State(desk): State<Desk>, Json(body): Json<Value>) -> Response {
    let claim = match Claim::read(&body) {
        Ok(claim) => claim,
        Err(wrong) => return refused(&wrong),
    };
    if desk.take(&claim) == Some(Case::Slow) {
        // It has the claim and works on it; the clinic cannot know. Whoever asks again is answered at once.
        sleep(SILENCE).await;
    }
    // With a body: a success without one is also what a sidecar says whose app has just ended.
    let taken = json!({ "claimId": body["claimId"], "submission": body["submission"] });
    (StatusCode::ACCEPTED, Json(taken)).into_response()
}

/// A problem, so that it is not taken for what a sidecar says of an app that it does not reach.
fn refused(wrong: &str) -> Response {
    let problem = json!({ "type": "about:blank", "title": "Unprocessable Content", "status": 422, "detail": wrong });
    let kind = [(CONTENT_TYPE, "application/problem+json")];
    (StatusCode::UNPROCESSABLE_ENTITY, kind, problem.to_string()).into_response()
}

async fn cases(State(desk): State<Desk>, Path(claim_id): Path<String>) -> Result<Json<Record>, StatusCode> {
    desk.office().records.get(&claim_id).cloned().map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn credentials(State(desk): State<Desk>, Json(credentials): Json<Credentials>) -> StatusCode {
    desk.0.clinic.introduce(credentials).await;
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests;
