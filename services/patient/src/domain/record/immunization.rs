//! What a patient was vaccinated against.
//!
//! <http://hl7.org/fhir/R4/immunization.html>

use serde::Serialize;

use super::{Resource, Terms, Violation, choice, codings};
use crate::domain::{
    coding::{Annotation, CodeableConcept},
    demographics::codes,
    moment::Moment,
    quantity::Quantity,
};

codes! {
    /// <http://hl7.org/fhir/R4/valueset-immunization-status.html>
    ImmunizationStatus {
        /// Given.
        Completed = "completed",
        /// It should not be there.
        EnteredInError = "entered-in-error",
        /// It was not given.
        NotDone = "not-done",
    }
}

choice! {
    /// `occurrence[x]`
    Occurrence {
        /// At once.
        DateTime(Moment) = "occurrenceDateTime",
        /// In words.
        Text(String) = "occurrenceString",
    }
}

/// What the patient was told about it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Education {
    /// What sort of paper.
    pub document_type: Option<String>,
    /// Where it stands.
    pub reference: Option<String>,
    /// When it came out.
    pub publication_date: Option<Moment>,
    /// When it was handed over.
    pub presentation_date: Option<Moment>,
}

/// Which dose of which series it is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Protocol {
    /// The name of the series.
    pub series: Option<String>,
    /// Against what.
    pub target_disease: Vec<CodeableConcept>,
    /// The number of the dose.
    pub dose_number_positive_int: u32,
    /// How many there are.
    pub series_doses_positive_int: Option<u32>,
}

/// An immunization.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Immunization {
    /// Whether it was given.
    pub status: ImmunizationStatus,
    /// Why not.
    pub status_reason: Option<CodeableConcept>,
    /// What.
    pub vaccine_code: CodeableConcept,
    /// When.
    #[serde(flatten)]
    pub occurrence: Occurrence,
    /// Whether who recorded it gave it.
    pub primary_source: Option<bool>,
    /// Of which batch.
    pub lot_number: Option<String>,
    /// How long that batch was good.
    pub expiration_date: Option<Moment>,
    /// Where on the body.
    pub site: Option<CodeableConcept>,
    /// How.
    pub route: Option<CodeableConcept>,
    /// How much.
    pub dose_quantity: Option<Quantity>,
    /// Why.
    pub reason_code: Vec<CodeableConcept>,
    /// What the patient was told.
    pub education: Vec<Education>,
    /// Which dose it is.
    pub protocol_applied: Vec<Protocol>,
    /// What else there is to say.
    pub note: Vec<Annotation>,
}

impl Resource for Immunization {
    const KIND: &'static str = "immunization";

    fn violations(&self) -> Vec<Violation> {
        let told = self.education.iter().enumerate().filter_map(|(index, education)| {
            Violation::unless(
                education.document_type.is_some() || education.reference.is_some(),
                format!("/education/{index}"),
                "needs documentType or reference (imm-1)",
            )
        });
        told.collect()
    }

    fn status(&self) -> &'static str {
        self.status.code()
    }

    fn in_error(&self) -> Self {
        Self { status: ImmunizationStatus::EnteredInError, ..self.clone() }
    }

    fn terms(&self) -> Terms {
        let time = match &self.occurrence {
            Occurrence::DateTime(moment) => Some(moment.from()),
            Occurrence::Text(_) => None,
        };
        Terms { codes: codings([&self.vaccine_code]), categories: Vec::new(), time }
    }
}
