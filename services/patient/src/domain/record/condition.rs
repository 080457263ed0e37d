//! What a patient suffers from.
//!
//! <http://hl7.org/fhir/R4/condition.html>

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::{Resource, Terms, Violation, choice, codings, instant};
use crate::domain::{
    coding::{Annotation, CodeableConcept, Coding},
    demographics::codes,
    moment::{Moment, Period},
};

codes! {
    /// <http://hl7.org/fhir/R4/valueset-condition-clinical.html>
    ClinicalStatus {
        /// There are signs of it.
        Active = "active",
        /// It has come again.
        Recurrence = "recurrence",
        /// It has come again after it was better.
        Relapse = "relapse",
        /// There are no signs any more.
        Inactive = "inactive",
        /// It may come again.
        Remission = "remission",
        /// It is over.
        Resolved = "resolved",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-condition-ver-status.html>
    ConditionVerification {
        /// There is not enough evidence.
        Unconfirmed = "unconfirmed",
        /// Worked with until more is known.
        Provisional = "provisional",
        /// One of several that it may be.
        Differential = "differential",
        /// There is enough evidence.
        Confirmed = "confirmed",
        /// It is not that.
        Refuted = "refuted",
        /// It should not be there.
        EnteredInError = "entered-in-error",
    }
}

choice! {
    /// `onset[x]`
    Onset {
        /// At once.
        DateTime(Moment) = "onsetDateTime",
        /// Over a time.
        Period(Period) = "onsetPeriod",
        /// In words.
        Text(String) = "onsetString",
    }
}

choice! {
    /// `abatement[x]`
    Abatement {
        /// At once.
        DateTime(Moment) = "abatementDateTime",
        /// Over a time.
        Period(Period) = "abatementPeriod",
        /// In words.
        Text(String) = "abatementString",
    }
}

/// A problem or a diagnosis.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// How it stands.
    #[serde(serialize_with = "clinical")]
    pub clinical_status: Option<ClinicalStatus>,
    /// How certain it is.
    #[serde(serialize_with = "verification")]
    pub verification_status: Option<ConditionVerification>,
    /// An item of the problem list, or the diagnosis of an encounter.
    pub category: Vec<CodeableConcept>,
    /// How bad it is.
    pub severity: Option<CodeableConcept>,
    /// What it is.
    pub code: CodeableConcept,
    /// Where on the body.
    pub body_site: Vec<CodeableConcept>,
    /// When it began.
    #[serde(flatten)]
    pub onset: Option<Onset>,
    /// When it ended.
    #[serde(flatten)]
    pub abatement: Option<Abatement>,
    /// What else there is to say.
    pub note: Vec<Annotation>,
}

/// <http://hl7.org/fhir/R4/valueset-condition-category.html>
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";

impl Condition {
    fn is_on_problem_list(&self) -> bool {
        let is_item = |coding: &Coding| coding.system == CATEGORY && coding.code == "problem-list-item";
        self.category.iter().flat_map(|category| &category.coding).any(is_item)
    }
}

/// The system of [`ClinicalStatus`].
pub const CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
/// The system of [`ConditionVerification`].
pub const VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn clinical<S: Serializer>(status: &Option<ClinicalStatus>, serializer: S) -> Result<S::Ok, S::Error> {
    status.map(|status| CodeableConcept::of(CLINICAL, status.code())).serialize(serializer)
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn verification<S: Serializer>(status: &Option<ConditionVerification>, serializer: S) -> Result<S::Ok, S::Error> {
    status.map(|status| CodeableConcept::of(VERIFICATION, status.code())).serialize(serializer)
}

impl Resource for Condition {
    const KIND: &'static str = "condition";
    const STATUS: &'static str = "/verificationStatus";

    fn violations(&self) -> Vec<Violation> {
        use ClinicalStatus as C;
        let in_error = self.is_in_error();
        let over = matches!(self.clinical_status, Some(C::Inactive | C::Resolved | C::Remission));
        let rules = [
            Violation::unless(
                self.clinical_status.is_some() || in_error || !self.is_on_problem_list(),
                "/clinicalStatus",
                "is required of an item of the problem list (con-3)",
            ),
            Violation::unless(
                self.abatement.is_none() || over || in_error,
                "/clinicalStatus",
                "of what has abated must be inactive, remission or resolved (con-4)",
            ),
            Violation::unless(
                self.clinical_status.is_none() || !in_error,
                "/clinicalStatus",
                "must be left out of what was entered in error (con-5)",
            ),
        ];
        rules.into_iter().flatten().collect()
    }

    fn status(&self) -> &'static str {
        match (self.verification_status, self.clinical_status) {
            (Some(ConditionVerification::EnteredInError), _) => ConditionVerification::EnteredInError.code(),
            (_, Some(status)) => status.code(),
            _ => "unknown",
        }
    }

    /// `con-5` takes the clinical status away, which the version before keeps.
    fn in_error(&self) -> Self {
        let verification_status = Some(ConditionVerification::EnteredInError);
        Self { clinical_status: None, verification_status, ..self.clone() }
    }

    fn terms(&self) -> Terms {
        Terms { codes: codings([&self.code]), categories: codings(&self.category), time: self.onset_time() }
    }
}

impl Condition {
    fn onset_time(&self) -> Option<Timestamp> {
        match &self.onset {
            Some(Onset::DateTime(moment)) => instant(Some(moment)),
            Some(Onset::Period(period)) => period.moment(),
            Some(Onset::Text(_)) | None => None,
        }
    }
}
