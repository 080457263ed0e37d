//! Reminders: when one is due, and what becomes of it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Appointment, AppointmentId, Status};

/// So long before an appointment its patient is reminded, in minutes: two days, so that they can still call it off in
/// time, and two hours.
pub const LEADS: [u32; 2] = [48 * 60, 2 * 60];
/// Who has claimed a reminder and says nothing for so long has been killed.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// The first pause after a failure; each one after it is twice as long.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(16);

/// A reminder of an appointment at the time that it has.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reminder {
    /// Of which appointment.
    pub appointment_id: AppointmentId,
    /// The start that it reminds of.
    pub start: Timestamp,
    /// How long before, in minutes.
    pub lead: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// How often it was tried.
    pub attempts: u32,
    /// When somebody may try again; none when nobody has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// When this version was made.
    pub changed: Timestamp,
}

/// What became of a reminder.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Somebody is about to hand it over, or tries again later.
    Pending,
    /// It was handed over.
    Sent,
    /// There was no need: the appointment was made or moved later than this reminder would have come, or the next one
    /// comes already.
    Late,
    /// Nobody knows where to reach the patient.
    Unreachable,
}

impl Outcome {
    /// Its name, for those who count.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Late => "late",
            Self::Unreachable => "unreachable",
        }
    }
}

impl Reminder {
    /// The id of a reminder: another time is reminded of anew, the same never twice.
    pub fn id(appointment: AppointmentId, start: Timestamp, lead: u32) -> Uuid {
        Uuid::new_v5(&appointment.as_uuid(), format!("reminder {start} {lead}").as_bytes())
    }

    /// A reminder that is due now, claimed by who asks; none if the appointment needs none.
    pub fn first(id: AppointmentId, appointment: &Appointment, lead: u32, now: Timestamp) -> Option<Self> {
        let start = appointment.time()?.start;
        let due = start - SignedDuration::from_mins(lead.into());
        if appointment.status != Status::Booked || now < due || now >= start {
            return None;
        }
        let made = appointment.stamps.rescheduled.max(appointment.stamps.booked).unwrap_or(now);
        let reminder =
            Self { appointment_id: id, start, lead, outcome: Outcome::Pending, attempts: 0, due: None, changed: now };
        let late = made > due || now >= reminder.until();
        Some(if late { reminder.closed(Outcome::Late, now) } else { reminder.claimed(now) })
    }

    /// Claimed again, if it is still wanted; otherwise closed.
    #[must_use]
    pub fn again(&self, appointment: &Appointment, now: Timestamp) -> Self {
        let wanted = appointment.status == Status::Booked
            && appointment.time().is_some_and(|time| time.start == self.start)
            && now < self.until();
        if wanted { self.claimed(now) } else { self.closed(Outcome::Late, now) }
    }

    /// When the next reminder comes, or the appointment itself: nobody is told twice at once.
    fn until(&self) -> Timestamp {
        let next = LEADS.into_iter().filter(|lead| *lead < self.lead).max().unwrap_or_default();
        self.start - SignedDuration::from_mins(next.into())
    }

    fn claimed(&self, now: Timestamp) -> Self {
        Self { attempts: self.attempts + 1, due: Some(now + LEASE), changed: now, ..self.clone() }
    }

    /// Nobody has to do anything about it any more.
    #[must_use]
    pub fn closed(&self, outcome: Outcome, now: Timestamp) -> Self {
        Self { outcome, due: None, changed: now, ..self.clone() }
    }

    /// To be tried again after a pause that grows.
    #[must_use]
    pub fn failed(&self, now: Timestamp) -> Self {
        let doublings = self.attempts.saturating_sub(1).min(10);
        let pause = (PAUSE * 2_i32.pow(doublings)).min(LONGEST_PAUSE);
        Self { due: Some(now + pause), changed: now, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        appointment::{Change, Place, Placement, Subject, transitions::Action},
        calendar::{ClinicId, PractitionerId, ServiceId, interval::Interval},
        patient::PatientId,
    };

    fn start() -> Timestamp {
        "2026-11-30T08:00:00Z".parse().unwrap()
    }

    fn before(minutes: i64) -> Timestamp {
        start() - SignedDuration::from_mins(minutes)
    }

    fn placement(start: Timestamp) -> Placement {
        let time = Interval::new(start, start + SignedDuration::from_mins(30));
        let place = Place { practitioner: PractitionerId::new(Uuid::nil()), room: None, time, busy: time };
        Placement { place, lane: 0, overbooking: None }
    }

    fn booked(at: Timestamp) -> Appointment {
        let subject = Subject {
            patient: PatientId::new(Uuid::nil()),
            service: ServiceId::new(Uuid::nil()),
            clinic: ClinicId::new(Uuid::nil()),
            time_zone: "Europe/Berlin".to_owned(),
        };
        Appointment::new(subject, placement(start()), Action::Book, None, at).unwrap()
    }

    fn first(appointment: &Appointment, lead: u32, now: Timestamp) -> Option<Reminder> {
        Reminder::first(AppointmentId::new(Uuid::nil()), appointment, lead, now)
    }

    #[test]
    fn a_reminder_is_due_from_its_lead_until_the_start() {
        let early = booked(before(10_000));
        for (now, is_due) in [(121, false), (120, true), (1, true), (0, false)] {
            assert_eq!(first(&early, 120, before(now)).is_some(), is_due, "{now}");
        }
        assert_eq!(first(&early, 120, before(60)).unwrap().outcome, Outcome::Pending);
        assert_eq!(first(&early, 2880, before(120)).unwrap().outcome, Outcome::Late, "the next one comes");
        // Who has just booked need not be told.
        assert_eq!(first(&booked(before(119)), 120, before(60)).unwrap().outcome, Outcome::Late);
        let moved = early.change(Change::Reschedule(placement(start())), before(100)).unwrap();
        assert_eq!(first(&moved, 120, before(60)).unwrap().outcome, Outcome::Late);
        let off = early.change(Change::Cancel(super::super::CancellationReason::Patient), before(100)).unwrap();
        assert_eq!(first(&off, 120, before(60)), None);
    }

    #[test]
    fn the_same_time_has_one_id_and_another_time_another() {
        let id = |at, lead| Reminder::id(AppointmentId::new(Uuid::nil()), at, lead);
        assert_eq!(id(start(), 120), id(start(), 120));
        assert!(id(start(), 120) != id(start(), 2880) && id(start(), 120) != id(before(1), 120));
    }

    #[test]
    fn pauses_grow_and_who_no_longer_comes_is_not_reminded() {
        let early = booked(before(10_000));
        let mut reminder = first(&early, 2880, before(2880)).unwrap();
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let failed = reminder.failed(before(2000));
            pauses.push(failed.due.unwrap().duration_since(before(2000)).as_secs());
            reminder = failed.again(&early, before(1900));
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 960, 960]);
        assert_eq!(reminder.attempts, 9);
        let moved = early.change(Change::Reschedule(placement(before(30))), before(1800)).unwrap();
        assert_eq!(
            (reminder.again(&moved, before(1700)).outcome, reminder.again(&early, start()).due),
            (Outcome::Late, None)
        );
    }
}
