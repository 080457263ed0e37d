//! The calendar's documents in the state store, and what the database is asked about them.

mod leaves;
mod slots;
mod working_time;

use std::marker::PhantomData;

use audit::Entry;
use problem::input::{self, Findings};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json, value::RawValue};
use sidecar::{
    Sidecar,
    documents::{Document, Documents, KeyedRequest, Kind, Stored, Write},
    failure::Failure,
};
use uuid::Uuid;

pub use self::{
    leaves::{Conflict, VersionedLeave},
    slots::{Context, SlotQuestion},
    working_time::{WorkingContext, WorkingQuestion},
};
use crate::{
    domain::calendar::{ClinicId, clinic::Clinic, practitioner::Practitioner, room::Room, service::Service},
    fhir::calendar::{Reference, Resource},
};

/// `data` of the documents of a kind: what its door writes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent, bound = "")]
struct ResourceData<T> {
    written: Map<String, Value>,
    #[serde(skip)]
    kind: PhantomData<T>,
}

impl<T: Resource> Kind for ResourceData<T> {
    const NAME: &'static str = T::KIND;
    const SCHEMA: u32 = 1;
}

/// A stored one with its id and version.
#[derive(Clone, Debug)]
pub struct Versioned<T> {
    /// Its id.
    pub id: Uuid,
    /// The thing.
    pub thing: T,
    /// Its version.
    pub version: u64,
}

/// One that was loaded to be changed.
#[derive(Debug)]
pub struct Loaded<T> {
    /// What is there.
    pub current: Versioned<T>,
    stored: Stored<ResourceData<T>>,
}

/// What the database knows when something is about to be made or changed.
#[derive(Debug)]
pub struct Check<T> {
    /// What the same request made before: its hash and version 1.
    pub own: Option<(Uuid, Versioned<T>)>,
    /// Of each that is named, what is known of it.
    pub references: Vec<Referred>,
}

/// What is known of something that is named.
#[derive(Debug, Deserialize)]
pub struct Referred {
    /// Whether it is there.
    pub there: bool,
    /// At which clinic, if it is at one.
    pub clinic: Option<ClinicId>,
    /// The zone of a clinic.
    pub zone: Option<String>,
}

/// What a page is asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PageQuestion {
    /// At this clinic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clinic: Option<ClinicId>,
    /// In use, or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// The last of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Uuid>,
    /// How many.
    pub limit: u16,
}

/// A page.
#[derive(Debug)]
pub struct Page<T> {
    /// In order.
    pub items: Vec<T>,
    /// The last of them, when there are more.
    pub next: Option<Uuid>,
}

/// The calendar's documents.
#[derive(Clone, Debug)]
pub struct Calendars {
    sidecar: Sidecar,
    documents: Documents,
}

impl Calendars {
    /// The calendar in this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { sidecar, documents }
    }

    /// Whether the request was served before, and whether what is named is there.
    pub async fn check<T: Resource>(&self, id: Uuid, references: &[Reference]) -> Result<Check<T>, Failure> {
        let (own, references) = self.ask_check(T::KIND, id, references).await?;
        let own = own.map(|document| {
            let document = Document::<ResourceData<T>>::parse(document.get().as_bytes())?;
            let hash = document.requests.first().map(|request| request.hash).unwrap_or_default();
            Ok::<_, Failure>((hash, versioned(id, &document)?))
        });
        Ok(Check { own: own.transpose()?, references })
    }

    async fn ask_check(
        &self,
        kind: &str,
        id: Uuid,
        references: &[Reference],
    ) -> Result<(Option<Box<RawValue>>, Vec<Referred>), Failure> {
        #[derive(Deserialize)]
        struct Answer {
            own: Option<Box<RawValue>>,
            references: Vec<Referred>,
        }
        let named: Vec<_> = references.iter().map(|reference| (reference.kind, reference.id)).collect();
        let asked = json!({ "key": format!("{kind}/{id}"), "references": named });
        let Answer { own, references } = self.sidecar.query("calendar_check", &asked).await?;
        Ok((own, references))
    }

    /// Stores one that is not there yet.
    pub async fn create<T: Resource>(
        &self,
        id: Uuid,
        thing: &T,
        request: KeyedRequest,
        entry: &Entry,
    ) -> Result<(), Failure> {
        let mut document = Document::first(ResourceData::of(thing), Vec::new()).audited(entry)?;
        document.remember(request);
        self.documents.save(vec![Write::create(id, document)?]).await
    }

    /// One by its id.
    pub async fn get<T: Resource>(&self, id: Uuid) -> Result<Option<Loaded<T>>, Failure> {
        let Some(stored) = self.documents.get::<ResourceData<T>>(id).await? else { return Ok(None) };
        Ok(Some(Loaded { current: versioned(id, &stored.document)?, stored }))
    }

    /// Stores the next version.
    pub async fn replace<T: Resource>(&self, loaded: &Loaded<T>, thing: &T, entry: &Entry) -> Result<u64, Failure> {
        let document = loaded.stored.document.next(ResourceData::of(thing), Vec::new()).audited(entry)?;
        let version = document.version;
        self.documents.save(vec![Write::replace(loaded.current.id, &loaded.stored, document)?]).await?;
        Ok(version)
    }

    /// A page in the order of their names.
    pub async fn page<T: Resource>(&self, question: &PageQuestion) -> Result<Page<Versioned<T>>, Failure> {
        #[derive(Serialize)]
        struct Asked<'a> {
            kind: &'static str,
            #[serde(flatten)]
            question: &'a PageQuestion,
        }
        let answer: AnsweredPage = self.sidecar.query("calendar_page", &Asked { kind: T::KIND, question }).await?;
        answer.map(|id, document| versioned(id, &Document::<ResourceData<T>>::parse(document.get().as_bytes())?))
    }
}

#[derive(Deserialize)]
struct AnsweredPage {
    items: Vec<(Uuid, Box<RawValue>)>,
    next: Option<Uuid>,
}

impl AnsweredPage {
    fn map<T>(self, read: impl Fn(Uuid, &RawValue) -> Result<T, Failure>) -> Result<Page<T>, Failure> {
        let items = self.items.iter().map(|(id, document)| read(*id, document)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: self.next })
    }
}

impl<T: Resource> ResourceData<T> {
    fn of(thing: &T) -> Self {
        Self { written: thing.write(), kind: PhantomData }
    }
}

/// A stored clinic.
pub fn clinic(document: &RawValue) -> Result<Clinic, Failure> {
    thing(document)
}

/// A stored practitioner.
pub fn practitioner(document: &RawValue) -> Result<Practitioner, Failure> {
    thing(document)
}

/// A stored room.
pub fn room(document: &RawValue) -> Result<Room, Failure> {
    thing(document)
}

/// A stored service.
pub fn service(document: &RawValue) -> Result<Service, Failure> {
    thing(document)
}

fn thing<T: Resource>(document: &RawValue) -> Result<T, Failure> {
    read(&Document::<ResourceData<T>>::parse(document.get().as_bytes())?)
}

fn versioned<T: Resource>(id: Uuid, document: &Document<ResourceData<T>>) -> Result<Versioned<T>, Failure> {
    Ok(Versioned { id, thing: read(document)?, version: document.version })
}

/// What is stored goes through the same door as a request; what does not fit is our mistake and not the caller's.
fn read<T: Resource>(document: &Document<ResourceData<T>>) -> Result<T, Failure> {
    let mut findings = Findings::default();
    let read = input::object(Value::Object(document.data.written.clone())).and_then(|mut object| {
        let thing = T::read(&mut object, &mut findings);
        object.finish(&mut findings);
        findings.into_result(thing)
    });
    read.map_err(|_| Failure::Bug(format!("a {} does not read as it was written", T::KIND)))
}
