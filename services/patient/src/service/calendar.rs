//! The calendar: what it is made of, leave, and the search for a time.

mod leave;
mod slots;
mod working_time;

use audit::{Action, Agent, Entry};
use problem::{FieldError, Problem};
use sidecar::{documents::KeyedRequest, failure::Failure};
use uuid::Uuid;

pub use self::{
    leave::LeaveView,
    slots::{Offer, SearchError, SlotPage, SlotSearch},
    working_time::{WorkingPage, WorkingTime},
};
use super::Keyed;
use crate::{
    domain::calendar::{ClinicId, zone::Zone},
    fhir::calendar::{Reference, Resource},
    outbound::calendar::{Calendars, Page, PageQuestion, Referred, Versioned},
};

/// Changes that met another, or a deadlock, and are tried again.
const TRIES: u8 = 5;

/// When and where patients can be seen.
#[derive(Clone, Debug)]
pub struct Calendar {
    calendars: Calendars,
}

/// Why nothing of the calendar was made or changed.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    /// There is no such thing.
    #[error("there is no such thing")]
    Unknown,
    /// The caller has seen another version.
    #[error("it is at version {current}")]
    Stale {
        /// The version that is there.
        current: u64,
    },
    /// What the caller sent makes no such thing.
    #[error("the request does not fit")]
    Unfit(Problem),
    /// The key was used for another body.
    #[error("the key was used with another body")]
    KeyReused,
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl Calendar {
    /// A calendar on these documents.
    pub fn new(calendars: Calendars) -> Self {
        Self { calendars }
    }

    /// Makes something.
    pub async fn make<T: Resource>(&self, thing: T, request: Keyed, by: Agent) -> Result<Versioned<T>, CalendarError> {
        let (id, references) = (request.key, thing.references());
        let mut tried = 0;
        loop {
            let found = self.calendars.check::<T>(id, &references).await?;
            match found.own {
                Some((hash, _)) if hash != request.hash => return Err(CalendarError::KeyReused),
                Some((_, own)) => return Ok(own),
                None => check(&thing, &references, &found.references).map_err(CalendarError::Unfit)?,
            }
            let keyed = KeyedRequest { key: request.key, hash: request.hash, version: 1 };
            let entry = Entry::new(Action::Create, "create").by(by);
            tried += 1;
            match self.calendars.create(id, &thing, keyed, &entry).await {
                Ok(()) => return Ok(Versioned { id, thing, version: 1 }),
                Err(Failure::KeyTaken | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// Changes version `expected` of something by `patch`, which makes of the present state the wanted one.
    pub async fn change<T: Resource>(
        &self,
        id: Uuid,
        expected: u64,
        by: Agent,
        patch: impl Fn(&T) -> Result<T, Problem>,
    ) -> Result<Versioned<T>, CalendarError> {
        let mut tried = 0;
        loop {
            let loaded = self.calendars.get::<T>(id).await?.ok_or(CalendarError::Unknown)?;
            let current = &loaded.current;
            if current.version != expected {
                return Err(CalendarError::Stale { current: current.version });
            }
            let thing = patch(&current.thing).map_err(CalendarError::Unfit)?;
            if thing == current.thing {
                return Ok(current.clone());
            }
            self.check_change(id, &current.thing, &thing).await?;
            let entry = Entry::new(Action::Update, "update").by(by);
            tried += 1;
            match self.calendars.replace(&loaded, &thing, &entry).await {
                Ok(version) => return Ok(Versioned { id, thing, version }),
                // Whoever was faster made another version: the next round tells.
                Err(Failure::Changed | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    async fn check_change<T: Resource>(&self, id: Uuid, before: &T, after: &T) -> Result<(), CalendarError> {
        // Hours name it where it is.
        if before.home() != after.home() {
            return Err(CalendarError::Unfit(Problem::invalid_field("/clinicId", "cannot be changed")));
        }
        let references = after.references();
        if references == before.references() && after.named_clinics().is_empty() {
            return Ok(());
        }
        let found = self.calendars.check::<T>(id, &references).await?.references;
        check(after, &references, &found).map_err(CalendarError::Unfit)
    }

    /// Something by its id.
    pub async fn find<T: Resource>(&self, id: Uuid) -> Result<Option<Versioned<T>>, Failure> {
        Ok(self.calendars.get(id).await?.map(|loaded| loaded.current))
    }

    /// A page in the order of their names.
    pub async fn page<T: Resource>(&self, question: &PageQuestion) -> Result<Page<Versioned<T>>, Failure> {
        self.calendars.page(question).await
    }
}

/// What is named has to be there, and nobody is at two clinics at once.
fn check<T: Resource>(thing: &T, named: &[Reference], found: &[Referred]) -> Result<(), Problem> {
    check_references(named, found)?;
    let zone = |(reference, referred): (&Reference, &Referred)| {
        let zone = Zone::parse(referred.zone.as_deref()?).ok()?;
        Some((ClinicId::new(reference.id), zone))
    };
    let clashes = thing.clashes(&named.iter().zip(found).filter_map(zone).collect());
    let detail = || "overlaps hours at another clinic".to_owned();
    let wrong: Vec<_> = clashes.into_iter().map(|pointer| FieldError { pointer, detail: detail() }).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Problem::invalid(wrong)) }
}

/// What is named has to be there, and at the clinic that it is named for.
fn check_references(named: &[Reference], found: &[Referred]) -> Result<(), Problem> {
    let wrong = named.iter().zip(found).filter_map(|(reference, Referred { there, clinic, .. })| {
        let detail = match (there, reference.at, clinic) {
            (false, ..) => format!("there is no such {}", reference.kind),
            (true, Some(at), Some(clinic)) if at != *clinic => format!("is a {} of another clinic", reference.kind),
            _ => return None,
        };
        Some(FieldError { pointer: reference.pointer.clone(), detail })
    });
    let wrong: Vec<_> = wrong.collect();
    if wrong.is_empty() { Ok(()) } else { Err(Problem::invalid(wrong)) }
}
