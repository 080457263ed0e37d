//! What tells by events, and so can be told again.

use contracts::topic;
use sidecar::{documents::Kind as _, replay::Telling};

use super::{appointments::AppointmentData, patients::PatientData};
use crate::domain::record::{Resource as _, encounter::Encounter};

/// Documents that tell, by their kind, and the topics by which they do.
pub const TELLING: Telling = &[
    (PatientData::NAME, &[topic::PATIENT_REGISTERED, topic::PATIENT_UPDATED]),
    (AppointmentData::NAME, &[topic::APPOINTMENT_BOOKED, topic::APPOINTMENT_CHANGED]),
    (Encounter::KIND, &[topic::ENCOUNTER_FINISHED]),
];
