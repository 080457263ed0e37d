//! Appointments and encounters.

use serde::Serialize;
use uuid::Uuid;

use super::{Moment, Version};

/// An appointment as it is counted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AppointmentFact {
    /// Which one.
    pub id: Uuid,
    /// Which of its events.
    pub version: Version,
    /// The clinic's zone.
    pub time_zone: String,
    /// Where.
    pub clinic_id: Uuid,
    /// With whom; nobody yet where the patient waits for whoever can.
    pub practitioner_id: Option<Uuid>,
    /// What for.
    pub service_id: Uuid,
    /// <http://hl7.org/fhir/R4/valueset-appointmentstatus.html>
    pub status: String,
    /// When it was written down.
    pub created_at: Moment,
    /// When it got its time.
    pub booked_at: Option<Moment>,
    /// That time.
    pub start_at: Option<Moment>,
    /// When it ends.
    pub end_at: Option<Moment>,
    /// When the patient came.
    pub arrived_at: Option<Moment>,
    /// When they were seen.
    pub started_at: Option<Moment>,
    /// When that was over.
    pub finished_at: Option<Moment>,
    /// Whether it was cancelled within a day of its start.
    pub cancelled_late: bool,
    /// How often it was moved.
    pub reschedules: i32,
    /// Whether the patient waits or has waited for a time.
    pub waited: bool,
}

/// An encounter as it is counted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct EncounterFact {
    /// Which one.
    pub id: Uuid,
    /// Which of its events.
    pub version: Version,
    /// The clinic's zone.
    pub time_zone: String,
    /// Whose.
    pub patient_id: Uuid,
    /// Where.
    pub clinic_id: Option<Uuid>,
    /// With whom.
    pub practitioner_id: Option<Uuid>,
    /// Whether there was no appointment.
    pub walk_in: bool,
    /// Whether it is over, and not entered in error.
    pub finished: bool,
    /// When it began.
    pub started_at: Moment,
    /// What was done.
    pub services: Vec<ServiceUnits>,
}

/// A service, and how much of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ServiceUnits {
    /// Its code.
    pub code: String,
    /// How many.
    pub units: i32,
}
