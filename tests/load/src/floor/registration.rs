//! On the caller's way: gateway and patient.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{Method, Request, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use contracts::{
    billing::v1::{AccountOpening, OpenAccountsRequest, accounts_client::AccountsClient},
    patient::v1::{PatientRegistered, PatientSnapshot},
    topic,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sidecar::{
    Sidecar,
    batch::Batcher,
    documents::{Document, Documents, Kind, Write},
    event::Event,
    outbox::Relay,
};
use uuid::Uuid;

const DEADLINE: Duration = Duration::from_secs(5);
/// As in `services/patient/src/outbound/billing.rs`.
const LARGEST_BATCH: usize = 64;
const CALLS_UNDER_WAY: usize = 2;

/// Costs an invocation and nothing behind it.
const NOTHING: &str = "/api/patients/{id}";

/// The least that the projection of a patient takes.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Patient {
    mrn: String,
    registered_at: Timestamp,
    active: bool,
    search: Value,
}

impl Kind for Patient {
    const NAME: &'static str = "patient";
    const SCHEMA: u32 = 1;
}

/// One HTTP invocation.
pub(crate) fn gateway(sidecar: &Sidecar) -> Router {
    async fn pass(State(sidecar): State<Sidecar>, method: Method, uri: Uri, body: Bytes) -> Response {
        let request = Request::builder().method(method).uri(uri.path());
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        let Ok(request) = request else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
        match sidecar.invoke("patient", request, DEADLINE).await {
            Ok(answer) => (answer.status(), answer.into_body()).into_response(),
            Err(problem) => problem.into_response(),
        }
    }
    Router::new().route("/api/patients", post(pass)).route(NOTHING, get(pass)).with_state(sidecar.clone())
}

struct Registry {
    sidecar: Sidecar,
    documents: Documents,
    accounts: Batcher<AccountOpening, bool>,
}

/// One query, one transaction of one document, a share of a gRPC call; then the event, by the same relay.
pub(crate) fn patient(sidecar: &Sidecar) -> Router {
    let relay = Relay::spawn(sidecar, Uuid::now_v7());
    let client = AccountsClient::new(sidecar.app("billing"));
    let accounts = Batcher::spawn(LARGEST_BATCH, CALLS_UNDER_WAY, move |openings: Vec<AccountOpening>| {
        let mut client = client.clone();
        async move {
            let asked = openings.len();
            let opened = client.open_accounts(OpenAccountsRequest { openings }).await.is_ok();
            vec![opened; asked]
        }
    });
    let registry =
        Registry { sidecar: sidecar.clone(), documents: Documents::new(sidecar.clone(), relay).one_by_one(), accounts };
    let routes = Router::new().route("/api/patients", post(register)).with_state(Arc::new(registry));
    routes.route(NOTHING, get(async || "{}"))
}

async fn register(State(registry): State<Arc<Registry>>, _: Bytes) -> Response {
    match registry.register().await {
        Ok(()) => (StatusCode::CREATED, "{}").into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Registry {
    async fn register(&self) -> anyhow::Result<()> {
        let (id, now) = (Uuid::now_v7(), Timestamp::now());
        let asked = json!({ "id": id, "identity": null, "identifiers": [] });
        let _: Value = self.sidecar.query("registration_check", &asked).await?;
        let time = Some(contracts::Timestamp { seconds: now.as_second(), nanos: now.subsec_nanosecond() });
        let told = PatientRegistered {
            patient: Some(PatientSnapshot {
                patient_id: id.to_string(),
                version: 1,
                registered_time: time,
                changed_time: time,
                active: true,
                ..PatientSnapshot::default()
            }),
        };
        let event = Event::new(topic::PATIENT_REGISTERED, "patient", id, Uuid::now_v7(), now, None, &told)?;
        let patient = Patient {
            mrn: id.to_string(),
            registered_at: now,
            active: true,
            search: json!({ "family": "floor", "given": "", "phone": [], "email": [], "words": [] }),
        };
        self.documents.save(vec![Write::create(id, Document::first(patient, vec![event]))?]).await?;
        let opening = AccountOpening { patient_id: id.to_string(), ..AccountOpening::default() };
        anyhow::ensure!(self.accounts.ask(opening).await == Some(true), "no account");
        Ok(())
    }
}
