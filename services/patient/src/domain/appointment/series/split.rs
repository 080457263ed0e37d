//! What a series becomes when those that follow one of its occurrences are moved.

use std::collections::{BTreeSet, HashMap};

use jiff::{Timestamp, civil::DateTime};
use uuid::Uuid;

use super::{
    Conflict, Planned, Series,
    shift::{Mover, Shifted, Unshiftable},
};
use crate::domain::{
    appointment::{Appointment, AppointmentId, Change, Occurrence, Situation, Status, Wish, recurrence::Occasion},
    calendar::{RoomId, zone::Zone},
};

/// A series that is about to be split.
#[derive(Debug)]
pub struct Splitting<'a> {
    series: (Uuid, &'a Series),
    from: u16,
    start: DateTime,
    zone: &'a Zone,
    shifted: Shifted,
    movers: Vec<(AppointmentId, &'a Appointment, Occasion)>,
    apart: Vec<(AppointmentId, &'a Appointment, Occasion)>,
}

/// A series that was split.
#[derive(Debug)]
pub struct Split {
    /// What is left of it.
    pub ended: Series,
    /// The series that continues it.
    pub series: Series,
    /// The appointments that go over, in the order in which they make room for each other.
    pub appointments: Vec<GoneOver>,
}

/// An appointment that goes over to another series.
#[derive(Debug)]
pub struct GoneOver {
    /// Which.
    pub id: AppointmentId,
    /// What it is then.
    pub appointment: Appointment,
    /// Whether it kept its time and place.
    pub kept: bool,
}

impl<'a> Splitting<'a> {
    /// Moves a series from a number on so that this occurrence is at `start`; `appointments` are those from there on.
    ///
    /// What took place, is under way or was called off stays; what was moved by itself goes over where it is.
    pub fn of(
        (id, series): (Uuid, &'a Series),
        (from, start): (u16, DateTime),
        appointments: impl IntoIterator<Item = (AppointmentId, &'a Appointment)>,
        zone: &'a Zone,
        now: Timestamp,
    ) -> Result<Self, Unshiftable> {
        let shifted = series.shifted(from, start, zone)?;
        let (mut movers, mut apart) = (Vec::new(), Vec::new());
        for (own_id, appointment) in appointments {
            let is_ahead = appointment.time().is_some_and(|time| time.start > now);
            let is_to_come = appointment.status == Status::Booked && is_ahead;
            let own = appointment.series.filter(|own| own.id == id && is_to_come);
            let planned = shifted.occurrences.iter().find(|(planned, _)| planned.appointment_id == Some(own_id));
            if let (Some(own), Some((_, occasion))) = (own, planned) {
                let list = if own.moved { &mut apart } else { &mut movers };
                list.push((own_id, appointment, *occasion));
            }
        }
        if movers.is_empty() {
            return Err(Unshiftable::Over);
        }
        Ok(Self { series: (id, series), from, start, zone, shifted, movers, apart })
    }

    /// When those that move would begin.
    pub fn starts(&self) -> Vec<Timestamp> {
        self.movers.iter().map(|(.., occasion)| occasion.start).collect()
    }

    /// What becomes of it where this is so, or what is in the way.
    pub fn decide(
        self,
        continued: Uuid,
        situation: &Situation,
        room: Option<RoomId>,
        skip_conflicts: bool,
        now: Timestamp,
    ) -> Result<Split, Vec<Conflict>> {
        let Self { series: (id, series), from, start, zone, shifted, movers, apart } = self;
        let wish = Wish { patient: series.patient_id, start: Timestamp::MIN, room, overbook: None };
        let asked: Vec<_> = movers.iter().map(|&(appointment, _, occasion)| Mover { appointment, occasion }).collect();
        let (moved, conflicts) = situation.shift(&wish, &asked, skip_conflicts, zone, now);
        if moved.is_empty() || !(conflicts.is_empty() || skip_conflicts) {
            return Err(conflicts);
        }

        let mut places: HashMap<_, _> = moved.into_iter().map(|(mover, place)| (mover.appointment, place)).collect();
        let mut occurrences: Vec<_> = shifted.occurrences.iter().map(|(_, occasion)| planned(occasion)).collect();
        let mut appointments = Vec::new();
        for (own_id, appointment, occasion) in movers.into_iter().chain(apart) {
            let place = places.remove(&own_id).map(Change::Reschedule);
            let moved = place.and_then(|change| appointment.change(change, now).ok());
            let kept = moved.is_none();
            let number = occasion.number;
            if let Some(planned) = occurrences.iter_mut().find(|planned| planned.number == number) {
                (planned.appointment_id, planned.kept) = (Some(own_id), kept);
            }
            let joined = Occurrence { id: continued, number: number.into(), moved: kept };
            let appointment = moved.as_ref().unwrap_or(appointment).joined(joined, now);
            appointments.push(GoneOver { id: own_id, appointment, kept });
        }
        // Who goes to where another of them still is comes after that one.
        appointments.sort_by_key(|own| own.appointment.time().map(|time| time.start));
        if shifted.later {
            appointments.reverse();
        }
        let rooms: BTreeSet<_> = appointments.iter().filter_map(|own| own.appointment.place()?.room).collect();
        let ended = Series { continued_by: Some(continued), ..series.ended(from, now) };
        let series = Series {
            practitioner_id: situation.practitioner.0,
            room_id: room,
            beginning: start,
            rule: shifted.rule,
            occurrences,
            ended_from: None,
            continues: Some(id),
            continued_by: None,
            rooms: rooms.into_iter().collect(),
            created: now,
            changed: now,
            ..series.clone()
        };
        Ok(Split { ended, series, appointments })
    }
}

const fn planned(occasion: &Occasion) -> Planned {
    Planned { number: occasion.number, start: occasion.start, appointment_id: None, kept: false }
}
