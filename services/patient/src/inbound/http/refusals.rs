//! What the caller is told when a use case refuses: one exhaustive match each.

use problem::{Kind, Problem};
use sidecar::failure::Failure;

use super::request::not_found;
use crate::{
    domain::patient::{PatientId, Refusal},
    service::{amend::AmendError, register::RegisterError},
};

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Refused(refusal) => refused(refusal),
            RegisterError::Duplicate { of, identifier } => duplicate(of, identifier),
            RegisterError::KeyReused => key_reused(),
            RegisterError::Store(failure) => failure.into(),
        }
    }
}

impl From<AmendError<Self>> for Problem {
    fn from(error: AmendError<Self>) -> Self {
        match error {
            AmendError::Unknown => not_found(),
            AmendError::Stale { current } => Self::new(
                Kind::PreconditionFailed,
                "Somebody has changed the record since; read it again and decide anew.",
            )
            .with("version", current),
            AmendError::Unfit(problem) => problem,
            AmendError::Refused(refusal) => refused(refusal),
            AmendError::Duplicate { of, identifier } => duplicate(of, identifier),
            AmendError::KeyReused => key_reused(),
            AmendError::Store(Failure::Changed) => {
                Self::new(Kind::PreconditionFailed, "The record is being changed by others; read it again.")
            }
            AmendError::Store(failure) => failure.into(),
        }
    }
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::BornInFuture => Problem::invalid_field("/birthDate", "must not lie in the future"),
    }
}

fn duplicate(of: PatientId, identifier: Option<usize>) -> Problem {
    let problem = match identifier {
        None => Problem::new(Kind::Conflict, "A patient with this name, birth date and sex is registered already."),
        Some(index) => Problem::new(Kind::Conflict, "A patient with one of these identifiers is registered already.")
            .with_error(format!("/identifier/{index}"), "belongs to another patient"),
    };
    problem.with_slug("duplicate-patient").with("duplicateOf", of.to_string())
}

pub(super) fn key_reused() -> Problem {
    let detail = "was used with another body";
    Problem::invalid_field("Idempotency-Key", detail).with_slug("idempotency-key-reused")
}
