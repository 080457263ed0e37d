//! Health records in the state store, and what the database is asked about them.

use std::marker::PhantomData;

use audit::Entry;
use jiff::Timestamp;
use problem::input::{self, Findings};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use sidecar::{
    Sidecar,
    documents::{Document, Documents, KeyedRequest, Kind, Stored, Write},
    event::Event,
    failure::Failure,
    functions::Questions,
};
use uuid::Uuid;

use crate::{
    domain::{
        coding::Coding,
        patient::PatientId,
        record::{
            Amendment, AmendmentKind, Record, RecordId, Reference, allergy_intolerance::AllergyIntolerance,
            condition::Condition, immunization::Immunization, medication_request::MedicationRequest, note::Note,
            observation::Observation, procedure::Procedure,
        },
    },
    fhir::{datatypes::Elements, exact},
};

/// A kind of record with what others are told of it.
pub trait Told: Elements {
    /// The events of a version that comes after `before`, if that is not the first; `zone` is that of its clinic.
    fn told(
        _record: &Record<Self>,
        _before: Option<&Self>,
        _version: u64,
        _zone: Option<&str>,
    ) -> Result<Vec<Event>, Failure> {
        Ok(Vec::new())
    }
}

impl Told for AllergyIntolerance {}
impl Told for Condition {}
impl Told for Immunization {}
impl Told for MedicationRequest {}
impl Told for Note {}
impl Told for Observation {}
impl Told for Procedure {}

/// `data` of the document of a record.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", bound = "")]
pub struct RecordData<R> {
    patient_id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encounter_id: Option<Uuid>,
    recorder: Uuid,
    recorded_at: Timestamp,
    changed_by: Uuid,
    changed_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amendment: Option<AmendmentData>,
    /// The zone of the clinic that it is made at, for what is told of it; none where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// What is recorded, in FHIR's JSON, with every digit.
    resource: Box<RawValue>,
    /// Made of `resource` by the domain, for the projection.
    search: SearchData,
    #[serde(skip)]
    kind: PhantomData<R>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct AmendmentData {
    kind: String,
    reason: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct SearchData {
    status: String,
    time: Timestamp,
    codes: Vec<(String, String)>,
    categories: Vec<(String, String)>,
}

impl<R: Elements> Kind for RecordData<R> {
    const NAME: &'static str = R::KIND;
    const SCHEMA: u32 = 1;
}

/// A stored record with its version.
#[derive(Clone, Debug)]
pub struct Versioned<R> {
    /// The record.
    pub record: Record<R>,
    /// Its version.
    pub version: u64,
}

/// A record that was loaded to be amended.
#[derive(Debug)]
pub struct Loaded<R> {
    /// The record and its version.
    pub current: Versioned<R>,
    stored: Stored<RecordData<R>>,
}

/// What the database knows when a record is about to be put into a chart, or to refer to others.
#[derive(Debug)]
pub struct Check<R> {
    /// What the same request made before: its hash and version 1 of the record.
    pub own: Option<(Uuid, Versioned<R>)>,
    /// Whether the patient's record is in use; none when there is no such patient.
    pub active: Option<bool>,
    /// What is referred to and not in the chart, by its place.
    pub missing: Vec<usize>,
    /// The zone of the clinic that the record is made at, where that is known.
    pub time_zone: Option<String>,
}

/// A page of records.
#[derive(Debug)]
pub struct Page<R> {
    /// The newest first.
    pub records: Vec<Versioned<R>>,
    /// Time and id of the last of them, when there are more.
    pub next: Option<(i64, Uuid)>,
}

/// A page of a record's versions.
#[derive(Debug)]
pub struct History<R> {
    /// The newest first.
    pub versions: Vec<Versioned<R>>,
    /// The last of them, when there are more.
    pub next: Option<u64>,
}

/// The health records.
#[derive(Clone, Debug)]
pub struct Records {
    sidecar: Sidecar,
    checks: Questions,
    documents: Documents,
}

impl<R> Loaded<R> {
    /// What an earlier request with this key made of the record.
    pub fn served(&self, key: Uuid) -> Option<&KeyedRequest> {
        self.stored.document.requests.iter().find(|request| request.key == key)
    }

    /// The zone of the clinic that it is made at, as far as it was asked for.
    pub fn time_zone(&self) -> Option<&str> {
        self.stored.document.data.time_zone.as_deref()
    }
}

impl Records {
    /// Records in this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { checks: Questions::new(&sidecar, "record_check"), sidecar, documents }
    }

    /// Whether the request was served before, whether the chart has what the record refers to, and which clock hangs at
    /// `clinic`.
    pub async fn check<R: Elements>(
        &self,
        id: RecordId,
        patient: PatientId,
        references: &[Reference],
        clinic: Option<Uuid>,
    ) -> Result<Check<R>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            own: Option<Box<RawValue>>,
            active: Option<bool>,
            missing: Vec<usize>,
            time_zone: Option<String>,
        }
        let references: Vec<_> = references.iter().map(|reference| (reference.kind, reference.id)).collect();
        let asked = json!({
            "kind": R::KIND, "id": id.as_uuid(), "patientId": patient.as_uuid(), "references": references,
            "clinicId": clinic,
        });
        let Answer { own, active, missing, time_zone } = self.checks.ask(&asked).await?;
        let own = own.map(|document| {
            let document = Document::<RecordData<R>>::parse(document.get().as_bytes())?;
            let hash = document.requests.first().map(|request| request.hash).unwrap_or_default();
            Ok::<_, Failure>((hash, versioned(id, &document)?))
        });
        Ok(Check { own: own.transpose()?, active, missing, time_zone })
    }

    /// Stores a record that is not there yet, with its entry in the audit.
    pub async fn create<R: Told>(
        &self,
        record: &Record<R>,
        zone: Option<&str>,
        request: KeyedRequest,
        entry: &Entry,
    ) -> Result<(), Failure> {
        self.documents.save(vec![created(record, zone, Some(request), entry)?]).await
    }

    /// A record by id, whosever it is.
    pub async fn get<R: Elements>(&self, id: RecordId) -> Result<Option<Loaded<R>>, Failure> {
        let Some(stored) = self.documents.get::<RecordData<R>>(id.as_uuid()).await? else { return Ok(None) };
        Ok(Some(Loaded { current: versioned(id, &stored.document)?, stored }))
    }

    /// Stores the next version of a record, with its entry in the audit.
    pub async fn replace<R: Told>(
        &self,
        loaded: &Loaded<R>,
        record: &Record<R>,
        zone: Option<&str>,
        request: Option<KeyedRequest>,
        entry: &Entry,
    ) -> Result<u64, Failure> {
        self.documents.save(vec![replaced(loaded, record, zone, request, entry)?]).await?;
        Ok(loaded.current.version + 1)
    }

    /// A page of those that match; `asked` is the parameter of `api.record_page`.
    pub async fn page<R: Elements>(&self, asked: &impl Serialize) -> Result<Page<R>, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            records: Vec<(Uuid, i64, Box<RawValue>)>,
            next: Option<(i64, Uuid)>,
        }
        let answer: Answer = self.sidecar.query("record_page", asked).await?;
        let records = answer
            .records
            .iter()
            .map(|(id, _, document)| versioned(RecordId::new(*id), &Document::parse(document.get().as_bytes())?));
        Ok(Page { records: records.collect::<Result<_, _>>()?, next: answer.next })
    }

    /// A page of a record's versions before one.
    pub async fn history<R: Elements>(
        &self,
        id: RecordId,
        before: Option<u64>,
        limit: u16,
    ) -> Result<History<R>, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            versions: Vec<Box<RawValue>>,
            next: Option<u64>,
        }
        let asked = json!({ "kind": R::KIND, "id": id.as_uuid(), "before": before, "limit": limit });
        let answer: Answer = self.sidecar.query("record_history", &asked).await?;
        let versions =
            answer.versions.iter().map(|document| versioned(id, &Document::parse(document.get().as_bytes())?));
        Ok(History { versions: versions.collect::<Result<_, _>>()?, next: answer.next })
    }
}

/// The write of a record that is not there yet, for those who write more together with it.
pub fn created<R: Told>(
    record: &Record<R>,
    zone: Option<&str>,
    request: Option<KeyedRequest>,
    entry: &Entry,
) -> Result<Write, Failure> {
    let mut document =
        Document::first(RecordData::of(record, zone)?, R::told(record, None, 1, zone)?).audited(entry)?;
    if let Some(request) = request {
        document.remember(request);
    }
    Write::create(record.id.as_uuid(), document)
}

/// The write of a record's next version.
pub fn replaced<R: Told>(
    loaded: &Loaded<R>,
    record: &Record<R>,
    zone: Option<&str>,
    request: Option<KeyedRequest>,
    entry: &Entry,
) -> Result<Write, Failure> {
    let events = R::told(record, Some(&loaded.current.record.resource), loaded.current.version + 1, zone)?;
    let mut document = loaded.stored.document.next(RecordData::of(record, zone)?, events).audited(entry)?;
    if let Some(request) = request {
        document.remember(request);
    }
    Write::replace(record.id.as_uuid(), &loaded.stored, document)
}

impl<R: Elements> RecordData<R> {
    fn of(record: &Record<R>, zone: Option<&str>) -> Result<Self, Failure> {
        let unwritable = |error: serde_json::Error| Failure::Bug(error.to_string());
        let fields = exact::fields(&record.resource).map_err(unwritable)?;
        let terms = record.resource.terms();
        let pairs = |codes: Vec<Coding>| codes.into_iter().map(|coding| (coding.system, coding.code)).collect();
        Ok(Self {
            patient_id: record.patient.as_uuid(),
            encounter_id: record.encounter.map(RecordId::as_uuid),
            recorder: record.recorder,
            recorded_at: record.recorded_at,
            changed_by: record.changed_by,
            changed_at: record.changed_at,
            amendment: record.amendment.as_ref().map(|Amendment { kind, reason }| AmendmentData {
                kind: kind.code().to_owned(),
                reason: reason.clone(),
            }),
            time_zone: zone.map(str::to_owned),
            resource: exact::write(&fields).map_err(unwritable)?,
            search: SearchData {
                status: record.resource.status().to_owned(),
                time: record.time(),
                codes: pairs(terms.codes),
                categories: pairs(terms.categories),
            },
            kind: PhantomData,
        })
    }
}

/// What is stored goes through the same door as a request; what does not fit is our mistake and not the caller's.
fn versioned<R: Elements>(id: RecordId, document: &Document<RecordData<R>>) -> Result<Versioned<R>, Failure> {
    let data = &document.data;
    let unreadable = || Failure::Bug(format!("{}/{id} does not read as it was written", R::KIND));
    let mut findings = Findings::default();
    let fields = exact::read(data.resource.get().as_bytes()).map_err(|_| unreadable())?;
    let mut object = input::object(fields.into()).map_err(|_| unreadable())?;
    let resource = R::read(&mut object, &mut findings);
    object.finish(&mut findings);
    let resource = findings.into_result(resource).map_err(|_| unreadable())?;
    let amendment = data.amendment.as_ref().map(|amendment| {
        let kind = AmendmentKind::parse(&amendment.kind).map_err(|_| unreadable())?;
        Ok::<_, Failure>(Amendment { kind, reason: amendment.reason.clone() })
    });
    let record = Record {
        id,
        patient: PatientId::new(data.patient_id),
        encounter: data.encounter_id.map(RecordId::new),
        recorder: data.recorder,
        recorded_at: data.recorded_at,
        changed_by: data.changed_by,
        changed_at: data.changed_at,
        amendment: amendment.transpose()?,
        resource,
    };
    Ok(Versioned { record, version: document.version })
}
