//! Clinics, practitioners, rooms and services: the same four routes for each.

mod leaves;
mod slots;

use std::sync::Arc;

use access::{Caller, Door};
use audit::Agent;
use axum::{
    Extension,
    extract::{Path, Query, Request, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use problem::{
    Kind, Problem,
    input::{self, Findings},
};
use runtime::http::{
    read_body,
    request::{self, next_link},
};
use serde_json::{Map, Value, json};
use sidecar::failure::Failure;
use uuid::Uuid;

use super::{
    patients::{apply, etag},
    refusals::key_reused,
    request::{REQUESTS, hash},
};
use crate::{
    domain::calendar::{ClinicId, clinic::Clinic, practitioner::Practitioner, room::Room, service::Service},
    fhir::calendar::{Resource, parse_id},
    outbound::calendar::{PageQuestion, Versioned},
    service::{
        Keyed, Registry,
        calendar::{Calendar, CalendarError},
    },
};

const DEFAULT_LIMIT: u16 = 20;
const HIGHEST_LIMIT: u16 = 100;

type Parameters = Vec<(String, String)>;

/// The routes of the calendar.
pub(super) fn routes(door: Door<Arc<Registry>>) -> Door<Arc<Registry>> {
    door.on("GET /api/clinics", list::<Clinic>)
        .on("POST /api/clinics", make::<Clinic>)
        .on("GET /api/clinics/{id}", read::<Clinic>)
        .on("PATCH /api/clinics/{id}", change::<Clinic>)
        .on("GET /api/practitioners", list::<Practitioner>)
        .on("POST /api/practitioners", make::<Practitioner>)
        .on("GET /api/practitioners/{id}", read::<Practitioner>)
        .on("PATCH /api/practitioners/{id}", change::<Practitioner>)
        .on("GET /api/practitioners/{id}/leaves", leaves::list_of_practitioner)
        .on("POST /api/practitioners/{id}/leaves", leaves::put_for_practitioner)
        .on("GET /api/practitioners/{id}/leaves/{leave}", leaves::read_of_practitioner)
        .on("PATCH /api/practitioners/{id}/leaves/{leave}", leaves::withdraw_of_practitioner)
        .on("GET /api/rooms", list::<Room>)
        .on("POST /api/rooms", make::<Room>)
        .on("GET /api/rooms/{id}", read::<Room>)
        .on("PATCH /api/rooms/{id}", change::<Room>)
        .on("GET /api/rooms/{id}/leaves", leaves::list_of_room)
        .on("POST /api/rooms/{id}/leaves", leaves::put_for_room)
        .on("GET /api/rooms/{id}/leaves/{leave}", leaves::read_of_room)
        .on("PATCH /api/rooms/{id}/leaves/{leave}", leaves::withdraw_of_room)
        .on("GET /api/services", list::<Service>)
        .on("POST /api/services", make::<Service>)
        .on("GET /api/services/{id}", read::<Service>)
        .on("PATCH /api/services/{id}", change::<Service>)
        .on("GET /api/slots", slots::search)
}

async fn make<T: Resource>(
    Extension(calendar): Extension<Arc<Calendar>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let key = key(request.headers(), &caller, &format!("POST {}", T::PATH), T::KIND)?;
    let body = read_body(request, &["application/json"]).await?;
    let thing = through_the_door::<T>(input::body(&body)?)?;
    let request = Keyed { key, hash: hash(&Value::Object(thing.write()).to_string()) };
    let made = calendar.make(thing, request, Agent::from(&caller)).await.map_err(refused::<T>)?;
    let location = [(header::LOCATION, format!("{}/{}", T::PATH, made.id))];
    Ok((StatusCode::CREATED, location, answer(made.version, written(&made))).into_response())
}

async fn read<T: Resource>(
    Extension(calendar): Extension<Arc<Calendar>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = calendar.find::<T>(own_id(&id, T::KIND)?).await?.ok_or_else(|| not_found(T::KIND))?;
    Ok(answer(found.version, written(&found)))
}

/// A merge patch, RFC 7396.
async fn change<T: Resource>(
    Extension(calendar): Extension<Arc<Calendar>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let id = own_id(&id, T::KIND)?;
    let expected = request::expected_version(request.headers(), T::KIND)?;
    let body = read_body(request, &["application/merge-patch+json", "application/json"]).await?;
    // The reader's words for what is no JSON.
    input::body(&body)?;
    let patch: Value = serde_json::from_slice(&body).map_err(Problem::internal)?;
    let merge = |thing: &T| {
        let mut target = Value::Object(thing.write());
        apply(&mut target, &patch);
        through_the_door(input::object(target)?)
    };
    let changed = calendar.change(id, expected, Agent::from(&caller), merge).await.map_err(refused::<T>)?;
    Ok(answer(changed.version, written(&changed)))
}

async fn list<T: Resource>(
    Extension(calendar): Extension<Arc<Calendar>>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(parameters) = parameters.map_err(unreadable)?;
    let filters: &[&str] = if T::KIND == "clinic" { &[] } else { &["clinic", "active"] };
    let page = calendar.page::<T>(&page_question(&parameters, filters)?).await?;
    let items: Vec<_> = page.items.iter().map(|one| Value::Object(written(one))).collect();
    let next = page.next.map(|next| next.to_string());
    Ok(page_answer(T::PATH, &parameters, &items, next.as_deref()))
}

fn through_the_door<T: Resource>(mut object: input::Object) -> Result<T, Problem> {
    let mut findings = Findings::default();
    let thing = T::read(&mut object, &mut findings);
    object.finish(&mut findings);
    findings.into_result(thing)
}

fn written<T: Resource>(found: &Versioned<T>) -> Map<String, Value> {
    let mut body = found.thing.write();
    body.insert("id".to_owned(), json!(found.id));
    body.insert("version".to_owned(), json!(found.version));
    body
}

fn refused<T: Resource>(error: CalendarError) -> Problem {
    refusal(error, T::KIND)
}

/// What the caller is told when the calendar refuses.
fn refusal(error: CalendarError, thing: &str) -> Problem {
    match error {
        CalendarError::Unknown => not_found(thing),
        CalendarError::Stale { current } => Problem::new(
            Kind::PreconditionFailed,
            format!("Somebody has changed the {thing} since; read it again and decide anew."),
        )
        .with("version", current),
        CalendarError::Unfit(problem) => problem,
        CalendarError::KeyReused => key_reused(),
        CalendarError::Store(Failure::Changed) => {
            Problem::new(Kind::PreconditionFailed, format!("The {thing} is being changed by others; read it again."))
        }
        CalendarError::Store(failure) => failure.into(),
    }
}

fn not_found(thing: &str) -> Problem {
    Problem::new(Kind::NotFound, format!("There is no such {thing}."))
}

/// The id in a path; what is no UUID names nothing.
fn own_id(text: &str, thing: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| not_found(thing))
}

fn key(headers: &HeaderMap, caller: &Caller, route: &str, thing: &str) -> Result<Uuid, Problem> {
    request::required_key(headers, &REQUESTS, caller.subject, route, thing)
}

fn unreadable(_: QueryRejection) -> Problem {
    Problem::invalid_field("query string", "is not readable")
}

fn page_question(parameters: &Parameters, filters: &[&str]) -> Result<PageQuestion, Problem> {
    let mut findings = Findings::default();
    let mut question = PageQuestion { limit: DEFAULT_LIMIT, ..PageQuestion::default() };
    for (index, (name, value)) in parameters.iter().enumerate() {
        if parameters[..index].iter().any(|(earlier, _)| earlier == name) {
            findings.add(name, "is given twice");
            continue;
        }
        let mut id = |detail| parse_id(value).map_err(|_| findings.add(name, detail)).ok();
        match name.as_str() {
            "clinic" if filters.contains(&"clinic") => {
                question.clinic = id("must be the id of a clinic").map(ClinicId::new);
            }
            "active" if filters.contains(&"active") => match value.parse() {
                Ok(active) => question.active = Some(active),
                Err(_) => findings.add(name, "must be true or false"),
            },
            "cursor" => question.after = id("must be `next` of an earlier page"),
            "limit" => match value.parse() {
                Ok(limit) if (1..=HIGHEST_LIMIT).contains(&limit) => question.limit = limit,
                _ => findings.add(name, format!("must be a number from 1 to {HIGHEST_LIMIT}")),
            },
            _ => findings.add(name, "is not a parameter of this list"),
        }
    }
    findings.into_result(Some(question))
}

fn answer(version: u64, body: Map<String, Value>) -> Response {
    let headers = [
        (header::ETAG, etag(version)),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, Value::Object(body).to_string()).into_response()
}

fn page_answer(path: &str, parameters: &Parameters, items: &[Value], next: Option<&str>) -> Response {
    let link = next.and_then(|next| next_link(path, parameters, next));
    let mut response = axum::Json(json!({ "items": items, "next": next })).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(link) = link {
        headers.insert(header::LINK, link);
    }
    response
}
