//! A series: appointments that were made together, and of which those that follow one can be called off together.

use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

use super::{
    AppointmentId, Unplaceable,
    recurrence::{Occasion, Rule},
};
use crate::domain::{
    calendar::{ClinicId, PractitionerId, RoomId, ServiceId},
    patient::PatientId,
};

/// A series.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// Who comes.
    pub patient_id: PatientId,
    /// Who sees them.
    pub practitioner_id: PractitionerId,
    /// Where, if it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_id: Option<RoomId>,
    /// What for.
    pub service_id: ServiceId,
    /// At which clinic.
    pub clinic_id: ClinicId,
    /// The clinic's zone.
    pub time_zone: String,
    /// What the clinic's clock shows when the first would begin.
    pub beginning: DateTime,
    /// How often.
    pub rule: Rule,
    /// Its times.
    pub occurrences: Vec<Planned>,
    /// The first that was called off with all that follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_from: Option<u16>,
    /// When it was made.
    pub created: Timestamp,
    /// When this version was made.
    pub changed: Timestamp,
}

/// One time of a series.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// Counts from 1.
    pub number: u16,
    /// When it was to be.
    pub start: Timestamp,
    /// Its appointment; none when it was left out, since it could not be booked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment_id: Option<AppointmentId>,
}

/// A time of a series that cannot be booked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Conflict {
    /// Which.
    pub occasion: Occasion,
    /// Why.
    pub why: Unplaceable,
}

impl Series {
    /// The appointments from a number on.
    pub fn from(&self, number: u16) -> impl Iterator<Item = AppointmentId> {
        let following = self.occurrences.iter().filter(move |planned| planned.number >= number);
        following.filter_map(|planned| planned.appointment_id)
    }

    /// The series without those that follow a number, and that one.
    #[must_use]
    pub fn ended(&self, from: u16, now: Timestamp) -> Self {
        let ended_from = self.ended_from.map_or(from, |earlier| earlier.min(from));
        Self { ended_from: Some(ended_from), changed: now, ..self.clone() }
    }
}
