//! Leave: it is put, and what is booked in it is shown for a decision.

use audit::{Action, Agent, Entry};
use problem::Problem;
use sidecar::{documents::KeyedRequest, failure::Failure};

use super::{Calendar, CalendarError, TRIES, check_references};
use crate::{
    domain::calendar::{
        ClinicId, LeaveId,
        clinic::Clinic,
        leave::{Absent, Leave},
        zone::Zone,
    },
    fhir::calendar::Reference,
    outbound::calendar::{Conflict, Page, PageQuestion, VersionedLeave},
    service::Keyed,
};

/// As many as one looks through; when those are decided, others are shown.
const MOST_CONFLICTS: usize = 200;

/// A leave with the appointments that it lies over.
#[derive(Debug)]
pub struct LeaveView {
    /// The leave.
    pub leave: VersionedLeave,
    /// The clock that it was given by.
    pub zone: Zone,
    /// The first of them.
    pub conflicts: Vec<Conflict>,
    /// Whether there are more.
    pub more: bool,
}

impl Calendar {
    /// Puts a leave, which `period` reads by the clock of a clinic. It cancels nothing.
    ///
    /// What it lies over is read when it is written: a booking takes its turn before, and is seen here, or after, and
    /// sees the leave.
    pub async fn put_leave(
        &self,
        absent: Absent,
        clinic: ClinicId,
        read: impl Fn(&Zone) -> Result<Leave, Problem>,
        request: Keyed,
        by: Agent,
    ) -> Result<LeaveView, CalendarError> {
        let id = LeaveId::new(request.key);
        let (kind, owner, at) = match absent {
            Absent::Practitioner(id) => ("practitioner", id.as_uuid(), None),
            Absent::Room(id) => ("room", id.as_uuid(), Some(clinic)),
        };
        let clinic_there =
            Reference { pointer: "/clinicId".to_owned(), kind: "clinic", id: clinic.as_uuid(), at: None };
        // A room of another clinic is a wrong clinic.
        let owner_there = Reference { pointer: "/clinicId".to_owned(), kind, id: owner, at };
        let references = [owner_there, clinic_there];
        let mut tried = 0;
        loop {
            let check = self.calendars.check_leave(id, &references).await?;
            if let Some((hash, own)) = check.own {
                return if hash == request.hash { self.view(own).await } else { Err(CalendarError::KeyReused) };
            }
            if check.references.first().is_some_and(|owner| !owner.there) {
                return Err(CalendarError::Unknown);
            }
            check_references(&references, &check.references).map_err(CalendarError::Unfit)?;
            let leave = read(&self.zone(clinic).await?).map_err(CalendarError::Unfit)?;
            let keyed = KeyedRequest { key: request.key, hash: request.hash, version: 1 };
            let entry = Entry::new(Action::Create, "create").by(by);
            tried += 1;
            match self.calendars.create_leave(id, &leave, keyed, &entry).await {
                Ok(()) => return self.view(VersionedLeave { id, leave, version: 1 }).await,
                Err(Failure::KeyTaken | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// A leave of somebody.
    pub async fn leave(&self, absent: Absent, id: LeaveId) -> Result<Option<LeaveView>, CalendarError> {
        let loaded = self.calendars.get_leave(id).await?.filter(|loaded| loaded.current.leave.absent == absent);
        match loaded {
            Some(loaded) => self.view(loaded.current).await.map(Some),
            None => Ok(None),
        }
    }

    /// Takes version `expected` of a leave back.
    pub async fn withdraw_leave(
        &self,
        absent: Absent,
        id: LeaveId,
        expected: u64,
        by: Agent,
    ) -> Result<LeaveView, CalendarError> {
        let mut tried = 0;
        loop {
            let loaded = self.calendars.get_leave(id).await?;
            let loaded = loaded.filter(|loaded| loaded.current.leave.absent == absent).ok_or(CalendarError::Unknown)?;
            let current = &loaded.current;
            if current.version != expected {
                return Err(CalendarError::Stale { current: current.version });
            }
            if current.leave.withdrawn {
                return self.view(loaded.current).await;
            }
            let leave = Leave { withdrawn: true, ..current.leave.clone() };
            let entry = Entry::new(Action::Update, "update").by(by);
            tried += 1;
            match self.calendars.replace_leave(&loaded, &leave, &entry).await {
                Ok(version) => return self.view(VersionedLeave { id, leave, version }).await,
                Err(Failure::Changed | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// A page of the leaves of somebody, the latest first, each with the clock that it was given by.
    pub async fn leaves(
        &self,
        absent: Absent,
        question: &PageQuestion,
    ) -> Result<Option<Page<(VersionedLeave, Zone)>>, CalendarError> {
        let Some(page) = self.calendars.leaves(absent, question).await? else { return Ok(None) };
        let mut zones: Vec<(ClinicId, Zone)> = Vec::new();
        let mut items = Vec::with_capacity(page.items.len());
        for leave in page.items {
            let clinic = leave.leave.clinic;
            let known = zones.iter().find(|(known, _)| *known == clinic).map(|(_, zone)| zone.clone());
            let zone = if let Some(zone) = known {
                zone
            } else {
                let zone = self.zone(clinic).await?;
                zones.push((clinic, zone.clone()));
                zone
            };
            items.push((leave, zone));
        }
        Ok(Some(Page { items, next: page.next }))
    }

    async fn view(&self, leave: VersionedLeave) -> Result<LeaveView, CalendarError> {
        let zone = self.zone(leave.leave.clinic).await?;
        let mut conflicts = self.calendars.conflicts(leave.id, MOST_CONFLICTS + 1).await?;
        let more = conflicts.len() > MOST_CONFLICTS;
        conflicts.truncate(MOST_CONFLICTS);
        Ok(LeaveView { leave, zone, conflicts, more })
    }

    async fn zone(&self, clinic: ClinicId) -> Result<Zone, Failure> {
        let loaded = self.calendars.get::<Clinic>(clinic.as_uuid()).await?;
        let loaded =
            loaded.ok_or_else(|| Failure::Bug(format!("a leave names clinic/{clinic}, which is not there")))?;
        Ok(loaded.current.thing.zone)
    }
}
