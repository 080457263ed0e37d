//! A series: appointments that were made together, and of which those that follow one can be moved or called off
//! together.

pub mod shift;
pub mod split;

use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Appointment, AppointmentId, Occurrence, Stamps, Unplaceable,
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
    /// The first that was called off or moved with all that follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_from: Option<u16>,
    /// The series that this one was split off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continues: Option<Uuid>,
    /// The series that has what followed the end of this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continued_by: Option<Uuid>,
    /// The rooms into which this series put its appointments when it was made: the database takes the turns of all of
    /// them before it puts anybody anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rooms: Vec<RoomId>,
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
    /// Whether its appointment kept its time and place when those that follow it were moved: it had been moved by
    /// itself before, or could not be moved along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
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
    /// The appointments from a number on; what was handed on to another series is of that one by now.
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

impl Appointment {
    /// The same appointment as one of another series; `moved` when it does not move with it any more.
    #[must_use]
    pub fn joined(&self, series: Occurrence, now: Timestamp) -> Self {
        Self { series: Some(series), stamps: Stamps { changed: now, ..self.stamps }, ..self.clone() }
    }
}
