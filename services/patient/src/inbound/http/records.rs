//! Health records: the same five routes for each kind.

mod refusals;
mod search;

use std::sync::Arc;

use access::{Caller, Door, Guard, Role};
use axum::{
    Extension,
    extract::{Path, Query, Request, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use problem::{
    Kind, Problem,
    input::{self, Findings},
};
use runtime::http::{read_body, request as reading};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    patients::{apply, etag},
    request::{REQUESTS, hash, patient_id},
};
use crate::{
    domain::record::{
        Amendment, AmendmentKind, Record, RecordId, Resource as _, Wanted, allergy_intolerance::AllergyIntolerance,
        condition::Condition, encounter::Encounter, immunization::Immunization, medication_request::MedicationRequest,
        note::Note, observation::Observation, procedure::Procedure,
    },
    fhir::{datatypes, exact},
    outbound::records::{Told, Versioned},
    service::{
        Keyed, Registry,
        chart::{Charts, Seen},
    },
};

/// The longest reason of an amendment.
const LONGEST_REASON: usize = 500;

type Parameters = Vec<(String, String)>;

/// Serves every kind of record.
pub(super) fn serve<G: Guard>(door: Door<Arc<Registry>, G>) -> Door<Arc<Registry>, G> {
    let door = kind::<Encounter, _>(door, "encounters");
    let door = kind::<Observation, _>(door, "observations");
    let door = kind::<Condition, _>(door, "conditions");
    let door = kind::<AllergyIntolerance, _>(door, "allergies");
    let door = kind::<MedicationRequest, _>(door, "medication-requests");
    let door = kind::<Immunization, _>(door, "immunizations");
    let door = kind::<Procedure, _>(door, "procedures");
    kind::<Note, _>(door, "notes")
}

fn kind<R: Told, G: Guard>(door: Door<Arc<Registry>, G>, name: &str) -> Door<Arc<Registry>, G> {
    let all = format!("/api/patients/{{id}}/{name}");
    let one = format!("{all}/{{recordId}}");
    door.on(&format!("POST {all}"), add::<R>)
        .on(&format!("GET {all}"), page::<R>)
        .on(&format!("GET {one}"), read::<R>)
        .on(&format!("PATCH {one}"), amend::<R>)
        .on(&format!("GET {one}/history"), history::<R>)
}

async fn add<R: Told>(
    Extension(charts): Extension<Charts>,
    Extension(caller): Extension<Caller>,
    Path(patient): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let path = request.uri().path().to_owned();
    let patient = patient_id(&patient)?;
    let route = format!("POST {path}");
    let key = reading::required_key(request.headers(), &REQUESTS, caller.subject, &route, "record")?;
    let body = read_body(request, &["application/json"]).await?;
    let fields = exact::read(&body)?;
    given::<R>(&fields)?;
    let wanted = wanted::<R>(fields)?;
    let canonical = exact::write(&elements(wanted.encounter, &wanted.resource)?).map_err(Problem::internal)?;

    let keyed = Keyed { key, hash: hash(canonical.get()) };
    let added = charts.add(patient, wanted, keyed, &caller, Timestamp::now()).await?;
    let location = [(header::LOCATION, format!("{path}/{}", added.record.id))];
    Ok((StatusCode::CREATED, location, answer(&added, &caller)?).into_response())
}

async fn read<R: Told>(
    Extension(charts): Extension<Charts>,
    Extension(caller): Extension<Caller>,
    Path((patient, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let record = charts.find::<R>(patient_id(&patient)?, record_id(&id)?).await?.ok_or_else(not_found)?;
    answer(&record, &caller)
}

/// With a merge patch, RFC 7396, that says why.
async fn amend<R: Told>(
    Extension(charts): Extension<Charts>,
    Extension(caller): Extension<Caller>,
    Path((patient, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let (patient, id) = (patient_id(&patient)?, record_id(&id)?);
    let version = reading::expected_version(request.headers(), "record")?;
    let route = format!("PATCH {}", request.uri().path());
    let key = reading::optional_key(request.headers(), &REQUESTS, caller.subject, &route)?;
    let body = read_body(request, &["application/merge-patch+json", "application/json"]).await?;
    let mut patch = exact::read(&body)?;
    let asked = exact::write(&patch).map_err(Problem::internal)?;
    let request = key.map(|key| Keyed { key, hash: hash(&format!("{version} {}", asked.get())) });
    let amendment = patch.remove("amendment").map(|given| amendment(&given)).transpose()?;
    given::<R>(&patch)?;
    let patch = Value::Object(patch);

    let change = |record: &Record<R>| merged(record, &patch);
    let now = Timestamp::now();
    let amended =
        charts.amend((patient, id), Seen { version, request }, change, amendment.as_ref(), &caller, now).await?;
    answer(&amended, &caller)
}

async fn page<R: Told>(
    Extension(charts): Extension<Charts>,
    Extension(caller): Extension<Caller>,
    Path(patient): Path<String>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let patient = patient_id(&patient)?;
    let Query(parameters) = parameters.map_err(|_| Problem::invalid_field("query string", "is not readable"))?;
    let page = charts.page::<R>(patient, &search::read(&parameters)?).await?;
    let page = page.ok_or_else(super::request::not_found)?;
    let next = page.next.map(|(time, id)| search::cursor(time, id));
    listed(&page.records, next, (request.uri().path(), &parameters), &caller)
}

async fn history<R: Told>(
    Extension(charts): Extension<Charts>,
    Extension(caller): Extension<Caller>,
    Path((patient, id)): Path<(String, String)>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let (patient, id) = (patient_id(&patient)?, record_id(&id)?);
    let Query(parameters) = parameters.map_err(|_| Problem::invalid_field("query string", "is not readable"))?;
    let (before, limit) = search::read_history(&parameters)?;
    let history = charts.history::<R>(patient, id, before, limit).await?.ok_or_else(not_found)?;
    let next = history.next.map(|version| version.to_string());
    listed(&history.versions, next, (request.uri().path(), &parameters), &caller)
}

/// What is kept for users is not theirs to give.
fn given<R: Told>(fields: &Map<String, Value>) -> Result<(), Problem> {
    let mut findings = Findings::default();
    for name in R::KEPT.iter().filter(|name| fields.contains_key(**name)) {
        findings.add(format!("/{name}"), "follows from what happens and cannot be given");
    }
    findings.into_result(Some(()))
}

fn wanted<R: Told>(fields: Map<String, Value>) -> Result<Wanted<R>, Problem> {
    let mut findings = Findings::default();
    let mut object = input::object(fields.into())?;
    let encounter = (R::KIND != Encounter::KIND)
        .then(|| datatypes::id(&mut object, "encounterId", &mut findings))
        .flatten()
        .map(RecordId::new);
    let resource = R::read(&mut object, &mut findings);
    object.finish(&mut findings);
    findings.into_result(resource.map(|resource| Wanted { encounter, resource }))
}

/// What the patch makes of a record, through the same door as a new one.
fn merged<R: Told>(record: &Record<R>, patch: &Value) -> Result<Wanted<R>, Problem> {
    let mut target = Value::Object(elements(record.encounter, &record.resource)?);
    apply(&mut target, patch);
    match target {
        Value::Object(fields) => wanted(fields),
        _ => Err(Problem::invalid_field("", "must be an object")),
    }
}

fn amendment(given: &Value) -> Result<Amendment, Problem> {
    let mut findings = Findings::default();
    let mut patch = input::object(json!({ "amendment": given }))?;
    let amendment = patch.nested("amendment", &mut findings).and_then(|mut amendment| {
        amendment.require("kind", &mut findings);
        let kind = amendment.parsed("kind", LONGEST_REASON, &mut findings, AmendmentKind::parse);
        let reason = amendment.required_text("reason", LONGEST_REASON, &mut findings);
        amendment.finish(&mut findings);
        Some(Amendment { kind: kind?, reason: reason? })
    });
    findings.into_result(amendment)
}

/// What its users gave of a record.
fn elements<R: Told>(encounter: Option<RecordId>, resource: &R) -> Result<Map<String, Value>, Problem> {
    let mut fields = exact::fields(resource).map_err(Problem::internal)?;
    if let Some(encounter) = encounter {
        fields.insert("encounterId".to_owned(), encounter.to_string().into());
    }
    Ok(fields)
}

/// A record as every route answers it.
fn record_json<R: Told>(
    Versioned { record, version }: &Versioned<R>,
    caller: &Caller,
) -> Result<Map<String, Value>, Problem> {
    let mut body = Map::new();
    body.insert("id".to_owned(), record.id.to_string().into());
    body.insert("patientId".to_owned(), record.patient.to_string().into());
    body.insert("version".to_owned(), (*version).into());
    body.insert("recorder".to_owned(), record.recorder.to_string().into());
    body.insert("recordedAt".to_owned(), record.recorded_at.to_string().into());
    body.insert("changedBy".to_owned(), record.changed_by.to_string().into());
    body.insert("changedAt".to_owned(), record.changed_at.to_string().into());
    if let Some(Amendment { kind, reason }) = &record.amendment {
        body.insert("amendment".to_owned(), json!({ "kind": kind.code(), "reason": reason }));
    }
    body.extend(elements(record.encounter, &record.resource)?);
    for name in withheld::<R>(caller.role) {
        body.remove(*name);
    }
    Ok(body)
}

/// The front desk sees that somebody comes, and not what was found.
fn withheld<R: Told>(role: Role) -> &'static [&'static str] {
    if R::KIND == Encounter::KIND && role == Role::FrontDesk { &["diagnosis", "services"] } else { &[] }
}

fn answer<R: Told>(record: &Versioned<R>, caller: &Caller) -> Result<Response, Problem> {
    let mut response = written(&record_json(record, caller)?)?;
    response.headers_mut().insert(header::ETAG, etag(record.version));
    Ok(response)
}

fn listed<R: Told>(
    records: &[Versioned<R>],
    next: Option<String>,
    (path, parameters): (&str, &Parameters),
    caller: &Caller,
) -> Result<Response, Problem> {
    let items = records.iter().map(|record| record_json(record, caller).map(Value::Object));
    let items = items.collect::<Result<Vec<_>, _>>()?;
    let link = next.as_ref().and_then(|next| reading::next_link(path, parameters, next));
    let body = [("items".to_owned(), Value::Array(items)), ("next".to_owned(), next.into())];
    let mut response = written(&body.into_iter().collect())?;
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

fn written(body: &Map<String, Value>) -> Result<Response, Problem> {
    let json = exact::write(body).map_err(Problem::internal)?;
    let headers = HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]);
    Ok((headers, json.get().to_owned()).into_response())
}

fn record_id(text: &str) -> Result<RecordId, Problem> {
    Uuid::parse_str(text).map(RecordId::new).map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "There is no such record in this patient's chart.")
}
