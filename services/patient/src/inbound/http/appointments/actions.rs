//! What is done with an appointment: one route for each action of the table.

use std::sync::Arc;

use access::Caller;
use axum::{
    Extension,
    extract::{Path, Request},
    response::Response,
};
use jiff::Timestamp;
use problem::{
    Problem,
    input::{self, Findings, Object},
};
use runtime::http::read_body;
use serde_json::Value;

use super::{ID, LONGEST_REASON, TIME, answer, appointment_id, overbook, uuid};
use crate::{
    domain::{
        appointment::{CancellationReason, Change, When},
        calendar::{PractitionerId, RoomId},
    },
    inbound::http::request::{expected_version, hash, optional_key},
    service::{
        Keyed,
        booking::{
            Bookings,
            change::{Elsewhere, Step},
        },
    },
};

type Shared = Extension<Arc<Bookings>>;
type Answer = Result<Response, Problem>;

/// `POST /api/appointments/{id}/book`
pub(super) async fn book(book: Shared, caller: Extension<Caller>, id: Path<String>, request: Request) -> Answer {
    told(book, caller, id, request, "book", |object, findings| Some(Step::Book(elsewhere(object, findings)))).await
}

/// `POST /api/appointments/{id}/reschedule`
pub(super) async fn reschedule(book: Shared, caller: Extension<Caller>, id: Path<String>, request: Request) -> Answer {
    told(book, caller, id, request, "reschedule", |object, findings| {
        Some(Step::Reschedule(elsewhere(object, findings)))
    })
    .await
}

/// `POST /api/appointments/{id}/cancel`
pub(super) async fn cancel(book: Shared, caller: Extension<Caller>, id: Path<String>, request: Request) -> Answer {
    told(book, caller, id, request, "cancel", |object, findings| {
        object.require("reason", findings);
        let reason = object.parsed("reason", 20, findings, CancellationReason::parse)?;
        Some(Step::Stay(Change::Cancel(reason)))
    })
    .await
}

/// `POST /api/appointments/{id}/no-show`
pub(super) async fn no_show(book: Shared, caller: Extension<Caller>, id: Path<String>, request: Request) -> Answer {
    told(book, caller, id, request, "no-show", |object, findings| {
        Some(Step::Stay(Change::NoShow(object.text("reason", LONGEST_REASON, findings))))
    })
    .await
}

/// `POST /api/appointments/{id}/correct`
pub(super) async fn correct(book: Shared, caller: Extension<Caller>, id: Path<String>, request: Request) -> Answer {
    told(book, caller, id, request, "correct", |object, findings| {
        object.require("status", findings);
        let arrived = object.parsed("status", 20, findings, |code| match code {
            "booked" => Ok(false),
            "arrived" => Ok(true),
            _ => Err("must be booked or arrived"),
        });
        let reason = object.required_text("reason", LONGEST_REASON, findings);
        Some(Step::Stay(Change::Correct { arrived: arrived?, reason: reason? }))
    })
    .await
}

/// `POST /api/appointments/{id}/enter-in-error`
pub(super) async fn enter_in_error(
    book: Shared,
    caller: Extension<Caller>,
    id: Path<String>,
    request: Request,
) -> Answer {
    told(book, caller, id, request, "enter-in-error", |object, findings| {
        let reason = object.required_text("reason", LONGEST_REASON, findings)?;
        Some(Step::Stay(Change::EnterInError { reason }))
    })
    .await
}

/// `POST /api/appointments/{id}/confirm`
pub(super) async fn confirm(book: Shared, caller: Extension<Caller>, id: Path<String>, request: Request) -> Answer {
    act(book, caller, id, request, Change::Confirm).await
}

/// `POST /api/appointments/{id}/arrive`
pub(super) async fn arrive(book: Shared, caller: Extension<Caller>, id: Path<String>, request: Request) -> Answer {
    act(book, caller, id, request, Change::Arrive).await
}

/// `POST /api/appointments/{id}/check-in`
pub(super) async fn check_in(book: Shared, caller: Extension<Caller>, id: Path<String>, request: Request) -> Answer {
    act(book, caller, id, request, Change::CheckIn).await
}

/// `POST /api/appointments/{id}/start`
pub(super) async fn start(book: Shared, caller: Extension<Caller>, id: Path<String>, request: Request) -> Answer {
    act(book, caller, id, request, Change::Start).await
}

/// `POST /api/appointments/{id}/finish`
pub(super) async fn finish(book: Shared, caller: Extension<Caller>, id: Path<String>, request: Request) -> Answer {
    act(book, caller, id, request, Change::Finish).await
}

/// An action about which nothing has to be said.
async fn act(
    Extension(bookings): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
    change: Change,
) -> Answer {
    let id = appointment_id(&id)?;
    let expected = expected_version(request.headers(), "appointment")?;
    let name = change.action().name();
    let key = optional_key(request.headers(), &caller, &format!("POST /api/appointments/{id}/{name}"))?;
    let keyed = key.map(|key| Keyed { key, hash: hash(&format!("{expected}")) });
    Ok(answer(&bookings.change(&caller, id, expected, keyed, &Step::Stay(change), Timestamp::now()).await?))
}

/// An action about which the body says more.
async fn told(
    Extension(bookings): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
    name: &str,
    read: impl FnOnce(&mut Object, &mut Findings) -> Option<Step>,
) -> Answer {
    let id = appointment_id(&id)?;
    let expected = expected_version(request.headers(), "appointment")?;
    let key = optional_key(request.headers(), &caller, &format!("POST /api/appointments/{id}/{name}"))?;
    let body = read_body(request, &["application/json"]).await?;
    let mut object = input::body(&body)?;
    let mut findings = Findings::default();
    let step = read(&mut object, &mut findings);
    object.finish(&mut findings);
    let step = findings.into_result(step)?;
    let asked: Value = serde_json::from_slice(&body).map_err(Problem::internal)?;
    let keyed = key.map(|key| Keyed { key, hash: hash(&format!("{expected} {asked}")) });
    Ok(answer(&bookings.change(&caller, id, expected, keyed, &step, Timestamp::now()).await?))
}

/// Where to, as far as the body says so.
fn elsewhere(object: &mut Object, findings: &mut Findings) -> Elsewhere {
    Elsewhere {
        start: object.parsed("start", TIME, findings, When::parse),
        practitioner: object.parsed("practitionerId", ID, findings, uuid).map(PractitionerId::new),
        room: object.parsed("roomId", ID, findings, uuid).map(RoomId::new),
        overbook: overbook(object, findings),
    }
}
