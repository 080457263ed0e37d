//! What the caller is told when a chart refuses.

use std::convert::Infallible;

use problem::{FieldError, Kind, Problem};
use sidecar::failure::Failure;

use super::{super::refusals::key_reused, not_found};
use crate::{domain::record::Refusal, inbound::http::request, service::chart::ChartError};

impl From<ChartError<Self>> for Problem {
    fn from(error: ChartError<Self>) -> Self {
        told(error, |problem| problem)
    }
}

impl From<ChartError<Infallible>> for Problem {
    fn from(error: ChartError<Infallible>) -> Self {
        told(error, |never| match never {})
    }
}

fn told<E>(error: ChartError<E>, unfit: impl FnOnce(E) -> Problem) -> Problem {
    match error {
        ChartError::NoPatient => request::not_found(),
        ChartError::Inactive => {
            Problem::new(Kind::Conflict, "The patient's record is not in use.").with_slug("inactive-patient")
        }
        ChartError::Unknown => not_found(),
        ChartError::Stale { current } => Problem::new(
            Kind::PreconditionFailed,
            "Somebody has changed the record since; read it again and decide anew.",
        )
        .with("version", current),
        ChartError::Unfit(error) => unfit(error),
        ChartError::Refused(Refusal::Broken(violations)) => {
            let wrong = violations.into_iter();
            let wrong = wrong.map(|broken| FieldError { pointer: broken.pointer, detail: broken.detail.to_owned() });
            Problem::invalid(wrong.collect())
        }
        ChartError::Refused(Refusal::InError) => {
            Problem::new(Kind::Conflict, "The record was entered in error, and nothing changes it any more.")
                .with_slug("entered-in-error")
        }
        ChartError::Missing(pointers) => {
            let wrong = pointers.into_iter();
            let detail = "is not in this patient's chart";
            Problem::invalid(wrong.map(|pointer| FieldError { pointer, detail: detail.to_owned() }).collect())
        }
        ChartError::KeyReused => key_reused(),
        ChartError::Store(Failure::Changed) => {
            Problem::new(Kind::PreconditionFailed, "The record is being changed by others; read it again.")
        }
        ChartError::Store(failure) => failure.into(),
    }
}
