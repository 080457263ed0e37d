//! Whether somebody can be seen at a time, and where: the calendar's hours and the appointments that are there.

use jiff::Timestamp;

use super::{
    Overbooking,
    placement::{Capacity, Overlap, Place, Taken, lane, overlaps},
};
use crate::domain::{
    appointment::Placement,
    calendar::{
        ClinicId, PractitionerId, RoomId, ServiceId,
        availability::{self, Availability, RoomState, Unbookable},
        clinic::Clinic,
        interval::{Interval, Intervals},
        practitioner::Practitioner,
        room::Room,
        service::Service,
    },
    patient::PatientId,
};

/// What is known of a practitioner's time around an appointment that is to be.
#[derive(Clone, Debug)]
pub struct Situation {
    /// Where.
    pub clinic: (ClinicId, Clinic),
    /// Who sees the patient.
    pub practitioner: (PractitionerId, Practitioner),
    /// What for.
    pub service: (ServiceId, Service),
    /// The rooms that may be used, and when they are down.
    pub rooms: Vec<(RoomId, Room, Vec<Interval>)>,
    /// When the practitioner is away.
    pub leave: Vec<Interval>,
    /// What takes time of practitioner, patient or one of the rooms.
    pub taken: Vec<Taken>,
}

/// Who wants to be seen when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wish {
    /// Who.
    pub patient: PatientId,
    /// When.
    pub start: Timestamp,
    /// In this room, and no other.
    pub room: Option<RoomId>,
    /// Why others may be there, if they may.
    pub overbook: Option<String>,
}

/// Why somebody cannot be seen then.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unplaceable {
    /// It is no time for it, whoever is there.
    Unbookable(Unbookable),
    /// These are in the way.
    Taken(Vec<Overlap>),
}

impl Situation {
    /// The place for a wish, or why there is none.
    pub fn place(&self, wish: &Wish, now: Timestamp) -> Result<Placement, Unplaceable> {
        let free = self.bookable(wish, now, true);
        let (room, overbook) = match free {
            Ok(room) => (room, None),
            Err(Unbookable::Taken) => {
                // The hours may allow what the other appointments do not.
                let room = self.bookable(wish, now, false).map_err(Unplaceable::Unbookable)?;
                let Some(reason) = &wish.overbook else {
                    let place = self.at(wish, room.or(wish.room));
                    return Err(Unplaceable::Taken(overlaps(wish.patient, &place, &self.taken)));
                };
                (room, Some(reason))
            }
            Err(reason) => return Err(Unplaceable::Unbookable(reason)),
        };
        let place = self.at(wish, room);
        let overbooking = overbook.map(|reason| Overbooking { reason: reason.clone(), capacity: self.capacity(room) });
        let capacity = overbooking.as_ref().map(|overbooking| overbooking.capacity);
        let lane = lane(wish.patient, &place, &self.taken, capacity).map_err(Unplaceable::Taken)?;
        Ok(Placement { place, lane, overbooking })
    }

    /// Where it would be, whether it can be or not: for those who only ask, and take nobody's time.
    pub fn at(&self, wish: &Wish, room: Option<RoomId>) -> Place {
        let service = &self.service.1;
        let (time, busy) = (service.visit(wish.start), service.busy(wish.start));
        Place { practitioner: self.practitioner.0, room, time, busy }
    }

    fn bookable(&self, wish: &Wish, now: Timestamp, beside_others: bool) -> Result<Option<RoomId>, Unbookable> {
        let busy = |own: &dyn Fn(&Taken) -> bool| {
            let own = self.taken.iter().filter(|other| beside_others && own(other));
            Intervals::of(own.map(|other| other.busy))
        };
        let taken = availability::Taken {
            busy: busy(&|other| other.practitioner == self.practitioner.0),
            leave: Intervals::of(self.leave.iter().copied()),
        };
        let rooms = self.rooms.iter().map(|(id, room, down)| RoomState {
            id: *id,
            room: room.clone(),
            taken: availability::Taken {
                busy: busy(&|other| other.room == Some(*id)),
                leave: Intervals::of(down.iter().copied()),
            },
        });
        let rooms: Vec<_> = rooms.collect();
        let (clinic, service) = ((self.clinic.0, &self.clinic.1), (self.service.0, &self.service.1));
        Availability::of(clinic, &self.practitioner.1, service, &taken, &rooms).bookable(wish.start, wish.room, now)
    }

    fn capacity(&self, room: Option<RoomId>) -> Capacity {
        let room = self.rooms.iter().find(|(id, ..)| Some(*id) == room);
        Capacity { practitioner: self.practitioner.1.lanes, room: room.map_or(1, |(_, room, _)| room.lanes) }
    }
}
