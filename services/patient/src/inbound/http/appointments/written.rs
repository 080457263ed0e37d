//! An appointment as every route answers it.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use jiff::{Timestamp, tz::TimeZone};
use runtime::http::request::next_link;
use serde_json::{Map, Value, json};

use crate::{
    domain::appointment::{Overlap, Resource, Stamps},
    outbound::appointments::{Page, Versioned},
};

pub(super) fn appointment_json(Versioned { id, appointment, version }: &Versioned) -> Value {
    let mut body = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    put("id", Some(json!(id)));
    put("version", Some(json!(version)));
    put("status", Some(appointment.status.code().into()));
    put("patientId", Some(json!(appointment.patient_id)));
    let (placement, place, waiting) = (appointment.placement.as_ref(), appointment.place(), appointment.waiting);
    let practitioner = place.map(|place| place.practitioner).or_else(|| waiting?.practitioner);
    put("practitionerId", practitioner.map(|practitioner| json!(practitioner)));
    put("roomId", place.and_then(|place| place.room).map(|room| json!(room)));
    put("serviceId", Some(json!(appointment.service_id)));
    put("clinicId", Some(json!(appointment.clinic_id)));
    put("start", place.map(|place| json!(place.time.start)));
    put("end", place.map(|place| json!(place.time.end)));
    put("timeZone", Some(appointment.time_zone.clone().into()));
    put("localStart", place.and_then(|place| local(place.time.start, &appointment.time_zone)).map(Value::from));
    put("lane", placement.map(|placement| placement.lane.into()));
    let overbooking = placement.and_then(|placement| placement.overbooking.as_ref());
    put("overbooking", overbooking.map(|overbooking| json!({ "reason": overbooking.reason })));
    put("requestedPeriod", waiting.map(|waiting| json!(waiting.requested_period)));
    put("priority", waiting.map(|waiting| waiting.priority.into()));
    put("seriesId", appointment.series.map(|series| json!(series.id)));
    put("encounterId", appointment.stamps.checked_in.map(|_| id.encounter().to_string().into()));
    put("reschedules", Some(appointment.reschedules.into()));
    put("cancelationReason", appointment.cancellation.map(|done| done.reason.code().into()));
    put("cancelledLate", appointment.cancellation.map(|done| done.late.into()));
    put("noShowReason", appointment.no_show_reason.clone().map(Value::from));
    put("correctionReason", appointment.correction_reason.clone().map(Value::from));
    let Stamps { created, changed, booked, rescheduled, confirmed, arrived, .. } = appointment.stamps;
    let Stamps { checked_in, started, finished, cancelled, no_show, corrected, .. } = appointment.stamps;
    for (name, at) in [
        ("createdAt", Some(created)),
        ("changedAt", Some(changed)),
        ("bookedAt", booked),
        ("rescheduledAt", rescheduled),
        ("confirmedAt", confirmed),
        ("arrivedAt", arrived),
        ("checkedInAt", checked_in),
        ("startedAt", started),
        ("finishedAt", finished),
        ("cancelledAt", cancelled),
        ("noShowAt", no_show),
        ("correctedAt", corrected),
    ] {
        put(name, at.map(|at| json!(at)));
    }
    Value::Object(body)
}

/// What the clinic's clock shows, with its offset.
fn local(at: Timestamp, zone: &str) -> Option<String> {
    let zoned = at.to_zoned(TimeZone::get(zone).ok()?);
    Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

/// What is in the way, without a word of whose it is.
pub(super) fn overlap_json(overlap: &Overlap) -> Value {
    let of = overlap.of.iter().map(|resource| match resource {
        Resource::Practitioner => "practitioner",
        Resource::Room => "room",
        Resource::Patient => "patient",
    });
    json!({
        "appointmentId": overlap.appointment,
        "start": overlap.time.start,
        "end": overlap.time.end,
        "of": of.collect::<Vec<_>>(),
    })
}

/// A page; `last` is what the next one begins after.
pub(super) fn page(found: &Page, last: Option<String>, path: &str, parameters: &[(String, String)]) -> Response {
    let items: Vec<_> = found.items.iter().map(appointment_json).collect();
    let next = last.filter(|_| found.more);
    let link = next.as_deref().and_then(|next| next_link(path, parameters, next));
    let mut response = axum::Json(json!({ "items": items, "next": next })).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(link) = link {
        headers.insert(header::LINK, link);
    }
    response
}
