//! Beside the caller's way: billing, and those who are told.

use axum::{Router, body::Bytes, extract::State, response::Response, routing::post};
use contracts::{
    billing::{
        account_id,
        v1::{
            Account, AccountOpened, AccountOpeningResult, GetAccountRequest, GetAccountResponse, GetBalanceRequest,
            GetBalanceResponse, OpenAccountsRequest, OpenAccountsResponse, account_opening_result::Outcome,
            accounts_server,
        },
    },
    patient::v1::PatientRegistered,
    topic,
};
use jiff::Timestamp;
use problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sidecar::{
    Sidecar,
    documents::{Document, Documents, Kind, Write},
    event::{CloudEvent, Event},
    failure::Failure,
    outbox::Relay,
    subscription::deliver,
};
use tonic::{Request, Status, service::Routes};
use uuid::Uuid;

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountData {
    patient_id: Uuid,
    status: String,
    opened_at: Timestamp,
}

impl Kind for AccountData {
    const NAME: &'static str = "account";
    const SCHEMA: u32 = 1;
}

struct Billing {
    documents: Documents,
}

/// One bulk read and one transaction of n documents for a call; one bulk read for a delivery.
pub(crate) fn billing(sidecar: &Sidecar) -> Router {
    let documents = Documents::new(sidecar.clone(), Relay::spawn(sidecar, Uuid::now_v7()));
    let server = accounts_server::AccountsServer::new(Billing { documents: documents.clone() });
    let grpc = Routes::new(server).prepare().into_axum_router().reset_fallback();
    Router::new().route("/events/patient.registered", post(delivered)).with_state(documents).merge(grpc)
}

async fn delivered(State(documents): State<Documents>, body: Bytes) -> Response {
    let apply = async |ids: Vec<Uuid>| documents.get_many::<AccountData>(&ids).await.map(drop).map_err(Problem::from);
    deliver(&documents, &body, Timestamp::now(), |event| Ok::<_, Lacking>(account_id(patient_of(event)?)), apply).await
}

#[tonic::async_trait]
impl accounts_server::Accounts for Billing {
    async fn open_accounts(
        &self,
        request: Request<OpenAccountsRequest>,
    ) -> Result<tonic::Response<OpenAccountsResponse>, Status> {
        let results =
            self.open(&request.into_inner()).await.map_err(|failure| Status::unavailable(failure.to_string()))?;
        Ok(tonic::Response::new(OpenAccountsResponse { results }))
    }

    async fn get_account(&self, _: Request<GetAccountRequest>) -> Result<tonic::Response<GetAccountResponse>, Status> {
        Err(Status::unimplemented("the floor is not asked this"))
    }

    async fn get_balance(&self, _: Request<GetBalanceRequest>) -> Result<tonic::Response<GetBalanceResponse>, Status> {
        Err(Status::unimplemented("the floor is not asked this"))
    }
}

impl Billing {
    async fn open(&self, request: &OpenAccountsRequest) -> Result<Vec<AccountOpeningResult>, Failure> {
        let now = Timestamp::now();
        let bug = |error: &dyn std::error::Error| Failure::Bug(error.to_string());
        let mut patients = Vec::with_capacity(request.openings.len());
        for opening in &request.openings {
            patients.push(Uuid::parse_str(&opening.patient_id).map_err(|error| bug(&error))?);
        }
        let ids: Vec<_> = patients.iter().map(|patient| account_id(*patient)).collect();
        // Not used, as all are new; but a registration reads them.
        let _ = self.documents.get_many::<AccountData>(&ids).await?;
        let mut writes = Vec::with_capacity(ids.len());
        let mut results = Vec::with_capacity(ids.len());
        for (&id, &patient_id) in ids.iter().zip(&patients) {
            let account = Account {
                account_id: id.to_string(),
                patient_id: patient_id.to_string(),
                version: 1,
                opened_time: Some(contracts::Timestamp { seconds: now.as_second(), nanos: now.subsec_nanosecond() }),
                ..Account::default()
            };
            let told = AccountOpened { account: Some(account.clone()) };
            let event = Event::new(topic::BILLING_ACCOUNT_OPENED, "billing", id, Uuid::now_v7(), now, None, &told)
                .map_err(|error| bug(&error))?;
            let data = AccountData { patient_id, status: "active".to_owned(), opened_at: now };
            writes.push(Write::create(id, Document::first(data, vec![event]))?);
            let outcome = Some(Outcome::Account(account));
            results.push(AccountOpeningResult { patient_id: patient_id.to_string(), outcome });
        }
        self.documents.save(writes).await?;
        Ok(results)
    }
}

/// One `api.ingest` for a delivery.
pub(crate) fn analytics(sidecar: &Sidecar) -> Router {
    type Parts = State<(Sidecar, Documents)>;
    async fn ingest(
        State((sidecar, documents)): Parts,
        body: Bytes,
        kind: &str,
        fact: fn(&CloudEvent) -> Result<Value, Lacking>,
    ) -> Response {
        let apply = async |facts: Vec<Value>| {
            let batch = json!({ "timeZone": "America/New_York", kind: facts });
            sidecar.exec("ingest", &batch).await.map_err(Problem::from)
        };
        deliver(&documents, &body, Timestamp::now(), fact, apply).await
    }
    let patients = async |parts: Parts, body: Bytes| ingest(parts, body, "patients", patient_fact).await;
    let accounts = async |parts: Parts, body: Bytes| ingest(parts, body, "accounts", account_fact).await;
    Router::new()
        .route("/events/patient.registered", post(patients))
        .route("/events/patient.updated", post(patients))
        .route("/events/billing.account.opened", post(accounts))
        .with_state((sidecar.clone(), Documents::silent(sidecar.clone())))
}

/// Something that the floor itself put into its events.
#[derive(Debug)]
pub(crate) struct Lacking;

impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not an event of the floor")
    }
}

fn patient_of(event: &CloudEvent) -> Result<Uuid, Lacking> {
    let told: PatientRegistered = event.message().map_err(|_| Lacking)?;
    Uuid::parse_str(&told.patient.ok_or(Lacking)?.patient_id).map_err(|_| Lacking)
}

fn patient_fact(event: &CloudEvent) -> Result<Value, Lacking> {
    let at = event.time.as_ref().ok_or(Lacking)?;
    Ok(json!({
        "patientId": patient_of(event)?, "version": 1, "registeredAt": at, "changedAt": at,
        "gender": null, "ageBand": null, "active": true,
    }))
}

fn account_fact(event: &CloudEvent) -> Result<Value, Lacking> {
    let told: AccountOpened = event.message().map_err(|_| Lacking)?;
    let account = told.account.ok_or(Lacking)?;
    Ok(json!({
        "accountId": account.account_id, "patientId": account.patient_id, "version": 1, "openedAt": event.time,
    }))
}
