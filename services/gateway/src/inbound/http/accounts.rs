//! `GET /api/billing/accounts/{patientId}`: gRPC behind, REST before.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use contracts::billing::v1::{Account, AccountStatus};
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use problem::Problem;
use serde_json::{Value, json};

use crate::outbound::billing::Billing;

pub(super) async fn read(
    State(billing): State<Billing>,
    Path(patient_id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let account = billing.account(patient_id, access::bearer(&headers)?).await?;
    let etag = HeaderValue::from_str(&format!("\"{}\"", account.version)).map_err(Problem::internal)?;
    let headers = [(header::ETAG, etag), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((headers, Json(account_json(&account))).into_response())
}

fn account_json(account: &Account) -> Value {
    let status = match account.status() {
        AccountStatus::Active => "active",
        AccountStatus::Inactive => "inactive",
        AccountStatus::OnHold => "on-hold",
        AccountStatus::Unspecified => "unknown",
    };
    let opened = account.opened_time.as_ref();
    let opened = opened.and_then(|opened| Timestamp::new(opened.seconds, opened.nanos).ok());
    json!({
        "id": account.account_id,
        "patientId": account.patient_id,
        "version": account.version,
        "status": status,
        "openedTime": opened.map(|opened| opened.to_string()),
    })
}
