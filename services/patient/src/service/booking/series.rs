//! Series: many appointments, made, moved or called off together.

pub mod following;

use std::collections::BTreeSet;

use access::Caller;
use audit::Entry;
use jiff::{Timestamp, civil::DateTime};
use sidecar::{documents::KeyedRequest, failure::Failure};
use uuid::Uuid;

use super::{BookingError, Bookings, TRIES, Wanted, entry, is_lost_race};
use crate::{
    domain::{
        appointment::{
            Appointment, AppointmentId, CancellationReason, Change, Occurrence,
            recurrence::{Occasion, Rule},
            series::{Conflict, Planned, Series, shift::Unshiftable},
            transitions::Action,
        },
        calendar::zone::Zone,
    },
    service::Keyed,
};

/// A series with its id and version.
#[derive(Clone, Debug)]
pub struct VersionedSeries {
    /// Which.
    pub id: Uuid,
    /// What it is.
    pub series: Series,
    /// Its version.
    pub version: u64,
}

/// What somebody wants booked again and again; when is in the rule.
#[derive(Clone, Debug)]
pub struct WantedSeries {
    /// Everything but when.
    pub wanted: Wanted,
    /// What the clinic's clock shows at the first.
    pub beginning: DateTime,
    /// How often.
    pub rule: Rule,
    /// Whether what cannot be booked is left out; otherwise nothing is booked then.
    pub skip_conflicts: bool,
}

/// Why no series was made or changed.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    /// There is no such series.
    #[error("there is no such series")]
    Unknown,
    /// The rule has no occurrence.
    #[error("the rule has no occurrence")]
    Empty,
    /// The occurrences cannot be moved so.
    #[error(transparent)]
    Unshiftable(#[from] Unshiftable),
    /// These cannot be booked.
    #[error("some of it cannot be booked")]
    Conflicts(Vec<Conflict>),
    /// What can be wrong with one appointment, too.
    #[error(transparent)]
    Booking(#[from] BookingError),
}

impl From<Failure> for SeriesError {
    fn from(failure: Failure) -> Self {
        Self::Booking(failure.into())
    }
}

impl Bookings {
    /// Makes a series.
    pub async fn make_series(
        &self,
        caller: &Caller,
        wanted: &WantedSeries,
        request: Keyed,
        now: Timestamp,
    ) -> Result<VersionedSeries, SeriesError> {
        let id = request.key;
        let zone = self.zone(wanted.wanted.clinic).await?;
        let queue = self.turns.of(wanted.wanted.practitioner);
        let _turn = queue.turn().await?;
        for _ in 0..TRIES {
            if let Some(made) = self.made(id, request).await? {
                return Ok(made);
            }
            let (series, appointments) = self.plan(caller, id, wanted, &zone, now).await?;
            let entry = Entry::new(audit::Action::Create, "create").by(caller).of_patient(series.patient_id.as_uuid());
            let keyed = KeyedRequest { key: request.key, hash: request.hash, version: 1 };
            match self.appointments.create_series(id, &series, keyed, &entry, &appointments).await {
                Ok(()) => {
                    queue.save();
                    return Ok(VersionedSeries { id, series, version: 1 });
                }
                Err(failure) if is_lost_race(&failure) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        Err(Failure::Again.into())
    }

    /// A series by id.
    pub async fn find_series(&self, id: Uuid) -> Result<Option<VersionedSeries>, Failure> {
        let loaded = self.appointments.series(id).await?;
        Ok(loaded.map(|loaded| VersionedSeries { id, series: loaded.series().clone(), version: loaded.version() }))
    }

    /// Calls off what of a series can be called off from a number on; what took place or is under way stays.
    pub async fn cancel_following(
        &self,
        caller: &Caller,
        id: Uuid,
        expected: u64,
        request: Option<Keyed>,
        (from, reason): (u16, CancellationReason),
        now: Timestamp,
    ) -> Result<VersionedSeries, SeriesError> {
        for _ in 0..TRIES {
            let loaded = self.appointments.series(id).await?.ok_or(SeriesError::Unknown)?;
            if let Some(request) = request
                && let Some(before) = loaded.served(request.key)
            {
                if before.hash != request.hash {
                    return Err(BookingError::KeyReused.into());
                }
                return Ok(VersionedSeries { id, series: loaded.series().clone(), version: loaded.version() });
            }
            if loaded.version() != expected {
                return Err(BookingError::Stale { current: loaded.version() }.into());
            }
            let following: Vec<_> = loaded.series().from(from).collect();
            let mut cancelled = Vec::new();
            for appointment in self.appointments.get_many(&following).await? {
                // What was handed on to another series since is not this one's to call off.
                if appointment.current.appointment.series.is_none_or(|series| series.id != id) {
                    continue;
                }
                if let Ok(next) = appointment.current.appointment.change(Change::Cancel(reason), now) {
                    let entry = entry(audit::Action::Update, "update", caller, &next).detail("action", "cancel");
                    cancelled.push((appointment, next, entry));
                }
            }
            let series = loaded.series().ended(from, now);
            let entry = Entry::new(audit::Action::Update, "update").by(caller).of_patient(series.patient_id.as_uuid());
            let keyed = request.map(|Keyed { key, hash }| KeyedRequest { key, hash, version: expected + 1 });
            let left: Vec<_> = cancelled.iter().map(|(before, next, _)| (&before.current, next)).collect();
            let openings = self.left(&left, now).await?;
            match self.appointments.replace_series(&loaded, &series, keyed, &entry, &cancelled, openings).await {
                Ok(version) => return Ok(VersionedSeries { id, series, version }),
                // One of them may have changed meanwhile, and not the series.
                Err(Failure::Changed | Failure::Again) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        Err(Failure::Changed.into())
    }

    async fn made(&self, id: Uuid, request: Keyed) -> Result<Option<VersionedSeries>, SeriesError> {
        let Some(loaded) = self.appointments.series(id).await? else { return Ok(None) };
        match loaded.served(request.key) {
            Some(before) if before.hash != request.hash => Err(BookingError::KeyReused.into()),
            _ => Ok(Some(VersionedSeries { id, series: loaded.series().clone(), version: loaded.version() })),
        }
    }

    /// The series and its appointments, as far as they can be booked.
    async fn plan(
        &self,
        caller: &Caller,
        id: Uuid,
        asked: &WantedSeries,
        zone: &Zone,
        now: Timestamp,
    ) -> Result<(Series, Vec<(AppointmentId, Appointment, Entry)>), SeriesError> {
        let WantedSeries { wanted, beginning, rule, skip_conflicts } = asked;
        let occasions = rule.expand(*beginning, zone);
        if occasions.is_empty() {
            return Err(SeriesError::Empty);
        }
        let starts = occasions.iter().map(|occasion| occasion.start).collect();
        let check = self.appointments.check(&wanted.asked_at(AppointmentId::new(id), starts)).await?;
        let situation = Wanted::situation(&check)?;
        let (mut planned, mut made, mut conflicts) = (Vec::new(), Vec::new(), Vec::new());
        for occasion in occasions {
            let Occasion { number, start, .. } = occasion;
            let own = AppointmentId::new(Uuid::new_v5(&id, &number.to_be_bytes()));
            let placement = situation.place(&Wanted { start, ..wanted.clone() }.wish(), now);
            let appointment_id = placement.is_ok().then_some(own);
            planned.push(Planned { number, start, appointment_id, kept: false });
            match placement {
                Ok(placement) => {
                    let occurrence = Occurrence { id, number: number.into(), moved: false };
                    let subject = wanted.subject(&check)?;
                    let appointment = Appointment::new(subject, placement, Action::Book, Some(occurrence), now);
                    let appointment =
                        appointment.ok_or_else(|| Failure::Bug("booking begins no appointment".to_owned()))?;
                    let entry = entry(audit::Action::Create, "create", caller, &appointment);
                    made.push((own, appointment, entry));
                }
                Err(why) => conflicts.push(Conflict { occasion, why }),
            }
        }
        if made.is_empty() || !(conflicts.is_empty() || *skip_conflicts) {
            return Err(SeriesError::Conflicts(conflicts));
        }
        let rooms: BTreeSet<_> = made.iter().filter_map(|(_, appointment, _)| appointment.place()?.room).collect();
        let series = Series {
            patient_id: wanted.patient,
            practitioner_id: wanted.practitioner,
            room_id: wanted.room,
            service_id: wanted.service,
            clinic_id: wanted.clinic,
            time_zone: zone.name().to_owned(),
            beginning: *beginning,
            rule: rule.clone(),
            occurrences: planned,
            ended_from: None,
            continues: None,
            continued_by: None,
            rooms: rooms.into_iter().collect(),
            created: now,
            changed: now,
        };
        Ok((series, made))
    }
}
