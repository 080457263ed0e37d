//! When a service can be booked: a pure function of hours, exceptions, closures, leave, zone rules and what is booked.
//!
//! The visit has to lie within the hours, which are wall-clock time ([`zone`](super::zone)); its buffers take time as
//! well, so that neither another appointment nor a leave may lie in them, but they may reach beyond the hours. Pieces of the hours that follow each other are one when
//! they name the same room. A search offers times at steps from where each piece begins; a booking may begin at any
//! minute. What is offered and what may be booked is decided by the same [check](Availability::bookable).
//!
//! Deliberate overbooking is not looked for here: it may go ahead where nothing but [`Unbookable::Taken`] is in the way.

#[cfg(test)]
mod tests;

use jiff::{Span, Timestamp, civil::Date};

use super::{
    ClinicId, RoomId,
    clinic::Clinic,
    interval::{Interval, Intervals},
    practitioner::Practitioner,
    room::Room,
    service::{Service, later},
    working_time::openings,
};

/// What is booked, and where nobody is.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Appointments, with the buffers of their services.
    pub busy: Intervals,
    /// Leave, or time in which a room is down.
    pub leave: Intervals,
}

/// A room that may be used, with what takes it.
#[derive(Clone, Debug)]
pub struct RoomState {
    /// Its id.
    pub id: RoomId,
    /// The room.
    pub room: Room,
    /// What takes it.
    pub taken: Taken,
}

/// A time that can be booked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Slot {
    /// When the patient is there.
    pub visit: Interval,
    /// Where, if the hours name a room or the service needs one.
    pub room: Option<RoomId>,
}

/// Why a time cannot be booked; the first that applies.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unbookable {
    /// The practitioner sees nobody, the service is not offered any more, or not at this clinic.
    #[error("it is not offered")]
    NotOffered,
    /// It is over, or begins sooner than the service allows.
    #[error("it begins too soon")]
    TooSoon,
    /// It is further ahead than the service allows.
    #[error("it is too far ahead")]
    TooFar,
    /// The clinic is closed.
    #[error("the clinic is closed")]
    Closed,
    /// The practitioner is on leave.
    #[error("the practitioner is on leave")]
    OnLeave,
    /// The practitioner has no such hours for this service.
    #[error("it is outside of the hours")]
    OutsideHours,
    /// The room is down, out of use, of another clinic, or there is none where one is needed.
    #[error("there is no room")]
    NoRoom,
    /// Another appointment is in the way.
    #[error("it is taken")]
    Taken,
}

impl Unbookable {
    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotOffered => "not-offered",
            Self::TooSoon => "too-soon",
            Self::TooFar => "too-far",
            Self::Closed => "closed",
            Self::OnLeave => "on-leave",
            Self::OutsideHours => "outside-hours",
            Self::NoRoom => "no-room",
            Self::Taken => "taken",
        }
    }
}

/// All that decides when a practitioner can be booked for a service at a clinic.
#[derive(Clone, Debug)]
pub struct Availability<'a> {
    clinic_id: ClinicId,
    clinic: &'a Clinic,
    practitioner: &'a Practitioner,
    service_id: super::ServiceId,
    service: &'a Service,
    taken: &'a Taken,
    rooms: &'a [RoomState],
    closed: Intervals,
}

/// A piece of the hours as instants.
#[derive(Clone, Copy, Debug)]
struct Opening {
    within: Interval,
    room: Option<RoomId>,
}

/// The hours of some days.
#[derive(Debug)]
struct Hours {
    openings: Vec<Opening>,
    /// What belongs together: the hours in one room each.
    by_room: Vec<(Option<RoomId>, Intervals)>,
    all: Intervals,
}

impl<'a> Availability<'a> {
    /// The availability of a practitioner for a service at a clinic, in these rooms; `taken` is the practitioner's.
    pub fn of(
        (clinic_id, clinic): (ClinicId, &'a Clinic),
        practitioner: &'a Practitioner,
        (service_id, service): (super::ServiceId, &'a Service),
        taken: &'a Taken,
        rooms: &'a [RoomState],
    ) -> Self {
        let closed = clinic.closures.iter().map(|closure| clinic.zone.days(closure.first, closure.last));
        let closed = Intervals::of(closed);
        Self { clinic_id, clinic, practitioner, service_id, service, taken, rooms, closed }
    }

    /// Whether the service can be booked at `start`, and in which room: `room` if one is asked for, else that which the
    /// hours name, else, if the service needs one, the first that is free.
    pub fn bookable(
        &self,
        start: Timestamp,
        room: Option<RoomId>,
        now: Timestamp,
    ) -> Result<Option<RoomId>, Unbookable> {
        let visit = self.service.visit(start);
        let date = |instant| self.clinic.zone.local(instant).date();
        let hours = self.hours(date(visit.start), date(visit.end));
        self.check(&hours, start, room, now)
    }

    /// All times at steps that can be booked on the days from `first` to `last`, in order.
    pub fn slots(&self, first: Date, last: Date, now: Timestamp) -> Vec<Slot> {
        let hours = self.hours(first, last);
        let window = self.clinic.zone.days(first, last);
        let step = i64::from(self.service.step_minutes.max(1));
        let mut slots = Vec::new();
        for opening in &hours.openings {
            let mut start = opening.within.start;
            while start < opening.within.end {
                if window.holds(start)
                    && let Ok(room) = self.check(&hours, start, None, now)
                {
                    slots.push(Slot { visit: self.service.visit(start), room });
                }
                start = later(start, step);
            }
        }
        slots.sort_unstable_by_key(|slot| slot.visit);
        slots
    }

    /// The hours from the day before to the day after: a visit may go past midnight.
    fn hours(&self, first: Date, last: Date) -> Hours {
        let first = first.yesterday().unwrap_or(first);
        let last = last.tomorrow().unwrap_or(last);
        let dates = first.series(Span::new().days(1)).take_while(|date| *date <= last);
        let openings: Vec<_> = dates
            .flat_map(|date| openings((self.clinic_id, self.clinic), self.practitioner, date))
            .filter(|(_, piece)| piece.services.is_empty() || piece.services.contains(&self.service_id))
            .map(|(within, piece)| Opening { within, room: piece.room })
            .collect();
        let mut rooms: Vec<_> = openings.iter().map(|opening| opening.room).collect();
        rooms.sort_unstable();
        rooms.dedup();
        let of = |room| openings.iter().filter(move |opening| opening.room == room).map(|opening| opening.within);
        let by_room = rooms.into_iter().map(|room| (room, Intervals::of(of(room)))).collect();
        let all = Intervals::of(openings.iter().map(|opening| opening.within));
        Hours { openings, by_room, all }
    }

    fn check(
        &self,
        hours: &Hours,
        start: Timestamp,
        room: Option<RoomId>,
        now: Timestamp,
    ) -> Result<Option<RoomId>, Unbookable> {
        let offered = self.service.clinic.is_none_or(|clinic| clinic == self.clinic_id);
        if !(self.practitioner.active && self.service.active && offered) {
            return Err(Unbookable::NotOffered);
        }
        let visit = self.service.visit(start);
        self.check_lead(start, now)?;
        if self.closed.meets(visit) {
            return Err(Unbookable::Closed);
        }
        if self.taken.leave.meets(self.service.busy(start)) {
            return Err(Unbookable::OnLeave);
        }
        let taken = self.taken.busy.meets(self.service.busy(start));
        if room.is_some() {
            if !hours.all.covers(visit) {
                return Err(Unbookable::OutsideHours);
            }
            self.free(room, visit.start)?;
            return if taken { Err(Unbookable::Taken) } else { Ok(room) };
        }
        let mut refusal = Unbookable::OutsideHours;
        for (room, _) in hours.by_room.iter().filter(|(_, within)| within.covers(visit)) {
            match self.choose(*room, visit.start) {
                Ok(_) if taken => return Err(Unbookable::Taken),
                Ok(room) => return Ok(room),
                Err(reason) => refusal = reason,
            }
        }
        Err(refusal)
    }

    fn check_lead(&self, start: Timestamp, now: Timestamp) -> Result<(), Unbookable> {
        // Who walks in is booked for the minute that has begun.
        let this_minute = now.as_second().div_euclid(60) * 60;
        if start.as_second() < this_minute + i64::from(self.service.min_lead_minutes) * 60 {
            return Err(Unbookable::TooSoon);
        }
        let date = |instant| self.clinic.zone.local(instant).date();
        let latest = |days: u16| date(now).checked_add(Span::new().days(days)).unwrap_or(Date::MAX);
        match self.service.max_lead_days {
            Some(days) if date(start) > latest(days) => Err(Unbookable::TooFar),
            _ => Ok(()),
        }
    }

    /// The room for hours that name one or none.
    fn choose(&self, named: Option<RoomId>, start: Timestamp) -> Result<Option<RoomId>, Unbookable> {
        if named.is_some() || !self.service.needs_room {
            return self.free(named, start).map(|()| named);
        }
        let mut refusal = Unbookable::NoRoom;
        for state in self.rooms {
            match self.free(Some(state.id), start) {
                Ok(()) => return Ok(Some(state.id)),
                Err(Unbookable::Taken) => refusal = Unbookable::Taken,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    fn free(&self, room: Option<RoomId>, start: Timestamp) -> Result<(), Unbookable> {
        let Some(room) = room else { return Ok(()) };
        let state = self.rooms.iter().find(|state| state.id == room);
        let state = state.filter(|state| state.room.active && state.room.clinic == self.clinic_id);
        match state {
            None => Err(Unbookable::NoRoom),
            Some(state) if state.taken.leave.meets(self.service.busy(start)) => Err(Unbookable::NoRoom),
            Some(state) if state.taken.busy.meets(self.service.busy(start)) => Err(Unbookable::Taken),
            Some(_) => Ok(()),
        }
    }
}
