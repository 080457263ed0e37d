//! Who is in the way: which appointments overlap a time, and which lane of it is left.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::AppointmentId;
use crate::domain::{
    calendar::{PractitionerId, RoomId, interval::Interval},
    patient::PatientId,
};

/// A time at somebody's and somewhere.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Place {
    /// Who sees the patient.
    #[serde(rename = "practitionerId")]
    pub practitioner: PractitionerId,
    /// Where, if it matters.
    #[serde(rename = "roomId", skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// What the patient is told.
    pub time: Interval,
    /// With the buffers of the service: what practitioner and room are taken for.
    pub busy: Interval,
}

impl Place {
    /// Whether two appointments cannot have both, whoever comes.
    pub fn excludes(&self, other: &Self) -> bool {
        let same_room = self.room.is_some() && self.room == other.room;
        self.busy.meets(other.busy) && (self.practitioner == other.practitioner || same_room)
    }
}

/// How many may be seen at the same time when somebody wants it so.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Capacity {
    /// By the practitioner.
    pub practitioner: u16,
    /// In the room.
    pub room: u16,
}

/// An appointment that takes time.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub struct Taken {
    /// Which.
    #[serde(rename = "appointmentId")]
    pub appointment: AppointmentId,
    /// Whose.
    #[serde(rename = "patientId")]
    pub patient: PatientId,
    /// At whom.
    #[serde(rename = "practitionerId")]
    pub practitioner: PractitionerId,
    /// Where.
    #[serde(rename = "roomId")]
    pub room: Option<RoomId>,
    /// What its patient was told.
    pub time: Interval,
    /// With its buffers.
    pub busy: Interval,
    /// Its lane.
    pub lane: u16,
}

/// What two appointments cannot both have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resource {
    /// The practitioner.
    Practitioner,
    /// The room.
    Room,
    /// The patient.
    Patient,
}

/// An appointment in the way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Overlap {
    /// Which.
    pub appointment: AppointmentId,
    /// Its time.
    pub time: Interval,
    /// What both would have.
    pub of: Vec<Resource>,
}

/// The appointments in the way of a place for a patient, in the order of their times.
pub fn overlaps(patient: PatientId, place: &Place, taken: &[Taken]) -> Vec<Overlap> {
    let mut found: Vec<_> = taken
        .iter()
        .map(|other| {
            let busy = place.busy.meets(other.busy);
            let of = [
                (Resource::Practitioner, busy && other.practitioner == place.practitioner),
                (Resource::Room, busy && place.room.is_some() && other.room == place.room),
                (Resource::Patient, other.patient == patient && place.time.meets(other.time)),
            ];
            let of = of.into_iter().filter_map(|(resource, both)| both.then_some(resource)).collect();
            Overlap { appointment: other.appointment, time: other.time, of }
        })
        .filter(|overlap| !overlap.of.is_empty())
        .collect();
    found.sort_by_key(|overlap| (overlap.time.start, overlap.appointment));
    found
}

/// The lane for a patient at a place, or what is in the way.
///
/// Without overbooking nobody may be there. With it, as many as the capacity says may be; a patient is never at two
/// places.
pub fn lane(
    patient: PatientId,
    place: &Place,
    taken: &[Taken],
    overbooking: Option<Capacity>,
) -> Result<u16, Vec<Overlap>> {
    let overlaps = overlaps(patient, place, taken);
    if overlaps.is_empty() {
        return Ok(0);
    }
    let Some(capacity) = overbooking else { return Err(overlaps) };
    let beside = |resource: Resource| {
        let of = |other: &&Taken| {
            overlaps.iter().any(|one| one.appointment == other.appointment && one.of.contains(&resource))
        };
        taken.iter().filter(of).copied().collect::<Vec<_>>()
    };
    let (at_practitioner, in_room) = (beside(Resource::Practitioner), beside(Resource::Room));
    let full = |others: &[Taken], capacity: u16| !others.is_empty() && at_once(place.busy, others) >= capacity;
    if !beside(Resource::Patient).is_empty()
        || full(&at_practitioner, capacity.practitioner)
        || full(&in_room, capacity.room)
    {
        return Err(overlaps);
    }
    let used: Vec<_> = at_practitioner.iter().chain(&in_room).map(|other| other.lane).collect();
    // One of so many has to be free.
    Ok((0..=u16::try_from(used.len()).unwrap_or(u16::MAX)).find(|lane| !used.contains(lane)).unwrap_or_default())
}

/// How many of those who overlap a time are there at the same instant of it, at most.
fn at_once(busy: Interval, others: &[Taken]) -> u16 {
    // The most are there when one of them begins, or at the beginning.
    let instants = others.iter().map(|other| other.busy.start.max(busy.start));
    let there = |at: Timestamp| others.iter().filter(|other| other.busy.holds(at)).count();
    u16::try_from(instants.map(there).max().unwrap_or_default()).unwrap_or(u16::MAX)
}
