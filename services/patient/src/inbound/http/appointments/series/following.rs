//! A series from one occurrence on, moved.

use std::sync::Arc;

use access::Caller;
use axum::{
    Extension,
    extract::{Path, Request},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use jiff::Timestamp;
use problem::{
    Problem,
    input::{self, Findings},
};
use runtime::http::read_body;
use serde_json::Value;

use super::{answer, beginning, number, series_id};
use crate::{
    domain::{
        appointment::{When, recurrence::MOST},
        calendar::{PractitionerId, RoomId},
    },
    inbound::http::{
        appointments::{ID, TIME, uuid},
        request::{expected_version, hash, optional_key},
    },
    service::{
        Keyed,
        booking::{Bookings, series::following::Following},
    },
};

/// `POST /api/appointments/series/{id}/reschedule`
pub(in crate::inbound::http::appointments) async fn reschedule(
    Extension(bookings): Extension<Arc<Bookings>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let id = series_id(&id)?;
    let expected = expected_version(request.headers(), "series")?;
    let key = optional_key(request.headers(), &caller, &format!("POST /api/appointments/series/{id}/reschedule"))?;
    let body = read_body(request, &["application/json"]).await?;
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut object = input::body(&body)?;
    let mut findings = Findings::default();
    object.require("from", &mut findings);
    let from = number(&mut object, "from", MOST.into(), &mut findings);
    object.require("start", &mut findings);
    let start = object.parsed("start", TIME, &mut findings, When::parse);
    let start = start.and_then(|when| beginning(when, &mut findings));
    let practitioner = object.parsed("practitionerId", ID, &mut findings, uuid).map(PractitionerId::new);
    let room = object.parsed("roomId", ID, &mut findings, uuid).map(RoomId::new);
    let skip_conflicts = object.boolean("skipConflicts", &mut findings).unwrap_or_default();
    object.finish(&mut findings);
    let (from, start) = findings.into_result(from.zip(start))?;
    let from = u16::try_from(from).unwrap_or(MOST);
    let wanted = Following { from, start, practitioner, room, skip_conflicts };

    let keyed = key.map(|key| Keyed { key, hash: hash(&format!("{expected} {asked}")) });
    let made = bookings.move_following(&caller, id, expected, keyed, &wanted, Timestamp::now()).await?;
    let location = [(header::LOCATION, format!("/api/appointments/series/{}", made.id))];
    Ok((StatusCode::CREATED, location, answer(&made)).into_response())
}
