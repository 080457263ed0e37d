//! What a patient must not be given.
//!
//! <http://hl7.org/fhir/R4/allergyintolerance.html>

use serde::{Serialize, Serializer};

use super::{Resource, Terms, Violation, codings, instant};
use crate::domain::{
    coding::{Annotation, CodeableConcept, Coding},
    demographics::codes,
    moment::Moment,
};

codes! {
    /// <http://hl7.org/fhir/R4/valueset-allergyintolerance-clinical.html>
    AllergyStatus {
        /// The patient may react.
        Active = "active",
        /// The patient does not react at present.
        Inactive = "inactive",
        /// It is over.
        Resolved = "resolved",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-allergyintolerance-verification.html>
    AllergyVerification {
        /// There is not enough evidence.
        Unconfirmed = "unconfirmed",
        /// There is enough evidence.
        Confirmed = "confirmed",
        /// It is not that.
        Refuted = "refuted",
        /// It should not be there.
        EnteredInError = "entered-in-error",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-allergy-intolerance-type.html>
    AllergyType {
        /// Of the immune system.
        Allergy = "allergy",
        /// Of another sort.
        Intolerance = "intolerance",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-allergy-intolerance-category.html>
    AllergyCategory {
        /// What one eats.
        Food = "food",
        /// What one takes.
        Medication = "medication",
        /// What is around.
        Environment = "environment",
        /// What is made of living things.
        Biologic = "biologic",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-allergy-intolerance-criticality.html>
    Criticality {
        /// Not expected to be life-threatening.
        Low = "low",
        /// May be life-threatening.
        High = "high",
        /// Nobody can tell.
        UnableToAssess = "unable-to-assess",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-reaction-event-severity.html>
    ReactionSeverity {
        /// Little.
        Mild = "mild",
        /// Something.
        Moderate = "moderate",
        /// Much.
        Severe = "severe",
    }
}

/// What happened when the patient met it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reaction {
    /// To what exactly.
    pub substance: Option<CodeableConcept>,
    /// How it showed.
    pub manifestation: Vec<CodeableConcept>,
    /// In words.
    pub description: Option<String>,
    /// When it began.
    pub onset: Option<Moment>,
    /// How bad it was.
    pub severity: Option<ReactionSeverity>,
    /// By which way the patient met it.
    pub exposure_route: Option<CodeableConcept>,
}

/// An allergy or an intolerance.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AllergyIntolerance {
    /// How it stands.
    #[serde(serialize_with = "clinical")]
    pub clinical_status: Option<AllergyStatus>,
    /// How certain it is.
    #[serde(serialize_with = "verification")]
    pub verification_status: Option<AllergyVerification>,
    /// Of what sort.
    pub r#type: Option<AllergyType>,
    /// To what sort of things.
    pub category: Vec<AllergyCategory>,
    /// How dangerous it may be.
    pub criticality: Option<Criticality>,
    /// To what.
    pub code: CodeableConcept,
    /// Since when.
    pub onset_date_time: Option<Moment>,
    /// When the patient reacted last.
    pub last_occurrence: Option<Moment>,
    /// What happened.
    pub reaction: Vec<Reaction>,
    /// What else there is to say.
    pub note: Vec<Annotation>,
}

/// The system of [`AllergyStatus`].
pub const CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
/// The system of [`AllergyVerification`].
pub const VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification";

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn clinical<S: Serializer>(status: &Option<AllergyStatus>, serializer: S) -> Result<S::Ok, S::Error> {
    status.map(|status| CodeableConcept::of(CLINICAL, status.code())).serialize(serializer)
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn verification<S: Serializer>(status: &Option<AllergyVerification>, serializer: S) -> Result<S::Ok, S::Error> {
    status.map(|status| CodeableConcept::of(VERIFICATION, status.code())).serialize(serializer)
}

impl Resource for AllergyIntolerance {
    const KIND: &'static str = "allergy-intolerance";
    const STATUS: &'static str = "/verificationStatus";

    fn violations(&self) -> Vec<Violation> {
        let in_error = self.is_in_error();
        let rules = [
            Violation::unless(
                self.clinical_status.is_some() || in_error,
                "/clinicalStatus",
                "is required unless it was entered in error (ait-1)",
            ),
            Violation::unless(
                self.clinical_status.is_none() || !in_error,
                "/clinicalStatus",
                "must be left out of what was entered in error (ait-2)",
            ),
        ];
        let manifested = self.reaction.iter().enumerate().filter_map(|(index, reaction)| {
            let pointer = format!("/reaction/{index}/manifestation");
            Violation::unless(!reaction.manifestation.is_empty(), pointer, "is required")
        });
        rules.into_iter().flatten().chain(manifested).collect()
    }

    fn status(&self) -> &'static str {
        match (self.verification_status, self.clinical_status) {
            (Some(AllergyVerification::EnteredInError), _) => AllergyVerification::EnteredInError.code(),
            (_, Some(status)) => status.code(),
            _ => "unknown",
        }
    }

    /// `ait-2` takes the clinical status away, which the version before keeps.
    fn in_error(&self) -> Self {
        let verification_status = Some(AllergyVerification::EnteredInError);
        Self { clinical_status: None, verification_status, ..self.clone() }
    }

    fn terms(&self) -> Terms {
        let category = |category: &AllergyCategory| Coding {
            system: "http://hl7.org/fhir/allergy-intolerance-category".to_owned(),
            version: None,
            code: category.code().to_owned(),
            display: None,
        };
        let categories = self.category.iter().map(category).collect();
        Terms { codes: codings([&self.code]), categories, time: instant(self.onset_date_time.as_ref()) }
    }
}
