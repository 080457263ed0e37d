//! The waiting list, and the times that became free for those on it.

use std::sync::Arc;

use access::Caller;
use axum::{
    Extension,
    extract::{Path, Request},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, header};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use problem::{
    Kind, Problem,
    input::{self, Findings, Object},
};
use runtime::http::{read_body, request::next_link};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ID, TIME,
    agenda::{Parameters, Query, pairs},
    tagged, uuid,
    written::page,
};
use crate::{
    domain::{
        appointment::{
            AppointmentId, When,
            waiting::{Answer, OpeningStatus, Waiting},
        },
        calendar::{ClinicId, PractitionerId, ServiceId, interval::Interval},
        patient::PatientId,
    },
    inbound::http::request::{expected_version, hash, optional_key},
    outbound::appointments::{
        Versioned,
        waiting::{VersionedOpening, WaitingAt},
    },
    service::{
        Keyed,
        booking::{
            BookingError, Bookings,
            waiting::{Reply, WantedWait},
        },
    },
};

/// Nobody waits for longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);
/// In the middle of 1 to 9.
const USUAL_PRIORITY: u8 = 5;

/// `POST /api/appointments` with the status `waitlist`.
pub(super) async fn make(
    bookings: &Bookings,
    caller: &Caller,
    mut object: Object,
    mut findings: Findings,
    keyed: Keyed,
) -> Result<Versioned, Problem> {
    let wanted = wanted(&mut object, &mut findings);
    object.finish(&mut findings);
    let (wanted, (from, until)) = findings.into_result(wanted)?;
    let start = instant(bookings, wanted.clinic, from, "/requestedPeriod/start").await?;
    let end = instant(bookings, wanted.clinic, until, "/requestedPeriod/end").await?;
    let now = Timestamp::now();
    if end <= start || end <= now || end.duration_since(start) > LONGEST {
        let detail = "must be after the start, in the future, and at most a year after the start";
        return Err(Problem::invalid_field("/requestedPeriod/end", detail));
    }
    let waiting = Waiting { requested_period: Interval::new(start, end), ..wanted.waiting };
    Ok(bookings.wait(caller, &WantedWait { waiting, ..wanted }, keyed, now).await?)
}

async fn instant(bookings: &Bookings, clinic: ClinicId, when: When, field: &str) -> Result<Timestamp, Problem> {
    bookings.resolve(clinic, when).await.map_err(|error| match error {
        BookingError::NoSuchTime(detail) => Problem::invalid_field(field, detail),
        other => other.into(),
    })
}

fn wanted(object: &mut Object, findings: &mut Findings) -> Option<(WantedWait, (When, When))> {
    for name in ["patientId", "serviceId", "clinicId", "requestedPeriod"] {
        object.require(name, findings);
    }
    let patient = object.parsed("patientId", ID, findings, uuid).map(PatientId::new);
    let service = object.parsed("serviceId", ID, findings, uuid).map(ServiceId::new);
    let clinic = object.parsed("clinicId", ID, findings, uuid).map(ClinicId::new);
    let practitioner = object.parsed("practitionerId", ID, findings, uuid).map(PractitionerId::new);
    let priority = priority(object, findings);
    let mut period = object.nested("requestedPeriod", findings)?;
    for name in ["start", "end"] {
        period.require(name, findings);
    }
    let start = period.parsed("start", TIME, findings, When::parse);
    let end = period.parsed("end", TIME, findings, When::parse);
    period.finish(findings);
    let requested_period = Interval::new(Timestamp::MIN, Timestamp::MIN);
    let waiting = Waiting { requested_period, practitioner, priority };
    Some((WantedWait { patient: patient?, service: service?, clinic: clinic?, waiting }, (start?, end?)))
}

fn priority(object: &mut Object, findings: &mut Findings) -> u8 {
    let Some(given) = object.take("priority") else { return USUAL_PRIORITY };
    let priority =
        given.as_u64().and_then(|number| u8::try_from(number).ok()).filter(|number| (1..=9).contains(number));
    priority.unwrap_or_else(|| {
        findings.add(object.pointer("priority"), "must be a whole number from 1, who comes first, to 9");
        USUAL_PRIORITY
    })
}

/// `GET /api/appointments/waitlist`
pub(super) async fn waitlist(
    Extension(bookings): Extension<Arc<Bookings>>,
    parameters: Query,
) -> Result<Response, Problem> {
    let parameters = pairs(parameters)?;
    let mut findings = Findings::default();
    let asked = Parameters::read(&parameters, &["clinic", "service", "practitioner"], &mut findings);
    let after = asked.after(&mut findings);
    let clinic = asked.required::<Uuid>("clinic", "the id of a clinic", &mut findings).map(ClinicId::new);
    let service = asked.optional::<Uuid>("service", "the id of a service", &mut findings).map(ServiceId::new);
    let practitioner = asked.optional::<Uuid>("practitioner", "the id of a practitioner", &mut findings);
    let clinic = findings.into_result(clinic)?;
    let at = WaitingAt { clinic, service, practitioner: practitioner.map(PractitionerId::new) };
    let found = bookings.waitlist(at, after, asked.limit).await?.ok_or_else(no_clinic)?;
    let next = found.items.last().map(|appointment| appointment.id.to_string());
    Ok(page(&found, next, "/api/appointments/waitlist", &parameters))
}

/// `GET /api/appointments/openings`
pub(super) async fn openings(
    Extension(bookings): Extension<Arc<Bookings>>,
    parameters: Query,
) -> Result<Response, Problem> {
    let parameters = pairs(parameters)?;
    let mut findings = Findings::default();
    let asked = Parameters::read(&parameters, &["clinic"], &mut findings);
    let after = asked.after(&mut findings).map(AppointmentId::as_uuid);
    let clinic = asked.required::<Uuid>("clinic", "the id of a clinic", &mut findings);
    let clinic = findings.into_result(clinic)?;
    let found = bookings.openings(ClinicId::new(clinic), after, asked.limit).await?;
    let (openings, more) = found.ok_or_else(no_clinic)?;
    let next = openings.last().filter(|_| more).map(|opening| opening.id.to_string());
    let link = next.as_deref().and_then(|next| next_link("/api/appointments/openings", &parameters, next));
    let items: Vec<_> = openings.iter().map(opening_json).collect();
    let mut response = axum::Json(json!({ "items": items, "next": next })).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// `GET /api/appointments/openings/{id}`
pub(super) async fn read(
    Extension(bookings): Extension<Arc<Bookings>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = bookings.find_opening(opening_id(&id)?).await?.ok_or_else(not_found)?;
    Ok(tagged(found.version, opening_json(&found)))
}

/// `POST /api/appointments/openings/{id}/accept`
pub(super) async fn accept(
    bookings: Extension<Arc<Bookings>>,
    caller: Extension<Caller>,
    id: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    reply(bookings, caller, id, request, Reply::Accept).await
}

/// `POST /api/appointments/openings/{id}/decline`
pub(super) async fn decline(
    bookings: Extension<Arc<Bookings>>,
    caller: Extension<Caller>,
    id: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    reply(bookings, caller, id, request, Reply::Decline).await
}

async fn reply(
    Extension(bookings): Extension<Arc<Bookings>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
    reply: Reply,
) -> Result<Response, Problem> {
    let id = opening_id(&id)?;
    let expected = expected_version(request.headers(), "opening")?;
    let name = if reply == Reply::Accept { "accept" } else { "decline" };
    let key = optional_key(request.headers(), &caller, &format!("POST /api/appointments/openings/{id}/{name}"))?;
    let body = read_body(request, &["application/json"]).await?;
    let mut object = input::body(&body)?;
    let mut findings = Findings::default();
    object.require("appointmentId", &mut findings);
    let appointment = object.parsed("appointmentId", ID, &mut findings, uuid).map(AppointmentId::new);
    object.finish(&mut findings);
    let appointment = findings.into_result(appointment)?;
    let keyed = key.map(|key| Keyed { key, hash: hash(&format!("{expected} {appointment}")) });
    let replied = bookings.reply(&caller, (id, appointment), reply, expected, keyed, Timestamp::now()).await?;
    Ok(tagged(replied.version, opening_json(&replied)))
}

fn opening_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "There is no such opening.")
}

fn no_clinic() -> Problem {
    Problem::invalid_field("clinic", "is no clinic")
}

fn opening_json(VersionedOpening { id, opening, version }: &VersionedOpening) -> Value {
    let offers = opening.offers.iter().map(|offer| {
        let mut one = json!({
            "appointmentId": offer.appointment_id,
            "patientId": offer.patient_id,
            "offeredAt": offer.offered,
            "expiresAt": offer.expires,
        });
        if let Some(answer) = offer.answer {
            one["answer"] = match answer {
                Answer::Accepted => "accepted",
                Answer::Declined => "declined",
                Answer::Expired => "expired",
                Answer::Withdrawn => "withdrawn",
            }
            .into();
        }
        one
    });
    let place = opening.place;
    let mut body = json!({
        "id": id,
        "version": version,
        "status": match opening.status {
            OpeningStatus::Open => "open",
            OpeningStatus::Filled => "filled",
            OpeningStatus::Lapsed => "lapsed",
        },
        "clinicId": opening.clinic_id,
        "serviceId": opening.service_id,
        "practitionerId": place.practitioner,
        "start": place.time.start,
        "end": place.time.end,
        "timeZone": opening.time_zone,
        "freedBy": opening.freed_by,
        "offers": offers.collect::<Vec<_>>(),
        "createdAt": opening.created,
        "changedAt": opening.changed,
    });
    if let Some(room) = place.room {
        body["roomId"] = json!(room);
    }
    if let Ok(zone) = TimeZone::get(&opening.time_zone) {
        body["localStart"] = place.time.start.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string().into();
    }
    body
}
