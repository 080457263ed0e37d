//! What happens to an appointment after it was made.

use access::Caller;
use jiff::Timestamp;
use sidecar::{documents::KeyedRequest, failure::Failure};
use uuid::Uuid;

use super::{BookingError, Bookings, TRIES, Wanted, entry, is_lost_race, may_overbook, zone};
use crate::{
    domain::{
        appointment::{Appointment, AppointmentId, Change, Overlap, Placement, When, overlaps, transitions::Action},
        calendar::{PractitionerId, RoomId},
    },
    outbound::appointments::{Loaded, Versioned},
    service::Keyed,
};

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Step {
    /// It is fixed, here or elsewhere.
    Book(Elsewhere),
    /// It is moved.
    Reschedule(Elsewhere),
    /// Anything that needs no other place.
    Stay(Change),
}

/// Where to, as far as it is to be another place.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// When.
    pub start: Option<When>,
    /// At whom.
    pub practitioner: Option<PractitionerId>,
    /// Where.
    pub room: Option<RoomId>,
    /// Why others may be there, if they may.
    pub overbook: Option<String>,
}

impl Bookings {
    /// Does something to version `expected` of an appointment.
    pub async fn change(
        &self,
        caller: &Caller,
        id: AppointmentId,
        expected: u64,
        request: Option<Keyed>,
        step: &Step,
        now: Timestamp,
    ) -> Result<Versioned, BookingError> {
        may_overbook(caller, step.elsewhere().and_then(|elsewhere| elsewhere.overbook.as_ref()))?;
        for _ in 0..TRIES {
            let loaded = self.appointments.get(id).await?.ok_or(BookingError::Unknown)?;
            if let Some(served) = self.served(id, &loaded, request).await? {
                return Ok(served);
            }
            let current = &loaded.current;
            if current.version != expected {
                return Err(BookingError::Stale { current: current.version });
            }
            let elsewhere = step.elsewhere();
            let practitioner = elsewhere.and_then(|elsewhere| elsewhere.practitioner);
            let practitioner = practitioner.or(current.appointment.place().map(|place| place.practitioner));
            // Who waits and names nobody is refused below.
            let takes_time = (elsewhere.is_some() || step.corrects()) && practitioner.is_some();
            let queue = self.turns.of(practitioner.unwrap_or(PractitionerId::new(Uuid::nil())));
            let _turn = if takes_time { Some(queue.turn().await?) } else { None };
            let next = self.decide(&loaded, step, now).await?;
            let keyed = request.map(|Keyed { key, hash }| KeyedRequest { key, hash, version: expected + 1 });
            let entry = entry(audit::Action::Update, "update", caller, &next).detail("action", step.action().name());
            let mut beside = self.left(&[(current, &next)], now).await?;
            beside.extend(self.visit(caller, current, step.action(), now).await?);
            match self.appointments.replace(&loaded, &next, keyed, &entry, beside).await {
                Ok(version) => {
                    if takes_time {
                        queue.save();
                    }
                    return Ok(Versioned { id, appointment: next, version });
                }
                // Whoever was faster may have been the same request: the next round tells.
                Err(Failure::Changed) => {}
                Err(Failure::Constraint { .. }) if step.corrects() => {
                    return Err(BookingError::Taken(self.in_the_way(current).await?));
                }
                Err(failure) if is_lost_race(&failure) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        Err(Failure::Again.into())
    }

    /// What the appointment is after a step.
    async fn decide(&self, loaded: &Loaded, step: &Step, now: Timestamp) -> Result<Appointment, BookingError> {
        let current = &loaded.current;
        let refused = |refusal| BookingError::Refused { refusal, current: Box::new(current.clone()) };
        let change = match step.clone() {
            Step::Book(elsewhere) => Change::Book(self.placement(current, elsewhere, Action::Book, now).await?),
            Step::Reschedule(elsewhere) => {
                Change::Reschedule(self.placement(current, elsewhere, Action::Reschedule, now).await?)
            }
            Step::Stay(change) => change,
        };
        current.appointment.change(change, now).map_err(refused)
    }

    async fn placement(
        &self,
        current: &Versioned,
        elsewhere: Elsewhere,
        action: Action,
        now: Timestamp,
    ) -> Result<Placement, BookingError> {
        let refused = |refusal| BookingError::Refused { refusal, current: Box::new(current.clone()) };
        // What the table refuses need not be looked for.
        current.appointment.may(action, now).map_err(refused)?;
        let wanted = elsewhere.of(&current.appointment)?;
        let check = self.appointments.check(&wanted.asked(current.id)).await?;
        wanted.placed(&check, now)
    }

    /// What has taken the time of an appointment since.
    async fn in_the_way(&self, current: &Versioned) -> Result<Vec<Overlap>, BookingError> {
        let wanted = Elsewhere::default().of(&current.appointment)?;
        let check = self.appointments.check(&wanted.asked(current.id)).await?;
        let taken = &Wanted::situation(&check)?.taken;
        let place = current.appointment.place();
        Ok(place.map(|place| overlaps(current.appointment.patient_id, &place, taken)).unwrap_or_default())
    }

    /// The version that the same request made before.
    async fn served(
        &self,
        id: AppointmentId,
        loaded: &Loaded,
        request: Option<Keyed>,
    ) -> Result<Option<Versioned>, BookingError> {
        let Some(before) = request.and_then(|request| loaded.served(request.key)) else { return Ok(None) };
        if request.is_some_and(|request| request.hash != before.hash) {
            return Err(BookingError::KeyReused);
        }
        if before.version == loaded.current.version {
            return Ok(Some(loaded.current.clone()));
        }
        let page = self.appointments.history(id, Some(before.version + 1), 1).await?;
        let version = page.items.into_iter().next().ok_or_else(|| Failure::Bug(format!("{id} has lost a version")))?;
        Ok(Some(version))
    }
}

impl Step {
    const fn action(&self) -> Action {
        match self {
            Self::Book(_) => Action::Book,
            Self::Reschedule(_) => Action::Reschedule,
            Self::Stay(change) => change.action(),
        }
    }

    const fn elsewhere(&self) -> Option<&Elsewhere> {
        match self {
            Self::Book(elsewhere) | Self::Reschedule(elsewhere) => Some(elsewhere),
            Self::Stay(_) => None,
        }
    }

    /// A correction takes the time again, which somebody may have taken since.
    const fn corrects(&self) -> bool {
        matches!(self, Self::Stay(Change::Correct { .. }))
    }
}

impl Elsewhere {
    fn of(self, appointment: &Appointment) -> Result<Wanted, BookingError> {
        let at = |when: When| when.at(&zone(&appointment.time_zone)?).map_err(BookingError::NoSuchTime);
        let start = self.start.map(at).transpose()?;
        let place = appointment.place();
        let start = start.or(place.map(|place| place.time.start));
        let preferred = appointment.waiting.and_then(|waiting| waiting.practitioner);
        let practitioner = self.practitioner.or(place.map(|place| place.practitioner)).or(preferred);
        let (Some(start), Some(practitioner)) = (start, practitioner) else {
            let needed = [("/start", start.is_none()), ("/practitionerId", practitioner.is_none())];
            let needed = needed.into_iter().filter_map(|(field, needed)| needed.then_some(field));
            return Err(BookingError::NeedsPlace(needed.collect()));
        };
        Ok(Wanted {
            patient: appointment.patient_id,
            practitioner,
            room: self.room.or(place.and_then(|place| place.room)),
            service: appointment.service_id,
            clinic: appointment.clinic_id,
            start,
            overbook: self.overbook,
        })
    }
}
