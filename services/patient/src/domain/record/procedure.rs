//! What was done to a patient.
//!
//! <http://hl7.org/fhir/R4/procedure.html>

use serde::Serialize;

use super::{Resource, Terms, Violation, choice, codings};
use crate::domain::{
    coding::{Annotation, CodeableConcept},
    demographics::codes,
    moment::{Moment, Period},
};

codes! {
    /// <http://hl7.org/fhir/R4/valueset-event-status.html>
    ProcedureStatus {
        /// Being made ready.
        Preparation = "preparation",
        /// Going on.
        InProgress = "in-progress",
        /// It was not done.
        NotDone = "not-done",
        /// Going on later.
        OnHold = "on-hold",
        /// Given up.
        Stopped = "stopped",
        /// Done.
        Completed = "completed",
        /// It should not be there.
        EnteredInError = "entered-in-error",
        /// Nobody knows.
        Unknown = "unknown",
    }
}

choice! {
    /// `performed[x]`
    Performed {
        /// At once.
        DateTime(Moment) = "performedDateTime",
        /// Over a time.
        Period(Period) = "performedPeriod",
        /// In words.
        Text(String) = "performedString",
    }
}

/// A procedure.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Procedure {
    /// How far it is.
    pub status: ProcedureStatus,
    /// Why it is so.
    pub status_reason: Option<CodeableConcept>,
    /// Of which sort.
    pub category: Option<CodeableConcept>,
    /// What was done.
    pub code: CodeableConcept,
    /// When.
    #[serde(flatten)]
    pub performed: Option<Performed>,
    /// Why.
    pub reason_code: Vec<CodeableConcept>,
    /// Where on the body.
    pub body_site: Vec<CodeableConcept>,
    /// What came of it.
    pub outcome: Option<CodeableConcept>,
    /// What went wrong.
    pub complication: Vec<CodeableConcept>,
    /// What is to be done afterwards.
    pub follow_up: Vec<CodeableConcept>,
    /// What else there is to say.
    pub note: Vec<Annotation>,
}

impl Resource for Procedure {
    const KIND: &'static str = "procedure";

    fn violations(&self) -> Vec<Violation> {
        use ProcedureStatus as S;
        let may_have_reason = matches!(self.status, S::NotDone | S::OnHold | S::Stopped);
        let rule = Violation::unless(
            self.status_reason.is_none() || may_have_reason,
            "/statusReason",
            "is only for what is not-done, on-hold or stopped",
        );
        rule.into_iter().collect()
    }

    fn status(&self) -> &'static str {
        self.status.code()
    }

    fn in_error(&self) -> Self {
        Self { status: ProcedureStatus::EnteredInError, ..self.clone() }
    }

    fn terms(&self) -> Terms {
        let time = match &self.performed {
            Some(Performed::DateTime(moment)) => Some(moment.from()),
            Some(Performed::Period(period)) => period.moment(),
            Some(Performed::Text(_)) | None => None,
        };
        Terms { codes: codings([&self.code]), categories: codings(&self.category), time }
    }
}
