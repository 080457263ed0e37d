//! The waiting list: putting somebody on it, and what becomes of a time that gets free.

use access::Caller;
use audit::Entry;
use jiff::Timestamp;
use sidecar::{
    documents::{KeyedRequest, Write},
    failure::Failure,
};
use uuid::Uuid;

use super::{BookingError, Bookings, TRIES, Wanted, entry, is_lost_race};
use crate::{
    domain::{
        appointment::{
            Appointment, AppointmentId, Change, Subject,
            waiting::{NoOffer, Opening, Waiting},
        },
        calendar::{ClinicId, ServiceId},
        patient::PatientId,
    },
    outbound::appointments::{
        Asked, Page, Versioned,
        waiting::{Freed, LoadedOpening, VersionedOpening, WaitingAt, opened},
    },
    service::Keyed,
};

/// Openings that one tick looks at.
const AT_ONCE: usize = 50;

/// Who wants to wait for what.
#[derive(Clone, Copy, Debug)]
pub struct WantedWait {
    /// Who.
    pub patient: PatientId,
    /// What for.
    pub service: ServiceId,
    /// At which clinic.
    pub clinic: ClinicId,
    /// What they would take.
    pub waiting: Waiting,
}

/// What is said to an offer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reply {
    /// They come.
    Accept,
    /// They do not.
    Decline,
}

impl Bookings {
    /// Puts somebody on the waiting list.
    pub async fn wait(
        &self,
        caller: &Caller,
        wanted: &WantedWait,
        request: Keyed,
        now: Timestamp,
    ) -> Result<Versioned, BookingError> {
        let id = AppointmentId::new(request.key);
        for _ in 0..TRIES {
            let named = self.appointments.named(&wanted.asked(id)).await?;
            if let Some((hash, served)) = named.own {
                return if hash == Some(request.hash) { Ok(served) } else { Err(BookingError::KeyReused) };
            }
            let time_zone = named.time_zone.map_err(BookingError::Missing)?;
            let subject =
                Subject { patient: wanted.patient, service: wanted.service, clinic: wanted.clinic, time_zone };
            let appointment = Appointment::waiting(subject, wanted.waiting, now);
            let entry = entry(audit::Action::Create, "create", caller, &appointment);
            let keyed = KeyedRequest { key: request.key, hash: request.hash, version: 1 };
            match self.appointments.create(id, &appointment, keyed, &entry).await {
                Ok(()) => return Ok(Versioned { id, appointment, version: 1 }),
                Err(failure) if is_lost_race(&failure) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        Err(Failure::Again.into())
    }

    /// What appointments leave to those who wait as they change, to be written with them.
    pub(super) async fn left(
        &self,
        changes: &[(&Versioned, &Appointment)],
        now: Timestamp,
    ) -> Result<Vec<Write>, Failure> {
        let frees = |(before, next): &(&Versioned, &Appointment)| {
            let Appointment { service_id: service, clinic_id: clinic, .. } = before.appointment;
            let place = before.appointment.frees(next, now)?;
            Some((before.to_owned().clone(), Freed { place, service, clinic, by: before.id }))
        };
        let (gone, freed): (Vec<_>, Vec<_>) = changes.iter().filter_map(frees).unzip();
        if freed.is_empty() {
            return Ok(Vec::new());
        }
        let queues = self.appointments.waiting_for(&freed).await?;
        let mut writes = Vec::new();
        for ((gone, freed), queue) in gone.iter().zip(freed).zip(queues) {
            if let Some(opening) = Opening::left(gone.id, &gone.appointment, freed.place, &queue, now) {
                let id = Uuid::new_v5(&gone.id.as_uuid(), &gone.version.to_be_bytes());
                writes.push(opened(id, opening, &Entry::new(audit::Action::Create, "offer"))?);
            }
        }
        Ok(writes)
    }

    /// Books an opening for one of those who were offered it, or notes that they do not want it.
    pub async fn reply(
        &self,
        caller: &Caller,
        (opening, by): (Uuid, AppointmentId),
        reply: Reply,
        expected: u64,
        request: Option<Keyed>,
        now: Timestamp,
    ) -> Result<VersionedOpening, BookingError> {
        for _ in 0..TRIES {
            let loaded = self.appointments.opening(opening).await?.ok_or(BookingError::NoOffer(NoOffer::Unknown))?;
            if let Some(before) = request.and_then(|request| loaded.served(request.key)) {
                let same = request.is_some_and(|request| request.hash == before.hash);
                return if same { Ok(versioned(&loaded)) } else { Err(BookingError::KeyReused) };
            }
            // What could not be done at any version is said first (RFC 9110, 13.2.1): who is too late reads that, and
            // not that they should look again.
            let next = match reply {
                Reply::Accept => loaded.opening().accepted(by, now),
                Reply::Decline => loaded.opening().declined(by, now),
            };
            let next = next.map_err(BookingError::NoOffer)?;
            if loaded.version() != expected {
                return Err(BookingError::Stale { current: loaded.version() });
            }
            let keyed = request.map(|Keyed { key, hash }| KeyedRequest { key, hash, version: expected + 1 });
            let saved = match reply {
                Reply::Accept => self.accept(caller, &loaded, by, next, keyed, now).await,
                Reply::Decline => self.decline(caller, &loaded, next, keyed, now).await,
            };
            match saved {
                Ok(opening) => return Ok(VersionedOpening { id: loaded.id, opening, version: expected + 1 }),
                Err(BookingError::Store(Failure::Changed)) => {}
                Err(BookingError::Store(failure)) if is_lost_race(&failure) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Failure::Again.into())
    }

    async fn accept(
        &self,
        caller: &Caller,
        opening: &LoadedOpening,
        by: AppointmentId,
        next: Opening,
        keyed: Option<KeyedRequest>,
        now: Timestamp,
    ) -> Result<Opening, BookingError> {
        let waits = self.appointments.get(by).await?.ok_or(BookingError::NoOffer(NoOffer::None))?;
        let refused = |refusal| BookingError::Refused { refusal, current: Box::new(waits.current.clone()) };
        let queue = self.turns.of(next.place.practitioner);
        let turn = queue.turn().await?;
        let wanted = Wanted {
            patient: waits.current.appointment.patient_id,
            practitioner: next.place.practitioner,
            room: next.place.room,
            service: next.service_id,
            clinic: next.clinic_id,
            start: next.place.time.start,
            overbook: None,
        };
        let check = self.appointments.check(&wanted.asked(by)).await?;
        let placement = wanted.placed(&check, now)?;
        let booked = waits.current.appointment.change(Change::Book(placement), now).map_err(refused)?;
        let entry = entry(audit::Action::Update, "update", caller, &booked).detail("action", "accept");
        let answered = Entry::new(audit::Action::Update, "accept").by(caller).of_patient(booked.patient_id.as_uuid());
        let opening = opening.replaced(next.clone(), keyed, &answered)?;
        self.appointments.replace(&waits, &booked, None, &entry, vec![opening]).await?;
        queue.save();
        drop(turn);
        Ok(next)
    }

    async fn decline(
        &self,
        caller: &Caller,
        opening: &LoadedOpening,
        next: Opening,
        keyed: Option<KeyedRequest>,
        now: Timestamp,
    ) -> Result<Opening, BookingError> {
        // The next one is asked at once.
        let next = self.renewed(&next, now).await?;
        let answered = Entry::new(audit::Action::Update, "decline").by(caller);
        self.appointments.save_opening(opening.replaced(next.clone(), keyed, &answered)?).await?;
        Ok(next)
    }

    async fn renewed(&self, opening: &Opening, now: Timestamp) -> Result<Opening, Failure> {
        let Opening { place, service_id: service, clinic_id: clinic, freed_by: by, .. } = *opening;
        let queue = self.appointments.waiting_for(&[Freed { place, service, clinic, by }]).await?;
        let queue = queue.first().ok_or_else(|| Failure::Bug("no answer for an opening".to_owned()))?;
        Ok(opening.renewed(queue, now))
    }

    /// Asks the next ones where an offer has expired. One opening that fails keeps no other from it.
    pub async fn renew_offers(&self, now: Timestamp) -> Result<(), Failure> {
        let mut outcome = Ok(());
        for id in self.appointments.openings_due(now, AT_ONCE).await? {
            match self.renew(id, now).await {
                // Somebody has answered, or another instance was faster.
                Ok(()) | Err(Failure::Changed) => {}
                Err(failure) => outcome = Err(failure),
            }
        }
        outcome
    }

    async fn renew(&self, id: Uuid, now: Timestamp) -> Result<(), Failure> {
        let Some(loaded) = self.appointments.opening(id).await? else { return Ok(()) };
        if loaded.opening().due().is_none_or(|due| due > now) {
            return Ok(());
        }
        let next = self.renewed(loaded.opening(), now).await?;
        let write = loaded.replaced(next, None, &Entry::new(audit::Action::Update, "offer"))?;
        self.appointments.save_opening(write).await
    }

    /// An opening by id.
    pub async fn find_opening(&self, id: Uuid) -> Result<Option<VersionedOpening>, Failure> {
        Ok(self.appointments.opening(id).await?.as_ref().map(versioned))
    }

    /// Those who wait, whoever comes first first; none where there is no such clinic.
    pub async fn waitlist(
        &self,
        at: WaitingAt,
        after: Option<AppointmentId>,
        limit: usize,
    ) -> Result<Option<Page>, Failure> {
        self.appointments.waitlist(at, after, limit).await
    }

    /// What is open at a clinic, the earliest time first; none where there is no such clinic.
    pub async fn openings(
        &self,
        clinic: ClinicId,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Option<(Vec<VersionedOpening>, bool)>, Failure> {
        self.appointments.openings(clinic, after, limit).await
    }
}

impl WantedWait {
    fn asked(&self, own: AppointmentId) -> Asked {
        Asked {
            own,
            patient: self.patient,
            practitioner: self.waiting.practitioner,
            room: None,
            service: self.service,
            clinic: self.clinic,
            starts: Vec::new(),
        }
    }
}

fn versioned(loaded: &LoadedOpening) -> VersionedOpening {
    VersionedOpening { id: loaded.id, opening: loaded.opening().clone(), version: loaded.version() }
}
