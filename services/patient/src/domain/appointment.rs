//! Appointments: who is seen by whom, when, where and for what, and everything that happens to it.

mod placement;
pub mod recurrence;
pub mod series;
mod situation;
mod status;
pub mod transitions;
mod when;

use std::fmt;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::transitions::{Action, Guard, transition};
pub use self::{
    placement::{Capacity, Overlap, Place, Resource, Taken, lane, overlaps},
    situation::{Situation, Unplaceable, Wish},
    status::{CancellationReason, Status},
    when::When,
};
use super::{
    calendar::{ClinicId, PractitionerId, RoomId, ServiceId, interval::Interval},
    patient::PatientId,
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
    /// Who sees them.
    pub practitioner_id: PractitionerId,
    /// Where, if it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_id: Option<RoomId>,
    /// What for.
    pub service_id: ServiceId,
    /// At which clinic.
    pub clinic_id: ClinicId,
    /// The clinic's zone, an IANA name.
    pub time_zone: String,
    /// What the patient is told, or what they ask for.
    pub time: Interval,
    /// With the buffers of the service.
    pub busy: Interval,
    /// 0, or what a deliberate overbooking took.
    pub lane: u16,
    /// Who else may be there at the same time, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overbooking: Option<Overbooking>,
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

/// Every time stamp, kept whatever comes later.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stamps {
    /// When it was first written.
    pub created: Timestamp,
    /// When this version was made.
    pub changed: Timestamp,
    /// When it was fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked: Option<Timestamp>,
    /// When it was last moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rescheduled: Option<Timestamp>,
    /// When the patient said that they will come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Timestamp>,
    /// When the patient came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Timestamp>,
    /// When the encounter could begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_in: Option<Timestamp>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// When it was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<Timestamp>,
    /// When somebody noted that the patient did not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_show: Option<Timestamp>,
    /// When that, or all of it, was found to be wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<Timestamp>,
}

/// How it was called off.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cancellation {
    /// Why.
    pub reason: CancellationReason,
    /// Whether it was too late for somebody else to come.
    pub late: bool,
}

/// Where an appointment may be, as the guard found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Placement {
    /// The place.
    pub place: Place,
    /// The lane that is left.
    pub lane: u16,
    /// Given when others may be there.
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
    /// A new appointment, made by one of the actions that begin one.
    pub fn new(
        subject: Subject,
        placement: Placement,
        action: Action,
        series: Option<Occurrence>,
        now: Timestamp,
    ) -> Option<Self> {
        let row = transition(None, action)?;
        let stamps = Stamps {
            created: now,
            changed: now,
            booked: (row.to == Status::Booked).then_some(now),
            ..Stamps::default()
        };
        let Placement { place, lane, overbooking } = placement;
        Some(Self {
            status: row.to,
            patient_id: subject.patient,
            practitioner_id: place.practitioner,
            room_id: place.room,
            service_id: subject.service,
            clinic_id: subject.clinic,
            time_zone: subject.time_zone,
            time: place.time,
            busy: place.busy,
            lane,
            overbooking,
            series,
            reschedules: 0,
            stamps,
            cancellation: None,
            no_show_reason: None,
            correction_reason: None,
        })
    }

    /// Where it is.
    pub const fn place(&self) -> Place {
        Place { practitioner: self.practitioner_id, room: self.room_id, time: self.time, busy: self.busy }
    }

    /// Whether the table and the guards that need no one else allow an action now.
    ///
    /// Whether the place is free is no question of one appointment: who has a [`Placement`] has asked.
    pub fn may(&self, action: Action, now: Timestamp) -> Result<Status, Refusal> {
        let row = transition(Some(self.status), action).ok_or(Refusal::NotAllowed { from: self.status, action })?;
        let unmet = row.guards.iter().find(|guard| match guard {
            Guard::Free | Guard::StillFree | Guard::Reason => false,
            Guard::SameDay => !self.is_on_its_day(now),
            Guard::Overdue => now < self.time.start + GRACE,
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
                next.put(placement);
            }
            Change::Reschedule(placement) => {
                stamps.rescheduled = Some(now);
                // Who said that they come said it of another time.
                stamps.confirmed = None;
                next.reschedules += 1;
                if let Some(series) = &mut next.series {
                    series.moved = true;
                }
                next.put(placement);
            }
            Change::Confirm => stamps.confirmed = Some(now),
            Change::Arrive => stamps.arrived = Some(now),
            Change::CheckIn => stamps.checked_in = Some(now),
            Change::Start => stamps.started = Some(now),
            Change::Finish => stamps.finished = Some(now),
            Change::Cancel(reason) => {
                stamps.cancelled = Some(now);
                let late = self.status.takes_time() && now > self.time.start - EARLY_ENOUGH;
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

    fn put(&mut self, Placement { place, lane, overbooking }: Placement) {
        self.practitioner_id = place.practitioner;
        self.room_id = place.room;
        self.time = place.time;
        self.busy = place.busy;
        self.lane = lane;
        self.overbooking = overbooking;
    }

    fn is_on_its_day(&self, now: Timestamp) -> bool {
        let day = |zone: TimeZone, at: Timestamp| zone.to_datetime(at).date();
        let same =
            TimeZone::get(&self.time_zone).is_ok_and(|zone| day(zone.clone(), now) == day(zone, self.time.start));
        same || now.duration_since(self.time.start).abs() <= DAY_TOLERANCE
    }
}

#[cfg(test)]
mod tests;
