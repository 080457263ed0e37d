//! What the caller is told when an appointment cannot be made or changed.

use problem::{Kind, Problem};
use serde_json::Value;
use sidecar::failure::Failure;

use super::{not_found, written::overlap_json};
use crate::{
    domain::{
        appointment::{Overlap, transitions::allowed, waiting::NoOffer},
        calendar::availability::Unbookable,
    },
    inbound::http::refusals::key_reused,
    outbound::appointments::Missing,
    service::booking::BookingError,
};

impl From<BookingError> for Problem {
    fn from(error: BookingError) -> Self {
        match error {
            BookingError::Unknown => not_found(),
            BookingError::Missing(missing) => is_missing(&missing),
            BookingError::MayNotOverbook => {
                Self::new(Kind::Forbidden, "Your role may not overbook; ask a nurse or a physician.")
            }
            BookingError::NoSuchTime(detail) => Self::invalid_field("/start", detail),
            BookingError::NeedsPlace(fields) => fields.into_iter().fold(
                Self::new(Kind::Invalid, "Who waits has no time yet, so it has to be said; see `errors`."),
                |problem, field| problem.with_error(field, "is required"),
            ),
            BookingError::NoOffer(NoOffer::Unknown) => Self::new(Kind::NotFound, "There is no such opening."),
            BookingError::NoOffer(reason) => {
                Self::new(Kind::Conflict, format!("It cannot be had: {reason}.")).with_slug("no-offer")
            }
            BookingError::Unbookable(reason) => unbookable(reason),
            BookingError::Taken(overlaps) => taken(&overlaps),
            BookingError::Stale { current } => Self::new(
                Kind::PreconditionFailed,
                "Somebody has changed the appointment since; read it again and decide anew.",
            )
            .with("version", current),
            BookingError::Refused { refusal, current } => {
                let status = current.appointment.status;
                Self::new(Kind::Conflict, format!("{refusal}."))
                    .with_slug("transition-refused")
                    .with("appointmentStatus", status.code())
                    .with("allowed", allowed(status))
            }
            error @ BookingError::Encounter(_) => {
                Self::new(Kind::Conflict, format!("{error}.")).with_slug("encounter-refused")
            }
            BookingError::KeyReused => key_reused(),
            BookingError::Store(Failure::Changed) => {
                Self::new(Kind::PreconditionFailed, "The appointment is being changed by others; read it again.")
            }
            BookingError::Store(failure) => failure.into(),
        }
    }
}

fn is_missing(missing: &Missing) -> Problem {
    let problem = Problem::new(Kind::Invalid, "What is named here cannot be booked; see `errors`.");
    missing.fields.iter().fold(problem, |problem, field| {
        let inactive = missing.inactive_patient && *field == "/patientId";
        problem.with_error(*field, if inactive { "is a record that is not in use" } else { "is not known" })
    })
}

fn unbookable(reason: Unbookable) -> Problem {
    Problem::new(Kind::Conflict, format!("It cannot be booked then: {reason}."))
        .with_slug("not-bookable")
        .with("reason", reason.code())
}

fn taken(overlaps: &[Overlap]) -> Problem {
    Problem::new(Kind::Conflict, "The time is taken; see `overlaps`.")
        .with_slug("slot-taken")
        .with("overlaps", overlaps.iter().map(overlap_json).collect::<Vec<Value>>())
}
