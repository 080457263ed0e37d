//! How long practitioners can see patients.

use jiff::civil::Date;
use sidecar::failure::Failure;

use super::Calendar;
use crate::{
    domain::calendar::{ClinicId, PractitionerId, working_time::minutes},
    outbound::calendar::WorkingQuestion,
};

/// A practitioner's time at a clinic.
#[derive(Debug)]
pub struct WorkingTime {
    /// Who.
    pub practitioner: PractitionerId,
    /// Where.
    pub clinic: ClinicId,
    /// The minutes of each day on which there is time.
    pub days: Vec<(Date, i64)>,
}

/// A page of it.
#[derive(Debug)]
pub struct WorkingPage {
    /// In the order of the practitioners.
    pub items: Vec<WorkingTime>,
    /// The last of them, when there may be more.
    pub next: Option<PractitionerId>,
}

impl Calendar {
    /// The time of a page of practitioners, with one question to the database.
    pub async fn working_time(&self, question: &WorkingQuestion) -> Result<WorkingPage, Failure> {
        let context = self.calendars.working_context(question).await?;
        let mut items = Vec::new();
        for (id, practitioner, leave) in &context.practitioners {
            for clinic_id in practitioner.clinics() {
                let Some(clinic) = context.clinics.get(&clinic_id) else { continue };
                let days = (question.from, question.to);
                let days = minutes((clinic_id, clinic), practitioner, leave, &context.rooms, days);
                if !days.is_empty() {
                    items.push(WorkingTime { practitioner: *id, clinic: clinic_id, days });
                }
            }
        }
        Ok(WorkingPage { items, next: context.next })
    }
}
