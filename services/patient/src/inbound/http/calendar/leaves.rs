//! Leave of practitioners, and time in which rooms are down.

use std::sync::Arc;

use access::Caller;
use audit::Agent;
use axum::{
    Extension,
    extract::{Path, Query, Request, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use problem::{
    Problem,
    input::{self, Findings, Object},
};
use runtime::http::{read_body, request::expected_version};
use serde_json::{Map, Value, json};

use super::{Parameters, answer, key, not_found, own_id, page_answer, page_question, refusal, unreadable};
use crate::{
    domain::calendar::{
        ClinicId, LeaveId, PractitionerId, RoomId,
        interval::Interval,
        leave::{Absent, Leave, Reason},
        zone::{Zone, parse_date},
    },
    fhir::calendar::{CODE, required_id},
    inbound::http::request::hash,
    outbound::calendar::{Conflict, VersionedLeave},
    service::{
        Keyed,
        calendar::{Calendar, LeaveView},
    },
};

const THING: &str = "leave";

type Shared = Extension<Arc<Calendar>>;
type Pages = Result<Query<Parameters>, QueryRejection>;

fn practitioner(id: &str) -> Result<Absent, Problem> {
    own_id(id, "practitioner").map(|id| Absent::Practitioner(PractitionerId::new(id)))
}

fn room(id: &str) -> Result<Absent, Problem> {
    own_id(id, "room").map(|id| Absent::Room(RoomId::new(id)))
}

/// `GET /api/practitioners/{id}/leaves`
pub(super) async fn list_of_practitioner(shared: Shared, id: Path<String>, pages: Pages) -> Result<Response, Problem> {
    list(shared, practitioner(&id)?, pages).await
}

/// `POST /api/practitioners/{id}/leaves`
pub(super) async fn put_for_practitioner(
    shared: Shared,
    caller: Extension<Caller>,
    id: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    put(shared, caller, practitioner(&id)?, request).await
}

/// `GET /api/practitioners/{id}/leaves/{leave}`
pub(super) async fn read_of_practitioner(
    shared: Shared,
    Path((id, leave)): Path<(String, String)>,
) -> Result<Response, Problem> {
    read(shared, practitioner(&id)?, &leave).await
}

/// `PATCH /api/practitioners/{id}/leaves/{leave}`
pub(super) async fn withdraw_of_practitioner(
    shared: Shared,
    caller: Extension<Caller>,
    Path((id, leave)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    withdraw(shared, caller, practitioner(&id)?, &leave, request).await
}

/// `GET /api/rooms/{id}/leaves`
pub(super) async fn list_of_room(shared: Shared, id: Path<String>, pages: Pages) -> Result<Response, Problem> {
    list(shared, room(&id)?, pages).await
}

/// `POST /api/rooms/{id}/leaves`
pub(super) async fn put_for_room(
    shared: Shared,
    caller: Extension<Caller>,
    id: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    put(shared, caller, room(&id)?, request).await
}

/// `GET /api/rooms/{id}/leaves/{leave}`
pub(super) async fn read_of_room(
    shared: Shared,
    Path((id, leave)): Path<(String, String)>,
) -> Result<Response, Problem> {
    read(shared, room(&id)?, &leave).await
}

/// `PATCH /api/rooms/{id}/leaves/{leave}`
pub(super) async fn withdraw_of_room(
    shared: Shared,
    caller: Extension<Caller>,
    Path((id, leave)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    withdraw(shared, caller, room(&id)?, &leave, request).await
}

async fn list(Extension(calendar): Shared, absent: Absent, pages: Pages) -> Result<Response, Problem> {
    let Query(parameters) = pages.map_err(unreadable)?;
    let page = calendar.leaves(absent, &page_question(&parameters, &[])?).await.map_err(told(absent))?;
    let page = page.ok_or_else(|| not_found(owner(absent)))?;
    let items: Vec<_> = page.items.iter().map(|(leave, zone)| Value::Object(written(leave, zone))).collect();
    let next = page.next.map(|next| next.to_string());
    Ok(page_answer(&path(absent), &parameters, &items, next.as_deref()))
}

async fn put(
    Extension(calendar): Shared,
    Extension(caller): Extension<Caller>,
    absent: Absent,
    request: Request,
) -> Result<Response, Problem> {
    let key = key(request.headers(), &caller, &format!("POST {}", path(absent)), THING)?;
    let body = read_body(request, &["application/json"]).await?;
    let mut findings = Findings::default();
    let mut object = input::body(&body)?;
    let asked = Asked::read(&mut object, &mut findings);
    object.finish(&mut findings);
    let asked = findings.into_result(asked)?;
    let keyed = Keyed { key, hash: hash(&format!("{asked:?}")) };
    let by = Agent::from(&caller);
    let view = calendar.put_leave(absent, asked.clinic, |zone| asked.leave(absent, zone), keyed, by);
    let view = view.await.map_err(told(absent))?;
    let location = [(header::LOCATION, format!("{}/{}", path(absent), view.leave.id))];
    Ok((StatusCode::CREATED, location, view_answer(&view)).into_response())
}

async fn read(Extension(calendar): Shared, absent: Absent, leave: &str) -> Result<Response, Problem> {
    let id = LeaveId::new(own_id(leave, THING)?);
    let view = calendar.leave(absent, id).await.map_err(|error| refusal(error, THING))?;
    Ok(view_answer(&view.ok_or_else(|| not_found(THING))?))
}

async fn withdraw(
    Extension(calendar): Shared,
    Extension(caller): Extension<Caller>,
    absent: Absent,
    leave: &str,
    request: Request,
) -> Result<Response, Problem> {
    let id = LeaveId::new(own_id(leave, THING)?);
    let expected = expected_version(request.headers(), THING)?;
    let body = read_body(request, &["application/merge-patch+json", "application/json"]).await?;
    let mut findings = Findings::default();
    let mut object = input::body(&body)?;
    object.require("status", &mut findings);
    object.parsed("status", CODE, &mut findings, |status| {
        if status == "withdrawn" { Ok(()) } else { Err("must be withdrawn: a leave can be taken back, and no more") }
    });
    object.finish(&mut findings);
    findings.into_result(Some(()))?;
    let view = calendar.withdraw_leave(absent, id, expected, Agent::from(&caller)).await;
    Ok(view_answer(&view.map_err(|error| refusal(error, THING))?))
}

/// Who is away is not there, or else the leave is not.
fn told(absent: Absent) -> impl Fn(crate::service::calendar::CalendarError) -> Problem {
    move |error| refusal(error, owner(absent))
}

fn owner(absent: Absent) -> &'static str {
    match absent {
        Absent::Practitioner(_) => "practitioner",
        Absent::Room(_) => "room",
    }
}

fn path(absent: Absent) -> String {
    match absent {
        Absent::Practitioner(id) => format!("/api/practitioners/{id}/leaves"),
        Absent::Room(id) => format!("/api/rooms/{id}/leaves"),
    }
}

/// A leave as it is asked for, before the clock is known that it is meant by.
#[derive(Debug)]
struct Asked {
    clinic: ClinicId,
    from: String,
    to: String,
    reason: Reason,
}

impl Asked {
    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        let clinic = required_id(body, "clinicId", findings).map(ClinicId::new);
        let from = body.required_text("from", CODE, findings);
        let to = body.required_text("to", CODE, findings);
        body.require("reason", findings);
        let reason = body.parsed("reason", CODE, findings, Reason::parse);
        Some(Self { clinic: clinic?, from: from?, to: to?, reason: reason? })
    }

    fn leave(&self, absent: Absent, zone: &Zone) -> Result<Leave, Problem> {
        let period = self.period(zone)?;
        Ok(Leave { absent, clinic: self.clinic, period, reason: self.reason, withdrawn: false })
    }

    /// From a moment until another, or from the first day to the last.
    fn period(&self, zone: &Zone) -> Result<Interval, Problem> {
        let period = if let (Ok(first), Ok(last)) = (parse_date(&self.from), parse_date(&self.to)) {
            zone.days(first, last)
        } else {
            let mut findings = Findings::default();
            let mut moment =
                |pointer: &str, text: &str| zone.moment(text).map_err(|detail| findings.add(pointer, detail)).ok();
            let (from, to) = (moment("/from", &self.from), moment("/to", &self.to));
            findings.into_result(from.zip(to).map(|(from, to)| Interval::new(from, to)))?
        };
        if period.is_empty() {
            return Err(Problem::invalid_field("/to", "must be after `from`"));
        }
        Ok(period)
    }
}

fn written(VersionedLeave { id, leave, version }: &VersionedLeave, zone: &Zone) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(id));
    body.insert("version".to_owned(), json!(version));
    match leave.absent {
        Absent::Practitioner(id) => body.insert("practitionerId".to_owned(), json!(id)),
        Absent::Room(id) => body.insert("roomId".to_owned(), json!(id)),
    };
    body.insert("clinicId".to_owned(), json!(leave.clinic));
    body.insert("timeZone".to_owned(), json!(zone.name()));
    body.insert("from".to_owned(), zone.write(leave.period.start).into());
    body.insert("to".to_owned(), zone.write(leave.period.end).into());
    body.insert("reason".to_owned(), leave.reason.code().into());
    body.insert("status".to_owned(), if leave.withdrawn { "withdrawn" } else { "active" }.into());
    body
}

fn view_answer(view: &LeaveView) -> Response {
    let mut body = written(&view.leave, &view.zone);
    body.insert("appointments".to_owned(), view.conflicts.iter().map(conflict).collect());
    body.insert("more".to_owned(), view.more.into());
    answer(view.leave.version, body)
}

fn conflict(conflict: &Conflict) -> Value {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(conflict.appointment_id));
    body.insert("patientId".to_owned(), json!(conflict.patient_id));
    if let Some(practitioner) = conflict.practitioner_id {
        body.insert("practitionerId".to_owned(), json!(practitioner));
    }
    if let Some(room) = conflict.room_id {
        body.insert("roomId".to_owned(), json!(room));
    }
    body.insert("status".to_owned(), json!(conflict.status));
    body.insert("start".to_owned(), json!(conflict.starts));
    body.insert("end".to_owned(), json!(conflict.ends));
    Value::Object(body)
}
