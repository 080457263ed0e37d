//! The codes of an appointment, FHIR R4.

use serde::{Deserialize, Serialize};

/// Where an appointment is in its life, <http://hl7.org/fhir/R4/valueset-appointmentstatus.html>.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Somebody would like this time if it becomes free.
    Waitlist,
    /// Somebody asked for it, and nobody has answered.
    Proposed,
    /// The time is kept until the practitioner has agreed.
    Pending,
    /// It is going to take place.
    Booked,
    /// The patient is here and waits.
    Arrived,
    /// All that comes before the encounter is done.
    CheckedIn,
    /// It took place.
    Fulfilled,
    /// The patient did not come.
    #[serde(rename = "noshow")]
    NoShow,
    /// It was called off.
    Cancelled,
    /// It should never have been written.
    EnteredInError,
}

impl Status {
    /// Every status, in the order of a life.
    pub const ALL: [Self; 10] = [
        Self::Waitlist,
        Self::Proposed,
        Self::Pending,
        Self::Booked,
        Self::Arrived,
        Self::CheckedIn,
        Self::Fulfilled,
        Self::NoShow,
        Self::Cancelled,
        Self::EnteredInError,
    ];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Waitlist => "waitlist",
            Self::Proposed => "proposed",
            Self::Pending => "pending",
            Self::Booked => "booked",
            Self::Arrived => "arrived",
            Self::CheckedIn => "checked-in",
            Self::Fulfilled => "fulfilled",
            Self::NoShow => "noshow",
            Self::Cancelled => "cancelled",
            Self::EnteredInError => "entered-in-error",
        }
    }

    /// Whether it takes the time of anybody; the projection asks the same.
    pub const fn takes_time(self) -> bool {
        matches!(self, Self::Pending | Self::Booked | Self::Arrived | Self::CheckedIn | Self::Fulfilled)
    }
}

/// Why it was called off, <http://hl7.org/fhir/R4/valueset-appointment-cancellation-reason.html>.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CancellationReason {
    /// The patient cannot or does not want to come.
    #[serde(rename = "pat")]
    Patient,
    /// The practitioner cannot.
    #[serde(rename = "prov")]
    Practitioner,
    /// Something needed is out of order.
    #[serde(rename = "maint")]
    Maintenance,
    /// Medication has to be prepared or waited for.
    MedsInc,
    /// Anything else.
    Other,
}

impl CancellationReason {
    const ALL: [Self; 5] = [Self::Patient, Self::Practitioner, Self::Maintenance, Self::MedsInc, Self::Other];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Patient => "pat",
            Self::Practitioner => "prov",
            Self::Maintenance => "maint",
            Self::MedsInc => "meds-inc",
            Self::Other => "other",
        }
    }

    /// Reads a code.
    pub fn parse(code: &str) -> Result<Self, &'static str> {
        let known = Self::ALL.into_iter().find(|reason| reason.code() == code);
        known.ok_or("must be pat, prov, maint, meds-inc or other")
    }
}
