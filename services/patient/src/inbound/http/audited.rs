//! Who did what: the audit as it is, and what of it concerns one patient.

use std::sync::Arc;

use access::Caller;
use audit::{Asked, Collections, Recorder};
use axum::{
    Extension, Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, header};
use problem::{Problem, input::Findings};
use runtime::http::request::next_link;
use serde_json::{Value, json};
use sidecar::Sidecar;

use super::request::{not_found, patient_id};
use crate::service::Registry;

/// Reads are recorded unless they are of what is listed here as unwatched.
pub(super) const COLLECTIONS: Collections = Collections {
    kinds: &[
        ("patients", "patient"),
        ("encounters", "encounter"),
        ("observations", "observation"),
        ("conditions", "condition"),
        ("allergies", "allergy-intolerance"),
        ("medication-requests", "medication-request"),
        ("immunizations", "immunization"),
        ("procedures", "procedure"),
        ("notes", "note"),
        ("appointments", "appointment"),
        ("series", "series"),
        ("clinics", "clinic"),
        ("practitioners", "practitioner"),
        ("rooms", "room"),
        ("services", "service"),
        ("leaves", "leave"),
        ("slots", "slot"),
    ],
    // The calendar without its appointments names no patient; the audit records itself who reads it.
    unwatched: &["audit", "clinics", "leaves", "practitioners", "rooms", "services", "slots"],
};

/// What of the audit's parameters the log of one patient takes.
const PARAMETERS: [&str; 6] = ["agent", "action", "from", "to", "limit", "cursor"];

type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// What the audit is read with.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Has the entries.
    pub sidecar: Sidecar,
    /// Is told who looked at them, and at everything else.
    pub recorder: Recorder,
}

/// `GET /api/patients/audit`
pub(super) async fn page(
    Extension(Viewer { sidecar, recorder }): Extension<Viewer>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let Query(parameters) = readable(parameters)?;
    audit::view(&sidecar, &recorder, &caller, "/api/patients/audit", &parameters).await
}

/// `GET /api/patients/{id}/access-log`
pub(super) async fn access_log(
    State(registry): State<Arc<Registry>>,
    Extension(viewer): Extension<Viewer>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let id = patient_id(&id)?;
    let Query(parameters) = readable(parameters)?;
    let mut findings = Findings::default();
    for (name, _) in parameters.iter().filter(|(name, _)| !PARAMETERS.contains(&name.as_str())) {
        findings.add(name, "is not a parameter of this log");
    }
    findings.into_result(Some(()))?;
    let asked = Asked::read(&parameters)?.of_patient(id.as_uuid());
    registry.find(id).await?.ok_or_else(not_found)?;
    let page = audit::find(&viewer.sidecar, &asked).await?;
    let items: Vec<_> = page.items.iter().map(access).collect();
    let path = format!("/api/patients/{id}/access-log");
    let link = page.next.as_ref().and_then(|next| next_link(&path, &parameters, next));
    let mut response = Json(json!({ "items": items, "next": page.next })).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().extend(link.map(|link| (header::LINK, link)));
    Ok(response)
}

fn readable(parameters: Parameters) -> Result<Query<Vec<(String, String)>>, Problem> {
    parameters.map_err(|_| Problem::invalid_field("query string", "is not readable"))
}

/// An entry as the patient may be told it: when, who, what, of which sort, and why, without what tells of the staff's
/// machines and sessions.
fn access(entry: &Value) -> Value {
    let mut told = serde_json::Map::new();
    for name in ["recorded", "action", "subtype", "outcome", "entity"] {
        told.extend(entry.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    told.insert("category".to_owned(), category(entry).into());
    if let Some(agent) = entry.get("agent") {
        told.insert("agent".to_owned(), json!({ "who": agent["who"], "role": agent["role"] }));
    }
    told.extend(entry.pointer("/details/amendment").map(|kind| ("amendment".to_owned(), kind.clone())));
    Value::Object(told)
}

/// What sort of data it was, in the words of the matrix of roles.
fn category(entry: &Value) -> &'static str {
    match (entry["subtype"].as_str(), entry.pointer("/entity/type").and_then(Value::as_str)) {
        (Some("access-log"), _) => "audit",
        (_, Some("patient")) => "demographics",
        (_, Some("appointment" | "series")) => "appointments",
        _ => "clinical",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_told_who_and_why_and_nothing_of_their_machines() {
        let entry = json!({
            "position": 7, "id": "i", "recorded": "2026-11-26T10:00:00Z", "action": "U", "subtype": "update",
            "outcome": 0, "agent": { "who": "w", "role": "nurse", "session": "s" },
            "entity": { "type": "observation", "id": "o", "version": 2 }, "patient": "p", "requestId": "r",
            "traceId": "t", "details": { "address": "192.0.2.7", "amendment": "corrected" },
        });
        assert_eq!(
            access(&entry),
            json!({
                "recorded": "2026-11-26T10:00:00Z", "action": "U", "subtype": "update", "outcome": 0,
                "category": "clinical", "agent": { "who": "w", "role": "nurse" },
                "entity": { "type": "observation", "id": "o", "version": 2 }, "amendment": "corrected",
            })
        );
    }

    #[test]
    fn every_access_has_a_category() {
        for (subtype, kind, expected) in [
            ("read", "patient", "demographics"),
            ("search", "observation", "clinical"),
            ("access-log", "patient", "audit"),
            ("read", "appointment", "appointments"),
        ] {
            assert_eq!(
                category(&json!({ "subtype": subtype, "entity": { "type": kind } })),
                expected,
                "{subtype} {kind}"
            );
        }
    }
}
