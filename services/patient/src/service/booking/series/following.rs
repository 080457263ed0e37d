//! "This and following": a series is split, and what follows is moved.

use access::Caller;
use audit::Entry;
use jiff::{Timestamp, civil::DateTime};
use sidecar::{documents::KeyedRequest, failure::Failure};
use uuid::Uuid;

use super::{SeriesError, VersionedSeries};
use crate::{
    domain::{
        appointment::{
            AppointmentId,
            series::split::{GoneOver, Split, Splitting},
        },
        calendar::{PractitionerId, RoomId},
    },
    outbound::appointments::{
        Loaded,
        series::{LoadedSeries, SplitWrites},
    },
    service::{
        Keyed,
        booking::{BookingError, Bookings, TRIES, Wanted, entry, is_lost_race, zone},
    },
};

/// Where the occurrences from one on are to be.
#[derive(Clone, Copy, Debug)]
pub struct Following {
    /// The number of the first.
    pub from: u16,
    /// What the clinic's clock shows when that one begins.
    pub start: DateTime,
    /// At whom, if at somebody else.
    pub practitioner: Option<PractitionerId>,
    /// Where, if it is to be another room.
    pub room: Option<RoomId>,
    /// Whether what cannot be moved along stays; otherwise nothing is moved then.
    pub skip_conflicts: bool,
}

impl Bookings {
    /// Moves what of a series can be moved from a number on; answers the series that has it then.
    ///
    /// What took place, is under way or was called off stays with the series that it was of.
    pub async fn move_following(
        &self,
        caller: &Caller,
        id: Uuid,
        expected: u64,
        request: Option<Keyed>,
        wanted: &Following,
        now: Timestamp,
    ) -> Result<VersionedSeries, SeriesError> {
        let continued = continuation(id, expected);
        let mut looked = self.appointments.series(id).await?;
        let own = looked.as_ref().map(|loaded| loaded.series().practitioner_id).ok_or(SeriesError::Unknown)?;
        let queue = self.turns.of(wanted.practitioner.unwrap_or(own));
        let _turn = queue.turn().await?;
        for _ in 0..TRIES {
            let loaded = match looked.take() {
                Some(loaded) => loaded,
                None => self.appointments.series(id).await?.ok_or(SeriesError::Unknown)?,
            };
            if let Some(request) = request
                && let Some(before) = loaded.served(request.key)
            {
                if before.hash != request.hash {
                    return Err(BookingError::KeyReused.into());
                }
                return self.find_series(continued).await?.ok_or(SeriesError::Unknown);
            }
            if loaded.version() != expected {
                return Err(BookingError::Stale { current: loaded.version() }.into());
            }
            let ids: Vec<_> = loaded.series().from(wanted.from).collect();
            let appointments = self.appointments.get_many(&ids).await?;
            let Split { ended, series, appointments: next } =
                match self.split(&loaded, &appointments, continued, wanted, now).await {
                    Ok(split) => split,
                    // Of a series that somebody has moved since, nothing is left to move; the next round says so.
                    Err(_) if self.is_stale(&loaded).await? => continue,
                    Err(error) => return Err(error),
                };
            let keyed = request.map(|Keyed { key, hash }| KeyedRequest { key, hash, version: expected + 1 });
            let own = |action, subtype| Entry::new(action, subtype).by(caller).of_patient(series.patient_id.as_uuid());
            let over = next.iter().map(|GoneOver { id, appointment, kept }| {
                let action = if *kept { "continue" } else { "reschedule" };
                let entry = entry(audit::Action::Update, "update", caller, appointment).detail("action", action);
                let loaded = appointments.iter().find(|loaded| loaded.current.id == *id);
                let loaded =
                    loaded.ok_or_else(|| Failure::Bug("an appointment that was not loaded moved".to_owned()))?;
                Ok::<_, Failure>((loaded, appointment, entry))
            });
            let writes = SplitWrites {
                ended: (&ended, keyed, own(audit::Action::Update, "update").detail("action", "reschedule")),
                series: (continued, &series, own(audit::Action::Create, "create")),
                appointments: over.collect::<Result<_, Failure>>()?,
            };
            match self.appointments.split_series(&loaded, &writes).await {
                Ok(()) => {
                    queue.save();
                    return Ok(VersionedSeries { id: continued, series, version: 1 });
                }
                // One of them may have changed meanwhile, or somebody was faster at one of the places.
                Err(Failure::Changed) => {}
                Err(failure) if is_lost_race(&failure) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        Err(Failure::Again.into())
    }

    async fn is_stale(&self, loaded: &LoadedSeries) -> Result<bool, Failure> {
        Ok(self.appointments.series(loaded.id).await?.is_none_or(|there| there.version() != loaded.version()))
    }

    /// The series as it is then, the one that continues it, and the appointments that go over.
    async fn split(
        &self,
        loaded: &LoadedSeries,
        appointments: &[Loaded],
        continued: Uuid,
        wanted: &Following,
        now: Timestamp,
    ) -> Result<Split, SeriesError> {
        let series = loaded.series();
        let zone = zone(&series.time_zone)?;
        let own = appointments.iter().map(|loaded| (loaded.current.id, &loaded.current.appointment));
        let splitting = Splitting::of((loaded.id, series), (wanted.from, wanted.start), own, &zone, now)?;
        let place = Wanted {
            patient: series.patient_id,
            practitioner: wanted.practitioner.unwrap_or(series.practitioner_id),
            room: wanted.room.or(series.room_id),
            service: series.service_id,
            clinic: series.clinic_id,
            start: Timestamp::MIN,
            overbook: None,
        };
        let asked = place.asked_at(AppointmentId::new(continued), splitting.starts());
        let check = self.appointments.check(&asked).await?;
        let situation = Wanted::situation(&check)?;
        splitting.decide(continued, situation, place.room, wanted.skip_conflicts, now).map_err(SeriesError::Conflicts)
    }
}

/// The id of the series that continues version `expected` of another: it is made once, however often it is asked for.
fn continuation(id: Uuid, expected: u64) -> Uuid {
    Uuid::new_v5(&id, &expected.to_be_bytes())
}
