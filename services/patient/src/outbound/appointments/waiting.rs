//! Those who wait in the state store, and what became free for them.

use audit::Entry;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use sidecar::{
    documents::{Document, KeyedRequest, Kind, Stored, Write},
    failure::Failure,
};
use uuid::Uuid;

use super::{AppointmentId, Appointments, Page, page};
use crate::domain::{
    appointment::{
        Place,
        waiting::{Opening, Queue},
    },
    calendar::{ClinicId, PractitionerId, ServiceId},
    patient::PatientId,
};

/// `data` of an `opening/<id>` document.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct OpeningData {
    #[serde(flatten)]
    opening: Opening,
    /// When an offer of it expires next; for the projection.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
}

impl Kind for OpeningData {
    const NAME: &'static str = "opening";
    const SCHEMA: u32 = 1;
}

impl From<Opening> for OpeningData {
    fn from(opening: Opening) -> Self {
        Self { due: opening.due(), opening }
    }
}

/// An opening that was loaded.
#[derive(Clone, Debug)]
pub struct LoadedOpening {
    /// Which.
    pub id: Uuid,
    stored: Stored<OpeningData>,
}

/// An opening with its id and version.
#[derive(Clone, Debug)]
pub struct VersionedOpening {
    /// Which.
    pub id: Uuid,
    /// What it is.
    pub opening: Opening,
    /// Its version.
    pub version: u64,
}

/// A place that is, or is to be, free.
#[derive(Clone, Copy, Debug)]
pub struct Freed {
    /// Where and when.
    pub place: Place,
    /// What for.
    pub service: ServiceId,
    /// At which clinic.
    pub clinic: ClinicId,
    /// The appointment that is going to leave it, and whose patient is not asked.
    pub by: AppointmentId,
}

/// Which of those who wait are asked for.
#[derive(Clone, Copy, Debug)]
pub struct WaitingAt {
    /// At which clinic.
    pub clinic: ClinicId,
    /// For what, if it is said.
    pub service: Option<ServiceId>,
    /// Those who would take a time at this practitioner, if it is said.
    pub practitioner: Option<PractitionerId>,
}

impl LoadedOpening {
    /// What it is.
    pub fn opening(&self) -> &Opening {
        &self.stored.document.data.opening
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        self.stored.document.version
    }

    /// What an earlier request with this key made of it.
    pub fn served(&self, key: Uuid) -> Option<&KeyedRequest> {
        self.stored.document.requests.iter().find(|request| request.key == key)
    }

    /// The write of its next version.
    pub fn replaced(&self, opening: Opening, request: Option<KeyedRequest>, entry: &Entry) -> Result<Write, Failure> {
        let mut document = self.stored.document.next(OpeningData::from(opening), Vec::new()).audited(entry)?;
        if let Some(request) = request {
            document.remember(request);
        }
        Write::replace(self.id, &self.stored, document)
    }
}

/// The write of an opening that is not there yet.
pub fn opened(id: Uuid, opening: Opening, entry: &Entry) -> Result<Write, Failure> {
    Write::create(id, Document::first(OpeningData::from(opening), Vec::new()).audited(entry)?)
}

impl Appointments {
    /// An opening by id.
    pub async fn opening(&self, id: Uuid) -> Result<Option<LoadedOpening>, Failure> {
        let stored = self.documents.get::<OpeningData>(id).await?;
        Ok(stored.map(|stored| LoadedOpening { id, stored }))
    }

    /// Stores the next version of an opening alone.
    pub async fn save_opening(&self, write: Write) -> Result<(), Failure> {
        self.documents.save(vec![write]).await
    }

    /// Who waits for each of these places, whoever comes first first, and whether it is free but for who leaves it.
    pub async fn waiting_for(&self, freed: &[Freed]) -> Result<Vec<Queue>, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            free: bool,
            waiting: Vec<(AppointmentId, PatientId)>,
        }
        let asked = |freed: &Freed| {
            json!({
                "practitionerId": freed.place.practitioner,
                "roomId": freed.place.room,
                "serviceId": freed.service,
                "clinicId": freed.clinic,
                "time": freed.place.time,
                "busy": freed.place.busy,
                "but": freed.by,
            })
        };
        let asked: Vec<_> = freed.iter().map(asked).collect();
        let answers: Vec<Answer> = self.sidecar.query("waiting_for", &asked).await?;
        Ok(answers.into_iter().map(|Answer { free, waiting }| Queue { free, waiting }).collect())
    }

    /// The openings of which an offer has expired, at most `limit`.
    pub async fn openings_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Uuid>, Failure> {
        self.sidecar.query("openings_due", &json!({ "now": now, "limit": limit })).await
    }

    /// Those who wait, whoever comes first first; none where there is no such clinic.
    pub async fn waitlist(
        &self,
        at: WaitingAt,
        after: Option<AppointmentId>,
        limit: usize,
    ) -> Result<Option<Page>, Failure> {
        let asked = json!({
            "clinicId": at.clinic,
            "serviceId": at.service,
            "practitionerId": at.practitioner,
            "after": after,
            "limit": limit,
        });
        let documents: Option<Vec<(AppointmentId, Box<RawValue>)>> = self.sidecar.query("waitlist", &asked).await?;
        documents.map(|documents| page(documents, limit)).transpose()
    }

    /// What is open at a clinic, the earliest time first, and whether there is more; none where there is no such clinic.
    pub async fn openings(
        &self,
        clinic: ClinicId,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Option<(Vec<VersionedOpening>, bool)>, Failure> {
        let asked = json!({ "clinicId": clinic, "after": after, "limit": limit });
        let documents: Option<Vec<(Uuid, Box<RawValue>)>> = self.sidecar.query("openings", &asked).await?;
        let Some(documents) = documents else { return Ok(None) };
        let opening = |(id, document): (Uuid, Box<RawValue>)| {
            let document = Document::<OpeningData>::parse(document.get().as_bytes())?;
            Ok(VersionedOpening { id, opening: document.data.opening, version: document.version })
        };
        let mut openings = documents.into_iter().map(opening).collect::<Result<Vec<_>, Failure>>()?;
        let more = openings.len() > limit;
        openings.truncate(limit);
        Ok(Some((openings, more)))
    }
}
