//! Series of appointments.

pub(super) mod following;

use std::sync::Arc;

use access::Caller;
use axum::{
    Extension,
    extract::{Path, Request},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};
use problem::{
    Kind, Problem,
    input::{self, Findings, Object},
};
use runtime::http::read_body;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{tagged, wanted, written::overlap_json};
use crate::{
    domain::appointment::{
        CancellationReason, Unplaceable, When,
        recurrence::{End, Frequency, MOST, Rule},
        series::{Conflict, shift::Unshiftable},
    },
    inbound::http::request::{expected_version, hash, optional_key, required_key},
    service::{
        Keyed,
        booking::{
            Bookings,
            series::{SeriesError, VersionedSeries, WantedSeries},
        },
    },
};

/// As RFC 5545 counts them, from Monday.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// More is no series any more.
const LONGEST_INTERVAL: u64 = 12;

/// `POST /api/appointments/series`
pub(super) async fn make(
    Extension(bookings): Extension<Arc<Bookings>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let key = required_key(request.headers(), &caller, "POST /api/appointments/series", "series")?;
    let body = read_body(request, &["application/json"]).await?;
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut object = input::body(&body)?;
    let mut findings = Findings::default();
    let rule = rule(&mut object, &mut findings);
    let skip_conflicts = object.boolean("skipConflicts", &mut findings).unwrap_or_default();
    let named = wanted(&mut object, false, &mut findings);
    let beginning = named.as_ref().and_then(|(_, when)| beginning(*when, &mut findings));
    object.finish(&mut findings);
    let read = named.zip(rule).zip(beginning);
    let (((wanted, _), rule), beginning) = findings.into_result(read)?;

    let wanted = WantedSeries { wanted, beginning, rule, skip_conflicts };
    let keyed = Keyed { key, hash: hash(&asked.to_string()) };
    let made = bookings.make_series(&caller, &wanted, keyed, Timestamp::now()).await?;
    let location = [(header::LOCATION, format!("/api/appointments/series/{}", made.id))];
    Ok((StatusCode::CREATED, location, answer(&made)).into_response())
}

/// `GET /api/appointments/series/{id}`
pub(super) async fn read(
    Extension(bookings): Extension<Arc<Bookings>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = bookings.find_series(series_id(&id)?).await?.ok_or_else(not_found)?;
    Ok(answer(&found))
}

/// `POST /api/appointments/series/{id}/cancel`
pub(super) async fn cancel(
    Extension(bookings): Extension<Arc<Bookings>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let id = series_id(&id)?;
    let expected = expected_version(request.headers(), "series")?;
    let key = optional_key(request.headers(), &caller, &format!("POST /api/appointments/series/{id}/cancel"))?;
    let body = read_body(request, &["application/json"]).await?;
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut object = input::body(&body)?;
    let mut findings = Findings::default();
    let from = number(&mut object, "from", MOST.into(), &mut findings).unwrap_or(1);
    object.require("reason", &mut findings);
    let reason = object.parsed("reason", 20, &mut findings, CancellationReason::parse);
    object.finish(&mut findings);
    let reason = findings.into_result(reason)?;
    let keyed = key.map(|key| Keyed { key, hash: hash(&format!("{expected} {asked}")) });
    let what = (u16::try_from(from).unwrap_or(MOST), reason);
    Ok(answer(&bookings.cancel_following(&caller, id, expected, keyed, what, Timestamp::now()).await?))
}

fn rule(object: &mut Object, findings: &mut Findings) -> Option<Rule> {
    object.require("rule", findings);
    let mut rule = object.nested("rule", findings)?;
    rule.require("frequency", findings);
    let frequency = rule.parsed("frequency", 10, findings, |code| match code {
        "daily" => Ok(Frequency::Daily),
        "weekly" => Ok(Frequency::Weekly),
        "monthly" => Ok(Frequency::Monthly),
        _ => Err("must be daily, weekly or monthly"),
    });
    let interval = number(&mut rule, "interval", LONGEST_INTERVAL, findings).unwrap_or(1);
    let days = days(&mut rule, frequency, findings);
    let (count_at, until_at) = (rule.pointer("count"), rule.pointer("until"));
    let count = number(&mut rule, "count", MOST.into(), findings);
    let until = rule.parsed("until", 10, findings, |text| text.parse::<Date>().map_err(|_| "must be a date"));
    rule.finish(findings);
    let end = match (count, until) {
        (Some(count), None) => Some(End::Count(u16::try_from(count).unwrap_or(MOST))),
        (None, Some(until)) => Some(End::Until(until)),
        (None, None) => {
            findings.add(count_at, "or `until` is required");
            None
        }
        (Some(_), Some(_)) => {
            findings.add(until_at, "must not be given beside `count`");
            None
        }
    };
    Some(Rule { frequency: frequency?, interval: u16::try_from(interval).ok()?, days, end: end? })
}

fn days(rule: &mut Object, frequency: Option<Frequency>, findings: &mut Findings) -> Vec<i8> {
    let pointer = rule.pointer("days");
    let mut days = Vec::new();
    for (index, code) in rule.texts("days", DAYS.len(), 3, findings).iter().enumerate() {
        match (1..).zip(DAYS).find(|(_, day)| day == code) {
            Some((day, _)) if !days.contains(&day) => days.push(day),
            Some(_) => findings.add(format!("{pointer}/{index}"), "is given twice"),
            None => findings.add(format!("{pointer}/{index}"), format!("must be one of {}", DAYS.join(", "))),
        }
    }
    if !days.is_empty() && frequency.is_some_and(|frequency| frequency != Frequency::Weekly) {
        findings.add(pointer, "is for a weekly rule");
    }
    days
}

fn number(object: &mut Object, name: &str, most: u64, findings: &mut Findings) -> Option<u64> {
    let value = object.take(name)?;
    let read = value.as_u64().filter(|number| (1..=most).contains(number));
    if read.is_none() {
        findings.add(object.pointer(name), format!("must be a whole number from 1 to {most}"));
    }
    read
}

/// A series is meant by the clock on the wall: an offset would be another one half of the year.
fn beginning(when: When, findings: &mut Findings) -> Option<DateTime> {
    match when {
        When::Local(local) => Some(local),
        When::At(_) => {
            findings.add("/start", "must be what the clinic's clock shows, without an offset");
            None
        }
    }
}

fn series_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "There is no such series.")
}

fn answer(VersionedSeries { id, series, version }: &VersionedSeries) -> Response {
    let occurrences: Vec<_> = series
        .occurrences
        .iter()
        .map(|planned| {
            let mut one = json!({ "number": planned.number, "start": planned.start });
            if let Some(appointment) = planned.appointment_id {
                one["appointmentId"] = json!(appointment);
            }
            if planned.kept {
                one["kept"] = json!(true);
            }
            one
        })
        .collect();
    let mut rule = json!({ "frequency": series.rule.frequency, "interval": series.rule.interval });
    if !series.rule.days.is_empty() {
        let days = series.rule.days.iter().filter_map(|day| DAYS.get(usize::try_from(day - 1).ok()?));
        rule["days"] = days.copied().collect();
    }
    match series.rule.end {
        End::Count(count) => rule["count"] = json!(count),
        End::Until(until) => rule["until"] = json!(until),
    }
    let mut body = json!({
        "id": id,
        "version": version,
        "patientId": series.patient_id,
        "practitionerId": series.practitioner_id,
        "serviceId": series.service_id,
        "clinicId": series.clinic_id,
        "timeZone": series.time_zone,
        "start": series.beginning.strftime("%Y-%m-%dT%H:%M").to_string(),
        "rule": rule,
        "occurrences": occurrences,
        "createdAt": series.created,
        "changedAt": series.changed,
    });
    if let Some(room) = series.room_id {
        body["roomId"] = json!(room);
    }
    if let Some(number) = series.ended_from {
        body["endedFrom"] = json!(number);
    }
    for (name, other) in [("continues", series.continues), ("continuedBy", series.continued_by)] {
        if let Some(other) = other {
            body[name] = json!(other);
        }
    }
    tagged(*version, body)
}

impl From<SeriesError> for Problem {
    fn from(error: SeriesError) -> Self {
        match error {
            SeriesError::Unknown => not_found(),
            SeriesError::Empty => Self::invalid_field("/rule", "has no occurrence"),
            SeriesError::Unshiftable(why) => {
                let pointer = match why {
                    Unshiftable::NoOccurrence | Unshiftable::Over => "/from",
                    Unshiftable::NoRule | Unshiftable::NoSuchTime => "/start",
                };
                Self::invalid_field(pointer, why.to_string())
            }
            SeriesError::Conflicts(conflicts) => Self::new(
                Kind::Conflict,
                "Some of the series cannot be booked then, so nothing is done; see `conflicts`.",
            )
            .with_slug("series-conflicts")
            .with("conflicts", conflicts.iter().map(conflict_json).collect::<Vec<_>>()),
            SeriesError::Booking(error) => error.into(),
        }
    }
}

fn conflict_json(Conflict { occasion, why }: &Conflict) -> Value {
    let mut conflict = json!({ "number": occasion.number, "start": occasion.start });
    match why {
        Unplaceable::Unbookable(reason) => conflict["reason"] = reason.code().into(),
        Unplaceable::Taken(overlaps) => {
            conflict["reason"] = "taken".into();
            conflict["overlaps"] = overlaps.iter().map(overlap_json).collect();
        }
    }
    conflict
}
