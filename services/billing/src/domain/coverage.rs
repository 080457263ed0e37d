//! Coverages: who insures a patient, when, in which order and on what terms; <http://hl7.org/fhir/R4/coverage.html>.

pub mod eligibility;
mod terms;

use std::num::NonZeroU8;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::terms::{Copay, Fault, PlanYear, SecondaryRule, Terms};
use super::ids::PatientId;
pub use super::ids::{CoverageId, PayerId};

/// The id of a plan of a payer.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct PlanId(pub String);

/// <http://hl7.org/fhir/R4/valueset-fm-status.html>, without the draft: a coverage is entered when it is known.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Insures the patient in its period.
    Active,
    /// Does not, or no longer.
    Cancelled,
    /// It should never have been written.
    EnteredInError,
}

/// What the patient is to the subscriber, <http://hl7.org/fhir/R4/valueset-subscriber-relationship.html>.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relationship {
    /// A child.
    Child,
    /// A parent.
    Parent,
    /// Married.
    Spouse,
    /// A partner by common law.
    Common,
    /// Anything else.
    Other,
    /// The subscriber is the patient.
    #[serde(rename = "self")]
    Oneself,
    /// Hurt by what the policy insures.
    Injured,
}

impl Relationship {
    /// Every relationship.
    pub const ALL: [Self; 7] =
        [Self::Child, Self::Parent, Self::Spouse, Self::Common, Self::Other, Self::Oneself, Self::Injured];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Parent => "parent",
            Self::Spouse => "spouse",
            Self::Common => "common",
            Self::Other => "other",
            Self::Oneself => "self",
            Self::Injured => "injured",
        }
    }

    /// Reads a code.
    pub fn parse(code: &str) -> Result<Self, &'static str> {
        let known = Self::ALL.into_iter().find(|relationship| relationship.code() == code);
        known.ok_or("must be child, parent, spouse, common, other, self or injured")
    }
}

/// Whole days, both ends among them; <http://hl7.org/fhir/R4/datatypes.html#Period>.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Period {
    /// The first day.
    pub start: Date,
    /// The last day; none while nobody knows of an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Date>,
}

impl Period {
    /// Whether a day is in it.
    pub fn holds(self, day: Date) -> bool {
        self.start <= day && self.end.is_none_or(|end| day <= end)
    }
}

/// A patient's insurance by one plan.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// Its id.
    pub id: CoverageId,
    /// Whether it counts.
    pub status: Status,
    /// The patient, FHIR's beneficiary.
    pub patient_id: PatientId,
    /// Who pays, FHIR's payor.
    pub payer_id: PayerId,
    /// The plan as its payer names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<PlanId>,
    /// The plan's name.
    pub plan: String,
    /// The member's number, FHIR's subscriberId. A claim needs it, and a card that was forgotten is entered without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_id: Option<String>,
    /// The group's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What the patient is to the subscriber.
    pub relationship: Relationship,
    /// When it insures.
    pub period: Period,
    /// The rank in the coordination of benefits: 1 pays first.
    pub order: NonZeroU8,
    /// How the plan shares costs.
    pub terms: Terms,
}

#[cfg(test)]
pub(crate) mod tests;
