//! Reading appointments.

use jiff::civil::Date;
use sidecar::failure::Failure;

use super::Bookings;
use crate::{
    domain::{appointment::AppointmentId, calendar::ClinicId, patient::PatientId},
    outbound::appointments::{Agenda, Page, Versioned},
};

impl Bookings {
    /// An appointment by id.
    pub async fn find(&self, id: AppointmentId) -> Result<Option<Versioned>, Failure> {
        Ok(self.appointments.get(id).await?.map(|loaded| loaded.current))
    }

    /// The versions of an appointment before `before`, newest first; none where there is no such appointment.
    pub async fn history(&self, id: AppointmentId, before: Option<u64>, limit: usize) -> Result<Page, Failure> {
        self.appointments.history(id, before, limit).await
    }

    /// A patient's appointments, newest first; none where there is no such patient.
    pub async fn of_patient(
        &self,
        patient: PatientId,
        after: Option<AppointmentId>,
        limit: usize,
    ) -> Result<Option<Page>, Failure> {
        self.appointments.of_patient(patient, after, limit).await
    }

    /// What some days of a clinic have at a practitioner or in a room, in the order of time; none where there is no such
    /// clinic.
    pub async fn of_days(
        &self,
        agenda: Agenda,
        clinic: ClinicId,
        days: (Date, Date),
        after: Option<AppointmentId>,
        limit: usize,
    ) -> Result<Option<Page>, Failure> {
        self.appointments.of_days(agenda, clinic, days, after, limit).await
    }
}
