//! Appointments: who is seen by whom, when, where and for what, and everything that happens to it.

mod placement;
pub mod recurrence;
pub mod reminder;
pub mod series;
mod situation;
mod stamps;
mod status;
pub mod transitions;
pub mod waiting;
mod when;

use std::fmt;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::{
    placement::{Capacity, Overlap, Place, Resource, Taken, lane, overlaps},
    situation::{Situation, Unplaceable, Wish},
    stamps::Stamps,
    status::{CancellationReason, Status},
    when::When,
};
use self::{
    transitions::{Action, Guard, transition},
    waiting::Waiting,
};
use super::{
    calendar::{ClinicId, ServiceId, interval::Interval},
    patient::PatientId,
    record::RecordId,
};

/// Nobody is missing before this has passed since the start.
const GRACE: SignedDuration = SignedDuration::from_mins(15);
/// Who calls off later than this before the start calls off late.
const EARLY_ENOUGH: SignedDuration = SignedDuration::from_hours(24);
/// Who comes this close to the start comes on the day, whatever the calendar says.
const DAY_TOLERANCE: SignedDuration = SignedDuration::from_hours(4);

/// The id of an appointment: UUIDv5 of the request that made it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct AppointmentId(Uuid);

impl AppointmentId {
    /// The appointment of this id.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The id for those who know no appointments.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }

    /// The id of the encounter that it comes to.
    pub fn encounter(self) -> RecordId {
        RecordId::new(Uuid::new_v5(&self.0, b"encounter"))
    }
}

impl fmt::Display for AppointmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An appointment.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Appointment {
    /// Where it is in its life.
    pub status: Status,
    /// Who comes.
    pub patient_id: PatientId,
    /// What for.
    pub service_id: ServiceId,
    /// At which clinic.
    pub clinic_id: ClinicId,
    /// The clinic's zone, an IANA name.
    pub time_zone: String,
    /// When, where and at whom; none as long as the patient waits for that.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// What the patient would take or would have taken, if they wait or have waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// The series that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<Occurrence>,
    /// How often it was moved.
    pub reschedules: u32,
    /// When everything happened.
    pub stamps: Stamps,
    /// Why it was called off, and whether that was late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<Cancellation>,
    /// Why the patient did not come. FHIR has no place for it: a cancellation reason is for what was cancelled (app-4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_show_reason: Option<String>,
    /// Why it was corrected, or should never have been written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correction_reason: Option<String>,
}

/// A deliberate overbooking.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Overbooking {
    /// Why.
    pub reason: String,
    /// How many there may be, as declared when it was decided.
    pub capacity: Capacity,
}

/// Which one of a series.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Occurrence {
    /// The series.
    pub id: Uuid,
    /// Counts from 1.
    pub number: u32,
    /// Whether it was moved by itself, and so stays when the series is.
    pub moved: bool,
}

/// How it was called off.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cancellation {
    /// Why.
    pub reason: CancellationReason,
    /// Whether it was too late for somebody else to come.
    pub late: bool,
}

/// Where an appointment is, as the guard found it free.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Placement {
    /// The place.
    #[serde(flatten)]
    pub place: Place,
    /// 0, or what a deliberate overbooking took.
    pub lane: u16,
    /// Who else may be there at the same time, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overbooking: Option<Overbooking>,
}

/// Whose appointment it is and what for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subject {
    /// Who comes.
    pub patient: PatientId,
    /// What for.
    pub service: ServiceId,
    /// At which clinic.
    pub clinic: ClinicId,
    /// The clinic's zone.
    pub time_zone: String,
}

/// What is to happen to an appointment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// It is fixed, where it was asked for or elsewhere.
    Book(Placement),
    /// It is moved.
    Reschedule(Placement),
    /// The patient will come.
    Confirm,
    /// The patient is here.
    Arrive,
    /// The encounter may begin.
    CheckIn,
    /// The encounter has begun.
    Start,
    /// The encounter is over.
    Finish,
    /// It is called off.
    Cancel(CancellationReason),
    /// The patient did not come.
    NoShow(Option<String>),
    /// The patient did not fail to come, or did come.
    Correct {
        /// Whether they are here.
        arrived: bool,
        /// Why it is known better now.
        reason: String,
    },
    /// It should never have been written.
    EnterInError {
        /// Why.
        reason: String,
    },
}

impl Change {
    /// The action in the table.
    pub const fn action(&self) -> Action {
        match self {
            Self::Book(_) => Action::Book,
            Self::Reschedule(_) => Action::Reschedule,
            Self::Confirm => Action::Confirm,
            Self::Arrive => Action::Arrive,
            Self::CheckIn => Action::CheckIn,
            Self::Start => Action::Start,
            Self::Finish => Action::Finish,
            Self::Cancel(_) => Action::Cancel,
            Self::NoShow(_) => Action::NoShow,
            Self::Correct { arrived: false, .. } => Action::CorrectToBooked,
            Self::Correct { arrived: true, .. } => Action::CorrectToArrived,
            Self::EnterInError { .. } => Action::EnterInError,
        }
    }
}

/// Why nothing happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The table has no row for it.
    #[error("an appointment that is {} cannot {}", from.code(), action.name())]
    NotAllowed {
        /// What it is.
        from: Status,
        /// What was wanted.
        action: Action,
    },
    /// The table has, and something else is not so.
    #[error("not now: {}", .0.words())]
    Guarded(Guard),
}

impl Appointment {
    /// A new appointment, made by one of the actions that begin one at a place.
    pub fn new(
        subject: Subject,
        placement: Placement,
        action: Action,
        series: Option<Occurrence>,
        now: Timestamp,
    ) -> Option<Self> {
        let row = transition(None, action)?;
        let booked = (row.to == Status::Booked).then_some(now);
        Some(Self { placement: Some(placement), series, ..Self::begun(subject, row.to, now, booked) })
    }

    /// Somebody who waits for a time.
    pub fn waiting(subject: Subject, waiting: Waiting, now: Timestamp) -> Self {
        Self { waiting: Some(waiting), ..Self::begun(subject, Status::Waitlist, now, None) }
    }

    fn begun(subject: Subject, status: Status, now: Timestamp, booked: Option<Timestamp>) -> Self {
        Self {
            status,
            patient_id: subject.patient,
            service_id: subject.service,
            clinic_id: subject.clinic,
            time_zone: subject.time_zone,
            placement: None,
            waiting: None,
            series: None,
            reschedules: 0,
            stamps: Stamps { created: now, changed: now, booked, ..Stamps::default() },
            cancellation: None,
            no_show_reason: None,
            correction_reason: None,
        }
    }

    /// Where it is; nowhere while the patient waits for a time.
    pub fn place(&self) -> Option<Place> {
        self.placement.as_ref().map(|placement| placement.place)
    }

    /// When the patient is to be here.
    pub fn time(&self) -> Option<Interval> {
        self.place().map(|place| place.time)
    }

    /// The place that was taken before and is to have somewhere in it that is free now.
    pub fn frees(&self, next: &Self, now: Timestamp) -> Option<Place> {
        let place = self.place().filter(|place| self.status.takes_time() && place.time.start > now)?;
        let stays = next.status.takes_time() && next.place().is_some_and(|next| next.excludes(&place));
        (!stays).then_some(place)
    }

    /// Whether the table and the guards that need no one else allow an action now.
    ///
    /// Whether the place is free is no question of one appointment: who has a [`Placement`] has asked.
    pub fn may(&self, action: Action, now: Timestamp) -> Result<Status, Refusal> {
        let row = transition(Some(self.status), action).ok_or(Refusal::NotAllowed { from: self.status, action })?;
        let unmet = row.guards.iter().find(|guard| match guard {
            Guard::Free | Guard::StillFree | Guard::Reason => false,
            Guard::SameDay => !self.is_on_its_day(now),
            Guard::Overdue => self.time().is_none_or(|time| now < time.start + GRACE),
            Guard::NotStarted => self.stamps.started.is_some(),
            Guard::Started => self.stamps.started.is_none(),
        });
        unmet.map_or(Ok(row.to), |guard| Err(Refusal::Guarded(*guard)))
    }

    /// What it is after a change.
    pub fn change(&self, change: Change, now: Timestamp) -> Result<Self, Refusal> {
        let status = self.may(change.action(), now)?;
        let stamps = Stamps { changed: now, ..self.stamps };
        let mut next = Self { status, stamps, ..self.clone() };
        let stamps = &mut next.stamps;
        match change {
            Change::Book(placement) => {
                stamps.booked = Some(now);
                next.placement = Some(placement);
            }
            Change::Reschedule(placement) => {
                stamps.rescheduled = Some(now);
                // Who said that they come said it of another time.
                stamps.confirmed = None;
                next.reschedules += 1;
                if let Some(series) = &mut next.series {
                    series.moved = true;
                }
                next.placement = Some(placement);
            }
            Change::Confirm => stamps.confirmed = Some(now),
            Change::Arrive => stamps.arrived = Some(now),
            Change::CheckIn => stamps.checked_in = Some(now),
            Change::Start => stamps.started = Some(now),
            Change::Finish => stamps.finished = Some(now),
            Change::Cancel(reason) => {
                stamps.cancelled = Some(now);
                let late = |time: Interval| self.status.takes_time() && now > time.start - EARLY_ENOUGH;
                let late = self.time().is_some_and(late);
                next.cancellation = Some(Cancellation { reason, late });
            }
            Change::NoShow(reason) => {
                stamps.no_show = Some(now);
                next.no_show_reason = reason;
            }
            Change::Correct { arrived, reason } => {
                stamps.corrected = Some(now);
                stamps.arrived = arrived.then_some(now);
                next.correction_reason = Some(reason);
            }
            Change::EnterInError { reason } => {
                stamps.corrected = Some(now);
                next.correction_reason = Some(reason);
            }
        }
        Ok(next)
    }

    fn is_on_its_day(&self, now: Timestamp) -> bool {
        let Some(Interval { start, .. }) = self.time() else { return false };
        let day = |zone: TimeZone, at: Timestamp| zone.to_datetime(at).date();
        let same = TimeZone::get(&self.time_zone).is_ok_and(|zone| day(zone.clone(), now) == day(zone, start));
        same || now.duration_since(start).abs() <= DAY_TOLERANCE
    }
}

#[cfg(test)]
mod tests;
