//! Appointments in the state store, and what the database is asked about them.

mod check;
pub mod series;
mod snapshot;
pub mod waiting;

use audit::Entry;
use contracts::{
    patient::v1::{AppointmentBooked, AppointmentChanged},
    topic,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use sidecar::{
    Sidecar,
    documents::{Document, Documents, KeyedRequest, Kind, Stored, Write},
    event::Event,
    failure::Failure,
    functions::Questions,
    origin::Origin,
};
use uuid::Uuid;

pub use self::check::{Asked, Check, Missing, Named};
use self::snapshot::snapshot;
use crate::{
    APP_ID,
    domain::{
        appointment::{Appointment, AppointmentId},
        calendar::{ClinicId, PractitionerId, RoomId},
        patient::PatientId,
    },
};

/// `data` of an `appointment/<id>` document.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub struct AppointmentData(Appointment);

impl Kind for AppointmentData {
    const NAME: &'static str = "appointment";
    const SCHEMA: u32 = 1;
}

/// A stored appointment with its version.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// Which.
    pub id: AppointmentId,
    /// What it is.
    pub appointment: Appointment,
    /// Its version.
    pub version: u64,
}

/// An appointment that was loaded to be changed.
#[derive(Debug)]
pub struct Loaded {
    /// What it is.
    pub current: Versioned,
    stored: Stored<AppointmentData>,
}

/// A page of appointments or of versions of one.
#[derive(Debug)]
pub struct Page {
    /// In their order.
    pub items: Vec<Versioned>,
    /// Whether there are more.
    pub more: bool,
}

/// At whom or where a day is looked at.
#[derive(Clone, Copy, Debug)]
pub enum Agenda {
    /// A practitioner's.
    Practitioner(PractitionerId),
    /// A room's.
    Room(RoomId),
}

/// The appointments.
#[derive(Clone, Debug)]
pub struct Appointments {
    sidecar: Sidecar,
    checks: Questions,
    documents: Documents,
}

impl Appointments {
    /// Appointments in this sidecar's store.
    ///
    /// Each is saved in a transaction of its own: appointments of one transaction would take turns at several
    /// practitioners, in an order that another's could contradict.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { checks: Questions::new(&sidecar, "booking_check"), sidecar, documents: documents.one_by_one() }
    }

    /// An appointment by id.
    pub async fn get(&self, id: AppointmentId) -> Result<Option<Loaded>, Failure> {
        let Some(stored) = self.documents.get::<AppointmentData>(id.as_uuid()).await? else { return Ok(None) };
        Ok(Some(Loaded { current: versioned(id, &stored.document), stored }))
    }

    /// Stores an appointment that is not there yet.
    pub async fn create(
        &self,
        id: AppointmentId,
        appointment: &Appointment,
        request: KeyedRequest,
        entry: &Entry,
    ) -> Result<(), Failure> {
        self.documents.save(vec![created(id, appointment, Some(request), entry)?]).await
    }

    /// Stores the next version of an appointment, and with it what goes together with that.
    pub async fn replace(
        &self,
        loaded: &Loaded,
        appointment: &Appointment,
        request: Option<KeyedRequest>,
        entry: &Entry,
        beside: Vec<Write>,
    ) -> Result<u64, Failure> {
        let mut writes = vec![replaced(loaded, appointment, request, entry)?];
        writes.extend(beside);
        self.documents.save(writes).await?;
        Ok(loaded.current.version + 1)
    }

    /// The zone of a clinic, if there is one.
    pub async fn zone(&self, clinic: ClinicId) -> Result<Option<String>, Failure> {
        self.sidecar.query("clinic_zone", &json!({ "id": clinic })).await
    }

    /// The versions before `before`, or all, newest first.
    pub async fn history(&self, id: AppointmentId, before: Option<u64>, limit: usize) -> Result<Page, Failure> {
        let asked = json!({ "id": id.as_uuid(), "before": before, "limit": limit });
        let documents: Vec<Box<RawValue>> = self.sidecar.query("appointment_history", &asked).await?;
        page(documents.into_iter().map(|document| (id, document)), limit)
    }

    /// A patient's appointments after `after`, newest first; none where there is no such patient.
    pub async fn of_patient(
        &self,
        patient: PatientId,
        after: Option<AppointmentId>,
        limit: usize,
    ) -> Result<Option<Page>, Failure> {
        let asked = json!({ "patientId": patient, "after": after, "limit": limit });
        let documents: Option<Vec<(AppointmentId, Box<RawValue>)>> =
            self.sidecar.query("appointments_of_patient", &asked).await?;
        documents.map(|documents| page(documents, limit)).transpose()
    }

    /// What a clinic's days from `from` until before `until` have at a practitioner or in a room, in the order of time;
    /// none where there is no such clinic.
    pub async fn of_days(
        &self,
        agenda: Agenda,
        clinic: ClinicId,
        (from, until): (Date, Date),
        after: Option<AppointmentId>,
        limit: usize,
    ) -> Result<Option<Page>, Failure> {
        let mut asked = json!({ "clinicId": clinic, "from": from, "until": until, "limit": limit });
        match agenda {
            Agenda::Practitioner(id) => asked["practitionerId"] = json!(id),
            Agenda::Room(id) => asked["roomId"] = json!(id),
        }
        if let Some(after) = after {
            asked["after"] = json!(after);
        }
        let documents: Option<Vec<(AppointmentId, Box<RawValue>)>> =
            self.sidecar.query("appointments_of_days", &asked).await?;
        documents.map(|documents| page(documents, limit)).transpose()
    }
}

impl Loaded {
    /// What an earlier request with this key made of the appointment.
    pub fn served(&self, key: Uuid) -> Option<&KeyedRequest> {
        self.stored.document.requests.iter().find(|request| request.key == key)
    }
}

/// The write of an appointment that is not there yet.
pub(super) fn created(
    id: AppointmentId,
    appointment: &Appointment,
    request: Option<KeyedRequest>,
    entry: &Entry,
) -> Result<Write, Failure> {
    let told = AppointmentBooked { appointment: Some(snapshot(id, appointment, 1)) };
    let event = event(topic::APPOINTMENT_BOOKED, id, appointment, &told)?;
    let mut document = Document::first(AppointmentData(appointment.clone()), vec![event]).audited(entry)?;
    if let Some(request) = request {
        document.remember(request);
    }
    Write::create(id.as_uuid(), document)
}

/// The write of the next version.
pub(super) fn replaced(
    loaded: &Loaded,
    appointment: &Appointment,
    request: Option<KeyedRequest>,
    entry: &Entry,
) -> Result<Write, Failure> {
    let Versioned { id, version, .. } = loaded.current;
    let told = AppointmentChanged { appointment: Some(snapshot(id, appointment, version + 1)) };
    let event = event(topic::APPOINTMENT_CHANGED, id, appointment, &told)?;
    let mut document = loaded.stored.document.next(AppointmentData(appointment.clone()), vec![event]).audited(entry)?;
    if let Some(request) = request {
        document.remember(request);
    }
    Write::replace(id.as_uuid(), &loaded.stored, document)
}

/// Reads a stored appointment, with the hash of what made it.
pub(super) fn parse(id: AppointmentId, json: &RawValue) -> Result<(Option<Uuid>, Versioned), Failure> {
    let document = Document::<AppointmentData>::parse(json.get().as_bytes())?;
    Ok((document.requests.first().map(|request| request.hash), versioned(id, &document)))
}

/// Reads a stored appointment.
pub(super) fn read(id: AppointmentId, json: &RawValue) -> Result<Versioned, Failure> {
    Ok(parse(id, json)?.1)
}

fn page(documents: impl IntoIterator<Item = (AppointmentId, Box<RawValue>)>, limit: usize) -> Result<Page, Failure> {
    let items = documents.into_iter().map(|(id, document)| Ok(parse(id, &document)?.1));
    let mut items = items.collect::<Result<Vec<_>, Failure>>()?;
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(Page { items, more })
}

fn versioned(id: AppointmentId, document: &Document<AppointmentData>) -> Versioned {
    Versioned { id, appointment: document.data.0.clone(), version: document.version }
}

fn event<M: prost::Name + Serialize>(
    topic: &str,
    id: AppointmentId,
    appointment: &Appointment,
    message: &M,
) -> Result<Event, Failure> {
    let (subject, event_id, time) = (id.as_uuid(), Uuid::now_v7(), appointment.stamps.changed);
    Event::new(topic, APP_ID, subject, event_id, time, Some(Origin::current()), message)
        .map_err(|error| Failure::Bug(error.to_string()))
}
