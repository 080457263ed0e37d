//! What is said to who is refused a payer or a coverage.

use problem::{FieldError, Kind, Problem};

use super::wrong_currency;
use crate::service::CoverageError;

impl From<CoverageError> for Problem {
    fn from(error: CoverageError) -> Self {
        let conflict = |slug, detail: &str| Self::new(Kind::Conflict, detail).with_slug(slug);
        match error {
            CoverageError::Currency(currency) => wrong_currency("coverage.terms.currency_code", currency),
            CoverageError::NoAccount => conflict("no-account", "This patient has no billing account.")
                .with_error("coverage.patient_id", "is of nobody who has an account"),
            CoverageError::NoPayer => {
                conflict("unknown-payer", "There is no such payer.").with_error("coverage.payer_id", "is no payer")
            }
            CoverageError::OrderTaken => {
                conflict("coverage-order-taken", "Another active coverage of the patient has this order at that time.")
                    .with_error("coverage.order", "is taken by another coverage on a day of this one")
            }
            CoverageError::Moved { patient, payer } => moved(patient, payer),
            CoverageError::NoMember => conflict(
                "member-id-missing",
                "The payer knows its members by their numbers, and this coverage has none.",
            ),
            CoverageError::Silent(problem) => problem,
            CoverageError::Kept(error) => error.into(),
        }
    }
}

fn moved(patient: bool, payer: bool) -> Problem {
    let detail = "is for ever: who insures otherwise is another coverage";
    let wrong = [("patient_id", patient), ("payer_id", payer)].into_iter().filter(|(_, is_another)| *is_another);
    Problem::invalid(
        wrong.map(|(name, _)| FieldError { pointer: format!("coverage.{name}"), detail: detail.to_owned() }).collect(),
    )
}
