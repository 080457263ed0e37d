//! What somebody wrote down, in the words of FHIR's `Composition`.
//!
//! <http://hl7.org/fhir/R4/composition.html>

use jiff::Timestamp;
use serde::Serialize;

use super::{AmendmentKind, Resource, Terms, Violation, codings, instant};
use crate::domain::{coding::CodeableConcept, demographics::codes, moment::Moment};

codes! {
    /// <http://hl7.org/fhir/R4/valueset-composition-status.html>
    NoteStatus {
        /// A draft.
        Preliminary = "preliminary",
        /// Complete.
        Final = "final",
        /// It was changed since it was final.
        Amended = "amended",
        /// It should not be there.
        EnteredInError = "entered-in-error",
    }
}

/// A note.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// How far it is.
    pub status: NoteStatus,
    /// Of which sort, as a rule by LOINC.
    pub r#type: CodeableConcept,
    /// Of which sort, more roughly.
    pub category: Vec<CodeableConcept>,
    /// What it is about.
    pub title: Option<String>,
    /// When it was written.
    pub date: Option<Moment>,
    /// What it says.
    pub text: String,
}

impl Resource for Note {
    const KIND: &'static str = "note";

    fn violations(&self) -> Vec<Violation> {
        Vec::new()
    }

    fn status(&self) -> &'static str {
        self.status.code()
    }

    fn in_error(&self) -> Self {
        Self { status: NoteStatus::EnteredInError, ..self.clone() }
    }

    fn terms(&self) -> Terms {
        let time = instant(self.date.as_ref());
        Terms { codes: codings([&self.r#type]), categories: codings(&self.category), time }
    }

    /// What was final says that it is no longer what it was; `Composition` has one word for both kinds.
    fn revised(&self, wanted: Self, amendment: Option<AmendmentKind>, _now: Timestamp) -> Result<Self, Vec<Violation>> {
        if amendment.is_none() {
            return Err(vec![Violation::at("/amendment", "is required")]);
        }
        if self.status == NoteStatus::Preliminary {
            let fine = wanted.status != NoteStatus::Amended;
            let violation = Violation::unless(fine, "/status", "was not final, so it cannot be amended yet");
            return violation.map_or(Ok(wanted), |violation| Err(vec![violation]));
        }
        if wanted.status != self.status {
            return Err(vec![Violation::at("/status", "follows from the kind of the amendment once it was final")]);
        }
        Ok(Self { status: NoteStatus::Amended, ..wanted })
    }
}
