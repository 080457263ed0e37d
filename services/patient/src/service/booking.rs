//! Appointments: asking who is in the way, deciding, saving.

pub mod change;
pub mod look;
pub mod series;
mod turns;
mod visit;
pub mod waiting;

use access::{Caller, Role};
use audit::Entry;
use jiff::Timestamp;
use sidecar::{documents::KeyedRequest, failure::Failure};

use self::turns::Turns;
use super::Keyed;
use crate::{
    domain::{
        appointment::{
            Appointment, AppointmentId, Overlap, Placement, Refusal, Situation, Subject, Unplaceable, When, Wish,
            transitions::{Action, transition},
            waiting::NoOffer,
        },
        calendar::{ClinicId, PractitionerId, RoomId, ServiceId, availability::Unbookable, zone::Zone},
        patient::PatientId,
        record::encounter::EncounterStatus,
    },
    outbound::{
        appointments::{Appointments, Asked, Check, Missing, Versioned},
        records::Records,
    },
};

/// Who was faster is found out by another look; more than this is more than bad luck.
const TRIES: u8 = 5;
/// Looks that are made without waiting for a turn.
const TRIES_WITHOUT_A_TURN: u8 = 2;

/// The book of appointments.
#[derive(Clone, Debug)]
pub struct Bookings {
    appointments: Appointments,
    records: Records,
    turns: Turns,
}

/// What somebody wants booked.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Who comes.
    pub patient: PatientId,
    /// Who sees them.
    pub practitioner: PractitionerId,
    /// Where, if it matters.
    pub room: Option<RoomId>,
    /// What for.
    pub service: ServiceId,
    /// At which clinic.
    pub clinic: ClinicId,
    /// When.
    pub start: Timestamp,
    /// Why others may be there, if they may.
    pub overbook: Option<String>,
}

/// Why nothing was booked or changed.
#[derive(Debug, thiserror::Error)]
pub enum BookingError {
    /// There is no such appointment.
    #[error("there is no such appointment")]
    Unknown,
    /// Something that the request names is not there, or not in use.
    #[error("something that the request names is not there")]
    Missing(Missing),
    /// The caller's role may not overbook.
    #[error("the role may not overbook")]
    MayNotOverbook,
    /// The clinic's clock does not show that time, or shows it twice.
    #[error("the time {0}")]
    NoSuchTime(String),
    /// The calendar has no such time.
    #[error(transparent)]
    Unbookable(Unbookable),
    /// Who waits has no time, so it has to be said.
    #[error("who waits has no time")]
    NeedsPlace(Vec<&'static str>),
    /// An opening is not to be had.
    #[error(transparent)]
    NoOffer(NoOffer),
    /// Others are in the way.
    #[error("the time is taken")]
    Taken(Vec<Overlap>),
    /// The caller has seen another version.
    #[error("the appointment is at version {current}")]
    Stale {
        /// The version that is there.
        current: u64,
    },
    /// The table or a guard says no.
    #[error("{refusal}")]
    Refused {
        /// What was asked.
        refusal: Refusal,
        /// The appointment as it is.
        current: Box<Versioned>,
    },
    /// The encounter is not where the step would have it.
    #[error("the encounter is {}", .0.map_or("not there", EncounterStatus::code))]
    Encounter(Option<EncounterStatus>),
    /// The key was used for something else.
    #[error("the key was used with another body")]
    KeyReused,
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl Bookings {
    /// The book on these parts.
    pub fn new(appointments: Appointments, records: Records) -> Self {
        Self { appointments, records, turns: Turns::default() }
    }

    /// The instant of a time at a clinic.
    pub async fn resolve(&self, clinic: ClinicId, when: When) -> Result<Timestamp, BookingError> {
        if let When::At(at) = when {
            return Ok(at);
        }
        when.at(&self.zone(clinic).await?).map_err(BookingError::NoSuchTime)
    }

    async fn zone(&self, clinic: ClinicId) -> Result<Zone, BookingError> {
        let missing = || BookingError::Missing(Missing { fields: vec!["/clinicId"], inactive_patient: false });
        zone(&self.appointments.zone(clinic).await?.ok_or_else(missing)?)
    }

    /// Makes an appointment by one of the actions that begin one.
    pub async fn make(
        &self,
        caller: &Caller,
        action: Action,
        wanted: &Wanted,
        request: Keyed,
        now: Timestamp,
    ) -> Result<Versioned, BookingError> {
        may_overbook(caller, wanted.overbook.as_ref())?;
        let id = AppointmentId::new(request.key);
        let queue = self.turns.of(wanted.practitioner);
        for tried in 0..TRIES {
            // Who is late to a rush is told so without a turn; who keeps being overtaken looks during theirs.
            let mut turn = if tried < TRIES_WITHOUT_A_TURN { None } else { Some(queue.turn().await?) };
            let look = queue.look().await?;
            let saved = queue.saved();
            let check = self.appointments.check(&wanted.asked(id)).await?;
            drop(look);
            if let Some((hash, served)) = check.own {
                return if hash == Some(request.hash) { Ok(served) } else { Err(BookingError::KeyReused) };
            }
            let placement = wanted.placed_by(action, &check, now)?;
            let subject = wanted.subject(&check)?;
            let Some(appointment) = Appointment::new(subject, placement, action, None, now) else {
                return Err(Failure::Bug(format!("{action:?} begins no appointment")).into());
            };
            let entry = entry(audit::Action::Create, "create", caller, &appointment);
            let keyed = KeyedRequest { key: request.key, hash: request.hash, version: 1 };
            if turn.is_none() {
                turn = Some(queue.turn().await?);
            }
            if queue.saved() != saved {
                continue;
            }
            match self.appointments.create(id, &appointment, keyed, &entry).await {
                Ok(()) => {
                    queue.save();
                    drop(turn);
                    return Ok(Versioned { id, appointment, version: 1 });
                }
                Err(failure) if is_lost_race(&failure) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        Err(Failure::Again.into())
    }
}

impl Wanted {
    fn asked(&self, own: AppointmentId) -> Asked {
        self.asked_at(own, vec![self.start])
    }

    fn asked_at(&self, own: AppointmentId, starts: Vec<Timestamp>) -> Asked {
        Asked {
            own,
            patient: self.patient,
            practitioner: Some(self.practitioner),
            room: self.room,
            service: self.service,
            clinic: self.clinic,
            starts,
        }
    }

    fn wish(&self) -> Wish {
        let Self { patient, start, room, overbook, .. } = self.clone();
        Wish { patient, start, room, overbook }
    }

    /// A place that is free, or that may be overbooked.
    fn placed(&self, check: &Check, now: Timestamp) -> Result<Placement, BookingError> {
        Self::situation(check)?.place(&self.wish(), now).map_err(|unplaceable| match unplaceable {
            Unplaceable::Unbookable(reason) => BookingError::Unbookable(reason),
            Unplaceable::Taken(overlaps) => BookingError::Taken(overlaps),
        })
    }

    /// The place that one of the actions which begin an appointment needs: what takes nobody's time may be anywhere.
    fn placed_by(&self, action: Action, check: &Check, now: Timestamp) -> Result<Placement, BookingError> {
        if transition(None, action).is_some_and(|row| row.to.takes_time()) {
            return self.placed(check, now);
        }
        Ok(Placement { place: Self::situation(check)?.at(&self.wish(), self.room), lane: 0, overbooking: None })
    }

    fn situation(check: &Check) -> Result<&Situation, BookingError> {
        check.situation.as_ref().map_err(|missing| BookingError::Missing(missing.clone()))
    }

    fn subject(&self, check: &Check) -> Result<Subject, BookingError> {
        let situation = Self::situation(check)?;
        let time_zone = situation.clinic.1.zone.name().to_owned();
        Ok(Subject { patient: self.patient, service: self.service, clinic: self.clinic, time_zone })
    }
}

/// The zone of this name, as it was stored.
fn zone(name: &str) -> Result<Zone, BookingError> {
    Zone::parse(name).map_err(|_| Failure::Bug(format!("{name} is no zone")).into())
}

/// Whether another look may show why it was refused: somebody was faster, or the database asks for it.
fn is_lost_race(failure: &Failure) -> bool {
    match failure {
        Failure::Constraint { name } => name.starts_with("appointments_"),
        Failure::KeyTaken | Failure::Again => true,
        Failure::Changed | Failure::Bug(_) | Failure::Unknown(_) => false,
    }
}

/// A front desk books what is free; that somebody has to wait is for those to decide who then have to see both.
fn may_overbook(caller: &Caller, overbook: Option<&String>) -> Result<(), BookingError> {
    let may = matches!(caller.role, Role::Nurse | Role::Physician | Role::Admin);
    if overbook.is_some() && !may { Err(BookingError::MayNotOverbook) } else { Ok(()) }
}

/// The entry that goes with a version of an appointment.
fn entry(action: audit::Action, subtype: &'static str, caller: &Caller, appointment: &Appointment) -> Entry {
    let entry = Entry::new(action, subtype).by(caller).of_patient(appointment.patient_id.as_uuid());
    match &appointment.placement {
        Some(Placement { lane, overbooking: Some(overbooking), .. }) => {
            entry.detail("lane", lane).detail("overbooked", &overbooking.reason)
        }
        _ => entry,
    }
}
