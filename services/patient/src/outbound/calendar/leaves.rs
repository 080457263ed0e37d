//! Leaves in the state store.

use audit::Entry;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use sidecar::{
    documents::{Document, KeyedRequest, Kind, Stored, Write},
    failure::Failure,
};
use uuid::Uuid;

use super::{AnsweredPage, Calendars, Page, PageQuestion, Referred};
use crate::{
    domain::calendar::{
        ClinicId, LeaveId, PractitionerId, RoomId,
        interval::Interval,
        leave::{Absent, Leave, Reason},
    },
    fhir::calendar::Reference,
};

/// `data` of a `leave/<id>` document.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct LeaveData {
    #[serde(skip_serializing_if = "Option::is_none")]
    practitioner_id: Option<PractitionerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<RoomId>,
    clinic_id: ClinicId,
    period: Interval,
    reason: String,
    withdrawn: bool,
}

impl Kind for LeaveData {
    const NAME: &'static str = "leave";
    const SCHEMA: u32 = 1;
}

/// A stored leave with its id and version.
#[derive(Clone, Debug)]
pub struct VersionedLeave {
    /// Its id.
    pub id: LeaveId,
    /// The leave.
    pub leave: Leave,
    /// Its version.
    pub version: u64,
}

/// A leave that was loaded to be changed.
#[derive(Debug)]
pub struct LoadedLeave {
    /// What is there.
    pub current: VersionedLeave,
    stored: Stored<LeaveData>,
}

/// What the database knows when a leave is about to be made.
#[derive(Debug)]
pub struct LeaveCheck {
    /// What the same request made before: its hash and version 1.
    pub own: Option<(Uuid, VersionedLeave)>,
    /// Of each that is named, whether it is there, and at which clinic, if it is at one.
    pub references: Vec<Referred>,
}

/// An appointment that a leave lies over.
#[derive(Clone, Debug, Deserialize)]
pub struct Conflict {
    /// Its id.
    pub appointment_id: Uuid,
    /// Who comes.
    pub patient_id: Uuid,
    /// Who sees them.
    pub practitioner_id: Option<PractitionerId>,
    /// Where.
    pub room_id: Option<RoomId>,
    /// How far it is.
    pub status: String,
    /// When it begins.
    pub starts: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
}

impl Calendars {
    /// Whether the request was served before, and whether what is named is there.
    pub async fn check_leave(&self, id: LeaveId, references: &[Reference]) -> Result<LeaveCheck, Failure> {
        let (own, references) = self.ask_check(LeaveData::NAME, id.as_uuid(), references).await?;
        let own = own.map(|document| {
            let document = Document::<LeaveData>::parse(document.get().as_bytes())?;
            let hash = document.requests.first().map(|request| request.hash).unwrap_or_default();
            Ok::<_, Failure>((hash, versioned(id, &document)?))
        });
        Ok(LeaveCheck { own: own.transpose()?, references })
    }

    /// Stores a leave that is not there yet.
    pub async fn create_leave(
        &self,
        id: LeaveId,
        leave: &Leave,
        request: KeyedRequest,
        entry: &Entry,
    ) -> Result<(), Failure> {
        let mut document = Document::first(LeaveData::of(leave), Vec::new()).audited(entry)?;
        document.remember(request);
        self.documents.save(vec![Write::create(id.as_uuid(), document)?]).await
    }

    /// A leave by its id.
    pub async fn get_leave(&self, id: LeaveId) -> Result<Option<LoadedLeave>, Failure> {
        let Some(stored) = self.documents.get::<LeaveData>(id.as_uuid()).await? else { return Ok(None) };
        Ok(Some(LoadedLeave { current: versioned(id, &stored.document)?, stored }))
    }

    /// Stores the next version of a leave.
    pub async fn replace_leave(&self, loaded: &LoadedLeave, leave: &Leave, entry: &Entry) -> Result<u64, Failure> {
        let document = loaded.stored.document.next(LeaveData::of(leave), Vec::new()).audited(entry)?;
        let version = document.version;
        self.documents.save(vec![Write::replace(loaded.current.id.as_uuid(), &loaded.stored, document)?]).await?;
        Ok(version)
    }

    /// A page of the leaves of somebody, the latest first; none if there is nobody of that id.
    pub async fn leaves(
        &self,
        absent: Absent,
        question: &PageQuestion,
    ) -> Result<Option<Page<VersionedLeave>>, Failure> {
        let mut asked = json!({ "limit": question.limit });
        match absent {
            Absent::Practitioner(id) => asked["practitioner"] = json!(id),
            Absent::Room(id) => asked["room"] = json!(id),
        }
        if let Some(after) = question.after {
            asked["after"] = json!(after);
        }
        let answer: Option<AnsweredPage> = self.sidecar.query("leave_page", &asked).await?;
        let read = |id, document: &RawValue| versioned(LeaveId::new(id), &Document::parse(document.get().as_bytes())?);
        answer.map(|page| page.map(read)).transpose()
    }

    /// The first of the appointments that a leave lies over, `limit` at most.
    pub async fn conflicts(&self, id: LeaveId, limit: usize) -> Result<Vec<Conflict>, Failure> {
        self.sidecar.query("leave_conflicts", &json!({ "id": id, "limit": limit })).await
    }
}

impl LeaveData {
    fn of(leave: &Leave) -> Self {
        let (practitioner_id, room_id) = match leave.absent {
            Absent::Practitioner(id) => (Some(id), None),
            Absent::Room(id) => (None, Some(id)),
        };
        Self {
            practitioner_id,
            room_id,
            clinic_id: leave.clinic,
            period: leave.period,
            reason: leave.reason.code().to_owned(),
            withdrawn: leave.withdrawn,
        }
    }
}

fn versioned(id: LeaveId, document: &Document<LeaveData>) -> Result<VersionedLeave, Failure> {
    let data = &document.data;
    let unreadable = || Failure::Bug(format!("leave/{id} does not read as it was written"));
    let absent = match (data.practitioner_id, data.room_id) {
        (Some(practitioner), None) => Absent::Practitioner(practitioner),
        (None, Some(room)) => Absent::Room(room),
        _ => return Err(unreadable()),
    };
    let reason = Reason::parse(&data.reason).map_err(|_| unreadable())?;
    let (clinic, period, withdrawn) = (data.clinic_id, data.period, data.withdrawn);
    Ok(VersionedLeave { id, leave: Leave { absent, clinic, period, reason, withdrawn }, version: document.version })
}
