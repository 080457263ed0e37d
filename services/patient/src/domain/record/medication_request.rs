//! What a patient is to take.
//!
//! <http://hl7.org/fhir/R4/medicationrequest.html>

use serde::Serialize;

use super::{Resource, Terms, Violation, codings, instant};
use crate::domain::{
    coding::{Annotation, CodeableConcept},
    demographics::codes,
    moment::{Moment, Period},
    quantity::{Decimal, Quantity},
};

codes! {
    /// <http://hl7.org/fhir/R4/valueset-medicationrequest-status.html>
    MedicationRequestStatus {
        /// To be taken.
        Active = "active",
        /// Not at present.
        OnHold = "on-hold",
        /// Taken back before it was taken.
        Cancelled = "cancelled",
        /// Taken.
        Completed = "completed",
        /// It should not be there.
        EnteredInError = "entered-in-error",
        /// Not to be taken any more.
        Stopped = "stopped",
        /// Not decided yet.
        Draft = "draft",
        /// Nobody knows.
        Unknown = "unknown",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-medicationrequest-intent.html>
    MedicationRequestIntent {
        /// Suggested.
        Proposal = "proposal",
        /// Meant.
        Plan = "plan",
        /// Ordered.
        Order = "order",
        /// Ordered first.
        OriginalOrder = "original-order",
        /// Ordered because of another order.
        ReflexOrder = "reflex-order",
        /// Ordered on behalf of another order.
        FillerOrder = "filler-order",
        /// One dose of an order.
        InstanceOrder = "instance-order",
        /// One of several.
        Choice = "option",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-request-priority.html>
    Priority {
        /// As usual.
        Routine = "routine",
        /// Before others.
        Urgent = "urgent",
        /// As soon as possible.
        Asap = "asap",
        /// At once.
        Stat = "stat",
    }
}

codes! {
    /// <http://hl7.org/fhir/R4/valueset-units-of-time.html>
    UnitOfTime {
        /// Seconds.
        Second = "s",
        /// Minutes.
        Minute = "min",
        /// Hours.
        Hour = "h",
        /// Days.
        Day = "d",
        /// Weeks.
        Week = "wk",
        /// Months.
        Month = "mo",
        /// Years.
        Year = "a",
    }
}

/// How often.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repeat {
    /// From when to when.
    pub bounds_period: Option<Period>,
    /// How many times in a period.
    pub frequency: Option<u32>,
    /// How long a period is.
    pub period: Option<Decimal>,
    /// In what.
    pub period_unit: Option<UnitOfTime>,
}

/// How to take it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dosage {
    /// In words.
    pub text: Option<String>,
    /// In words for the patient.
    pub patient_instruction: Option<String>,
    /// How often.
    pub timing: Option<Timing>,
    /// Whether only when it is needed.
    pub as_needed_boolean: Option<bool>,
    /// Where on the body.
    pub site: Option<CodeableConcept>,
    /// Which way.
    pub route: Option<CodeableConcept>,
    /// How.
    pub method: Option<CodeableConcept>,
    /// How much.
    pub dose_and_rate: Vec<Dose>,
}

/// <http://hl7.org/fhir/R4/datatypes.html#Timing>
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// In numbers.
    pub repeat: Option<Repeat>,
    /// By a code, such as BID.
    pub code: Option<CodeableConcept>,
}

/// How much at a time.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dose {
    /// The amount.
    pub dose_quantity: Quantity,
}

/// What the pharmacy is to hand out.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DispenseRequest {
    /// From when to when.
    pub validity_period: Option<Period>,
    /// How often again.
    pub number_of_repeats_allowed: Option<u32>,
    /// How much at a time.
    pub quantity: Option<Quantity>,
    /// How long that lasts.
    pub expected_supply_duration: Option<Quantity>,
}

/// A medication request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MedicationRequest {
    /// How far it is.
    pub status: MedicationRequestStatus,
    /// Why it is so.
    pub status_reason: Option<CodeableConcept>,
    /// How firm it is.
    pub intent: MedicationRequestIntent,
    /// Where it is to be taken.
    pub category: Vec<CodeableConcept>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// Whether the patient must not take it.
    pub do_not_perform: Option<bool>,
    /// What.
    pub medication_codeable_concept: CodeableConcept,
    /// Since when.
    pub authored_on: Option<Moment>,
    /// Why.
    pub reason_code: Vec<CodeableConcept>,
    /// How to take it.
    pub dosage_instruction: Vec<Dosage>,
    /// What the pharmacy is to hand out.
    pub dispense_request: Option<DispenseRequest>,
    /// What else there is to say.
    pub note: Vec<Annotation>,
}

impl Resource for MedicationRequest {
    const KIND: &'static str = "medication-request";

    fn violations(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (index, dosage) in self.dosage_instruction.iter().enumerate() {
            let Some(repeat) = dosage.timing.as_ref().and_then(|timing| timing.repeat.as_ref()) else { continue };
            let place = format!("/dosageInstruction/{index}/timing/repeat");
            violations.extend(Violation::unless(
                repeat.period.is_none() || repeat.period_unit.is_some(),
                format!("{place}/periodUnit"),
                "is required where there is a period (tim-2)",
            ));
            violations.extend(Violation::unless(
                repeat.period.as_ref().is_none_or(|period| !period.as_str().starts_with('-')),
                format!("{place}/period"),
                "must not be negative (tim-5)",
            ));
        }
        violations
    }

    fn status(&self) -> &'static str {
        self.status.code()
    }

    fn in_error(&self) -> Self {
        Self { status: MedicationRequestStatus::EnteredInError, ..self.clone() }
    }

    fn terms(&self) -> Terms {
        let time = instant(self.authored_on.as_ref());
        Terms { codes: codings([&self.medication_codeable_concept]), categories: codings(&self.category), time }
    }
}
