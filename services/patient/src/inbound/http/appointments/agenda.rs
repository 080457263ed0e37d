//! Appointments of a patient, and of days at a practitioner or in a room.

use std::{str::FromStr, sync::Arc};

use axum::{
    Extension,
    extract::{Path, Query as Extracted, rejection::QueryRejection},
    response::Response,
};
use jiff::{ToSpan as _, civil::Date};
use problem::{Kind, Problem, input::Findings};
use uuid::Uuid;

use super::written::page;
use crate::{
    domain::{
        appointment::AppointmentId,
        calendar::{ClinicId, PractitionerId, RoomId},
    },
    inbound::http::request::{not_found as no_patient, patient_id},
    outbound::appointments::Agenda,
    service::booking::Bookings,
};

const DEFAULT_LIMIT: usize = 20;
const HIGHEST_LIMIT: usize = 100;
/// Six weeks, as many as a page of a calendar shows.
const LONGEST: i32 = 42;

/// A query as it arrives.
pub(super) type Query = Result<Extracted<Vec<(String, String)>>, QueryRejection>;

pub(super) fn pairs(query: Query) -> Result<Vec<(String, String)>, Problem> {
    let query = query.map_err(|_| Problem::invalid_field("query string", "is not readable"))?;
    Ok(query.0)
}

/// The query of a list.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    pub(super) limit: usize,
    pub(super) cursor: Option<String>,
    own: Vec<(String, String)>,
}

impl Parameters {
    /// Reads the query, which may have these parameters of its own.
    pub(super) fn read(given: &[(String, String)], own: &[&str], findings: &mut Findings) -> Self {
        let mut read = Self { limit: DEFAULT_LIMIT, ..Self::default() };
        for (index, (name, value)) in given.iter().enumerate() {
            if given[..index].iter().any(|(earlier, _)| earlier == name) {
                findings.add(name, "is given twice");
                continue;
            }
            match name.as_str() {
                "limit" => match value.parse() {
                    Ok(limit) if (1..=HIGHEST_LIMIT).contains(&limit) => read.limit = limit,
                    _ => findings.add(name, format!("must be a number from 1 to {HIGHEST_LIMIT}")),
                },
                "cursor" => read.cursor = Some(value.clone()),
                name if own.contains(&name) => read.own.push((name.to_owned(), value.clone())),
                _ => findings.add(name, "is not a parameter of this list"),
            }
        }
        read
    }

    pub(super) fn after(&self, findings: &mut Findings) -> Option<AppointmentId> {
        let parsed = self.cursor.as_deref().map(Uuid::parse_str).transpose();
        let Ok(id) = parsed else {
            findings.add("cursor", "must be `next` of an earlier page");
            return None;
        };
        id.map(AppointmentId::new)
    }

    pub(super) fn required<T: FromStr>(&self, name: &str, what: &str, findings: &mut Findings) -> Option<T> {
        if !self.own.iter().any(|(own, _)| own == name) {
            findings.add(name, "is required");
        }
        self.optional(name, what, findings)
    }

    pub(super) fn optional<T: FromStr>(&self, name: &str, what: &str, findings: &mut Findings) -> Option<T> {
        let (_, value) = self.own.iter().find(|(own, _)| own == name)?;
        value.parse().map_err(|_| findings.add(name, format!("must be {what}"))).ok()
    }
}

/// `GET /api/patients/{id}/appointments`
pub(super) async fn of_patient(
    Extension(bookings): Extension<Arc<Bookings>>,
    Path(id): Path<String>,
    parameters: Query,
) -> Result<Response, Problem> {
    let patient = patient_id(&id)?;
    let parameters = pairs(parameters)?;
    let mut findings = Findings::default();
    let asked = Parameters::read(&parameters, &[], &mut findings);
    let after = asked.after(&mut findings);
    let asked = findings.into_result(Some(asked))?;
    let found = bookings.of_patient(patient, after, asked.limit).await?.ok_or_else(no_patient)?;
    let next = found.items.last().map(|appointment| appointment.id.to_string());
    Ok(page(&found, next, &format!("/api/patients/{patient}/appointments"), &parameters))
}

/// `GET /api/practitioners/{id}/appointments`
pub(super) async fn of_practitioner(
    bookings: Extension<Arc<Bookings>>,
    Path(id): Path<String>,
    parameters: Query,
) -> Result<Response, Problem> {
    let id = Uuid::parse_str(&id).map_err(|_| Problem::new(Kind::NotFound, "There is no such practitioner."))?;
    let path = format!("/api/practitioners/{id}/appointments");
    of_days(bookings, Agenda::Practitioner(PractitionerId::new(id)), &path, &pairs(parameters)?).await
}

/// `GET /api/rooms/{id}/appointments`
pub(super) async fn of_room(
    bookings: Extension<Arc<Bookings>>,
    Path(id): Path<String>,
    parameters: Query,
) -> Result<Response, Problem> {
    let id = Uuid::parse_str(&id).map_err(|_| Problem::new(Kind::NotFound, "There is no such room."))?;
    let path = format!("/api/rooms/{id}/appointments");
    of_days(bookings, Agenda::Room(RoomId::new(id)), &path, &pairs(parameters)?).await
}

async fn of_days(
    Extension(bookings): Extension<Arc<Bookings>>,
    agenda: Agenda,
    path: &str,
    parameters: &[(String, String)],
) -> Result<Response, Problem> {
    let mut findings = Findings::default();
    let asked = Parameters::read(parameters, &["clinic", "from", "to"], &mut findings);
    let after = asked.after(&mut findings);
    let clinic = asked.required::<Uuid>("clinic", "the id of a clinic", &mut findings);
    let from = asked.required::<Date>("from", "a date, such as 2026-11-30", &mut findings);
    let to = asked.required::<Date>("to", "a date, such as 2026-11-30", &mut findings);
    if let (Some(from), Some(to)) = (from, to)
        && !(from..=from.saturating_add((LONGEST - 1).days())).contains(&to)
    {
        findings.add("to", format!("must be `from` or up to {} days later", LONGEST - 1));
    }
    let days = from.zip(to.map(|to| to.saturating_add(1.day())));
    let (clinic, days) = findings.into_result(clinic.zip(days))?;
    let found = bookings.of_days(agenda, ClinicId::new(clinic), days, after, asked.limit).await?;
    let found = found.ok_or_else(|| Problem::invalid_field("clinic", "is no clinic"))?;
    let next = found.items.last().map(|appointment| appointment.id.to_string());
    Ok(page(&found, next, path, parameters))
}
