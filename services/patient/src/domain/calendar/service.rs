//! What patients come for.

use jiff::SignedDuration;

use super::{ClinicId, interval::Interval};
use crate::domain::coding::Coding;

/// What can be booked, <http://hl7.org/fhir/R4/healthcareservice.html>.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Service {
    /// The one clinic that offers it; without, all of them do.
    pub clinic: Option<ClinicId>,
    /// What it is called.
    pub name: String,
    /// What it is to other systems.
    pub code: Option<Coding>,
    /// Whether it can be booked.
    pub active: bool,
    /// How long the patient is there.
    pub duration_minutes: u16,
    /// What it needs before, when practitioner and room cannot be with another patient.
    pub buffer_before_minutes: u16,
    /// What it needs after.
    pub buffer_after_minutes: u16,
    /// How far apart the times are that a search offers, counted from where a piece of the hours begins.
    pub step_minutes: u16,
    /// What billing charges for it.
    pub price_code: Option<Coding>,
    /// Whether it cannot be done without a room.
    pub needs_room: bool,
    /// How long before its start it has to be booked.
    pub min_lead_minutes: u32,
    /// How many days ahead it can be booked, counted by the clinic's dates.
    pub max_lead_days: Option<u16>,
}

impl Service {
    /// When the patient is there, if they come at `start`.
    pub fn visit(&self, start: jiff::Timestamp) -> Interval {
        Interval::new(start, later(start, self.duration_minutes.into()))
    }

    /// When practitioner and room are taken, buffers included.
    pub fn busy(&self, start: jiff::Timestamp) -> Interval {
        let visit = self.visit(start);
        Interval::new(
            later(visit.start, -i64::from(self.buffer_before_minutes)),
            later(visit.end, self.buffer_after_minutes.into()),
        )
    }
}

/// Minutes later; the ends of time are not passed.
pub(super) fn later(instant: jiff::Timestamp, minutes: i64) -> jiff::Timestamp {
    instant.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(instant)
}
