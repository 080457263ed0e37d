//! One patient.

use std::sync::Arc;

use access::Caller;
use axum::{
    Extension,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use contracts::billing::{account_id, v1::AccountStatus};
use http::{HeaderValue, StatusCode, header};
use jiff::{Timestamp, tz::Offset};
use problem::{
    Problem,
    input::{self, Findings},
};
use runtime::http::read_body;
use serde_json::{Map, Value, json};

use super::request::{expected_version, hash, not_found, optional_key, patient_id, required_key};
use crate::{
    domain::{demographics::Demographics, patient::Patient},
    fhir,
    outbound::patients::Versioned,
    service::{Asking, Keyed, Registry},
};

/// `POST /api/patients`
pub(super) async fn register(
    State(registry): State<Arc<Registry>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let key = required_key(request.headers(), &caller, "POST /api/patients", "patient")?;
    let access_token = access::bearer(request.headers())?.to_owned();
    let body = read_body(request, &["application/json"]).await?;
    let mut findings = Findings::default();
    let mut object = input::body(&body)?;
    let person = fhir::read(&mut object, &mut findings);
    object.finish(&mut findings);
    let person = findings.into_result(Some(person))?;

    let request = Keyed { key, hash: hash(&canonical(&person)) };
    let registered = registry.register(person, request, asking(&caller), &access_token).await?;
    let location = format!("/api/patients/{}", registered.patient.patient.id);
    let mut body = patient_json(&registered.patient);
    let status = registered.account.map_or("pending", account_status);
    body.insert(
        "billingAccount".to_owned(),
        json!({ "id": account_id(registered.patient.patient.id.as_uuid()), "status": status }),
    );
    let location = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, location, answer(registered.patient.version, body)).into_response())
}

/// `GET /api/patients/{id}`
pub(super) async fn read(State(registry): State<Arc<Registry>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let patient = registry.find(patient_id(&id)?).await?.ok_or_else(not_found)?;
    Ok(answer(patient.version, patient_json(&patient)))
}

/// `PATCH /api/patients/{id}` with a merge patch, RFC 7396.
pub(super) async fn amend(
    State(registry): State<Arc<Registry>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let id = patient_id(&id)?;
    let expected = expected_version(request.headers(), "patient")?;
    let key = optional_key(request.headers(), &caller, &format!("PATCH /api/patients/{id}"))?;
    let body = read_body(request, &["application/merge-patch+json", "application/json"]).await?;
    // The reader's words for what is no JSON.
    input::body(&body)?;
    let patch: Value = serde_json::from_slice(&body).map_err(Problem::internal)?;

    let keyed = key.map(|key| Keyed { key, hash: hash(&format!("{expected} {patch}")) });
    let amended = registry.amend(id, expected, keyed, |patient| merge(patient, &patch), asking(&caller)).await?;
    Ok(answer(amended.version, patient_json(&amended)))
}

/// What the patch makes of a patient, through the same door as a registration.
fn merge(patient: &Patient, patch: &Value) -> Result<(Demographics, bool), Problem> {
    let mut target = Map::new();
    target.insert("active".to_owned(), patient.active.into());
    fhir::write(&patient.demographics, &mut target);
    let mut target = Value::Object(target);
    apply(&mut target, patch);
    let mut findings = Findings::default();
    let mut object = input::object(target)?;
    let active = object.boolean("active", &mut findings).unwrap_or(true);
    let person = fhir::read(&mut object, &mut findings);
    object.finish(&mut findings);
    findings.into_result(Some((person, active)))
}

/// RFC 7396, section 2.
pub(super) fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            apply(fields.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

/// A patient as every route answers them.
pub(super) fn patient_json(Versioned { patient, version }: &Versioned) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("id".to_owned(), patient.id.to_string().into());
    body.insert("mrn".to_owned(), patient.mrn.to_string().into());
    body.insert("version".to_owned(), (*version).into());
    body.insert("active".to_owned(), patient.active.into());
    fhir::write(&patient.demographics, &mut body);
    // The state of the account is billing's to tell.
    body.insert("billingAccount".to_owned(), json!({ "id": account_id(patient.id.as_uuid()) }));
    body
}

fn answer(version: u64, body: Map<String, Value>) -> Response {
    let headers = [
        (header::ETAG, etag(version)),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, Value::Object(body).to_string()).into_response()
}

pub(super) fn etag(version: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

fn account_status(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Active => "active",
        AccountStatus::Inactive => "inactive",
        AccountStatus::OnHold => "on-hold",
        AccountStatus::Unspecified => "unknown",
    }
}

fn canonical(person: &Demographics) -> String {
    let mut written = Map::new();
    fhir::write(person, &mut written);
    Value::Object(written).to_string()
}

/// The day begins first at UTC+14: no clinic's today is in the future.
fn asking(caller: &Caller) -> Asking {
    let now = Timestamp::now();
    Asking { by: caller.into(), now, latest_today: Offset::constant(14).to_datetime(now).date() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn a_merge_patch_follows_the_rfc() {
        for (target, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            let mut merged = target.clone();
            apply(&mut merged, &patch);
            assert_eq!(merged, result, "{target} {patch}");
        }
    }
}
