//! Appointments: making one, and looking at it.

mod actions;
mod agenda;
mod refusals;
mod series;
mod waiting;
mod written;

use std::sync::Arc;

use access::{Caller, Door, Guard};
use audit::OfPatient;
use axum::{
    Extension,
    extract::{Path, Request},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use problem::{
    Kind, Problem,
    input::{self, Findings, Object},
};
use runtime::http::read_body;
use serde_json::Value;
use uuid::Uuid;

use self::written::{appointment_json, page};
use super::request::{hash, required_key};
use crate::{
    domain::{
        appointment::{AppointmentId, When, transitions::Action},
        calendar::{ClinicId, PractitionerId, RoomId, ServiceId},
        patient::PatientId,
    },
    outbound::appointments::Versioned,
    service::{
        Keyed,
        booking::{Bookings, Wanted},
    },
};

/// The longest reason in words.
const LONGEST_REASON: usize = 500;
const ID: usize = 36;
const TIME: usize = 40;

/// Serves the routes of appointments.
pub(super) fn routes<S: Clone + Send + Sync + 'static, G: Guard>(door: Door<S, G>) -> Door<S, G> {
    door.on("POST /api/appointments", make)
        .on("GET /api/appointments/{id}", read)
        .on("GET /api/appointments/{id}/history", history)
        .on("POST /api/appointments/{id}/book", actions::book)
        .on("POST /api/appointments/{id}/reschedule", actions::reschedule)
        .on("POST /api/appointments/{id}/confirm", actions::confirm)
        .on("POST /api/appointments/{id}/arrive", actions::arrive)
        .on("POST /api/appointments/{id}/check-in", actions::check_in)
        .on("POST /api/appointments/{id}/start", actions::start)
        .on("POST /api/appointments/{id}/finish", actions::finish)
        .on("POST /api/appointments/{id}/cancel", actions::cancel)
        .on("POST /api/appointments/{id}/no-show", actions::no_show)
        .on("POST /api/appointments/{id}/correct", actions::correct)
        .on("POST /api/appointments/{id}/enter-in-error", actions::enter_in_error)
        .on("POST /api/appointments/series", series::make)
        .on("GET /api/appointments/series/{id}", series::read)
        .on("POST /api/appointments/series/{id}/cancel", series::cancel)
        .on("POST /api/appointments/series/{id}/reschedule", series::following::reschedule)
        .on("GET /api/appointments/waitlist", waiting::waitlist)
        .on("GET /api/appointments/openings", waiting::openings)
        .on("GET /api/appointments/openings/{id}", waiting::read)
        .on("POST /api/appointments/openings/{id}/accept", waiting::accept)
        .on("POST /api/appointments/openings/{id}/decline", waiting::decline)
        .on("GET /api/patients/{id}/appointments", agenda::of_patient)
        .on("GET /api/practitioners/{id}/appointments", agenda::of_practitioner)
        .on("GET /api/rooms/{id}/appointments", agenda::of_room)
}

/// `POST /api/appointments`
async fn make(
    Extension(bookings): Extension<Arc<Bookings>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let key = required_key(request.headers(), &caller, "POST /api/appointments", "appointment")?;
    let body = read_body(request, &["application/json"]).await?;
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut object = input::body(&body)?;
    let mut findings = Findings::default();
    let action = object.parsed("status", 20, &mut findings, beginning).unwrap_or(Action::Book);
    let keyed = Keyed { key, hash: hash(&asked.to_string()) };
    let made = if action == Action::Wait {
        waiting::make(&bookings, &caller, object, findings, keyed).await?
    } else {
        let wanted = wanted(&mut object, true, &mut findings);
        object.finish(&mut findings);
        let (wanted, when) = findings.into_result(wanted)?;
        let wanted = Wanted { start: bookings.resolve(wanted.clinic, when).await?, ..wanted };
        bookings.make(&caller, action, &wanted, keyed, Timestamp::now()).await?
    };
    let location = [(header::LOCATION, format!("/api/appointments/{}", made.id))];
    Ok((StatusCode::CREATED, location, answer(&made)).into_response())
}

/// `GET /api/appointments/{id}`
async fn read(Extension(bookings): Extension<Arc<Bookings>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let found = bookings.find(appointment_id(&id)?).await?.ok_or_else(not_found)?;
    Ok(answer(&found))
}

/// `GET /api/appointments/{id}/history`
async fn history(
    Extension(bookings): Extension<Arc<Bookings>>,
    Path(id): Path<String>,
    parameters: agenda::Query,
) -> Result<Response, Problem> {
    let id = appointment_id(&id)?;
    let parameters = agenda::pairs(parameters)?;
    let mut findings = Findings::default();
    let asked = agenda::Parameters::read(&parameters, &[], &mut findings);
    let before = asked.cursor.as_deref().map(str::parse).transpose();
    let before = before.unwrap_or_else(|_| {
        findings.add("cursor", "must be `next` of an earlier page");
        None
    });
    let asked = findings.into_result(Some(asked))?;
    let found = bookings.history(id, before, asked.limit).await?;
    if found.items.is_empty() && before.is_none() {
        return Err(not_found());
    }
    let next = found.items.last().map(|version| version.version.to_string());
    let response = page(&found, next, &format!("/api/appointments/{id}/history"), &parameters);
    Ok(found.items.iter().take(1).fold(response, |response, version| shown(version, response)))
}

/// The actions that begin an appointment, by the status that it has then.
fn beginning(code: &str) -> Result<Action, &'static str> {
    match code {
        "booked" => Ok(Action::Book),
        "pending" => Ok(Action::Request),
        "proposed" => Ok(Action::Propose),
        "waitlist" => Ok(Action::Wait),
        _ => Err("must be booked, pending, proposed or waitlist"),
    }
}

fn wanted(object: &mut Object, one_time: bool, findings: &mut Findings) -> Option<(Wanted, When)> {
    for name in ["patientId", "practitionerId", "serviceId", "clinicId", "start"] {
        object.require(name, findings);
    }
    let patient = object.parsed("patientId", ID, findings, uuid).map(PatientId::new);
    let practitioner = object.parsed("practitionerId", ID, findings, uuid).map(PractitionerId::new);
    let room = object.parsed("roomId", ID, findings, uuid).map(RoomId::new);
    let service = object.parsed("serviceId", ID, findings, uuid).map(ServiceId::new);
    let clinic = object.parsed("clinicId", ID, findings, uuid).map(ClinicId::new);
    let start = object.parsed("start", TIME, findings, When::parse);
    // A series is not overbooked unseen.
    let overbook = if one_time { overbook(object, findings) } else { None };
    let wanted = Wanted {
        patient: patient?,
        practitioner: practitioner?,
        room,
        service: service?,
        clinic: clinic?,
        start: Timestamp::MIN,
        overbook,
    };
    Some((wanted, start?))
}

/// `"overbook": {"reason": ".."}`
fn overbook(object: &mut Object, findings: &mut Findings) -> Option<String> {
    let mut overbook = object.nested("overbook", findings)?;
    let reason = overbook.required_text("reason", LONGEST_REASON, findings);
    overbook.finish(findings);
    reason
}

fn uuid(text: &str) -> Result<Uuid, &'static str> {
    Uuid::parse_str(text).map_err(|_| "must be an id")
}

fn appointment_id(text: &str) -> Result<AppointmentId, Problem> {
    Uuid::parse_str(text).map(AppointmentId::new).map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "There is no such appointment.")
}

fn answer(versioned: &Versioned) -> Response {
    shown(versioned, tagged(versioned.version, appointment_json(versioned)))
}

/// Says whose record was shown, for the log of who was at it: the path names but the appointment.
fn shown(versioned: &Versioned, mut response: Response) -> Response {
    response.extensions_mut().insert(OfPatient(versioned.appointment.patient_id.as_uuid()));
    response
}

/// A body with the version that it is of.
fn tagged(version: u64, body: Value) -> Response {
    let mut headers = HeaderMap::new();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (headers, axum::Json(body)).into_response()
}
