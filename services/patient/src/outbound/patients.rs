//! Patients in the state store, and what the database is asked about them.

use audit::Entry;
use contracts::{
    patient::v1::{AdministrativeGender, PatientRegistered, PatientSnapshot, PatientUpdated},
    topic,
};
use jiff::{Timestamp, tz::TimeZone};
use problem::input::{self, Findings};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json, value::RawValue};
use sidecar::{
    Sidecar,
    documents::{Document, Documents, KeyedRequest, Kind, Stored, Write},
    event::Event,
    failure::Failure,
    functions::Questions,
    origin::Origin,
};
use uuid::Uuid;

use crate::{
    APP_ID,
    domain::{
        demographics::Gender,
        identity::SearchKeys,
        mrn::Mrn,
        patient::{Patient, PatientId},
    },
    fhir,
};

/// `data` of a `patient/<id>` document.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PatientData {
    mrn: String,
    registered_at: Timestamp,
    changed_at: Timestamp,
    active: bool,
    /// Demographics in FHIR's JSON.
    person: Map<String, Value>,
    /// Made of `person` by the domain, for the projection.
    search: SearchData,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct SearchData {
    family: String,
    given: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    phone: Vec<String>,
    email: Vec<String>,
    words: Vec<String>,
}

impl Kind for PatientData {
    const NAME: &'static str = "patient";
    const SCHEMA: u32 = 1;
}

/// A stored patient with their version.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// The patient.
    pub patient: Patient,
    /// Their version.
    pub version: u64,
}

/// A patient that was loaded to be changed.
#[derive(Debug)]
pub struct Loaded {
    /// The patient and their version.
    pub current: Versioned,
    stored: Stored<PatientData>,
}

/// What the database knows when somebody is about to be registered.
#[derive(Debug)]
pub struct Check {
    /// What the same request made before: its hash and version 1 of the patient.
    pub own: Option<(Uuid, Versioned)>,
    /// Others who are certainly the same person.
    pub duplicates: Vec<Duplicate>,
}

/// A record of the same person.
#[derive(Clone, Copy, Debug)]
pub struct Duplicate {
    /// Their id.
    pub id: PatientId,
    /// The identifier that both have, by its index in the request; none when name, birth date and sex agree.
    pub identifier: Option<usize>,
}

/// A page of patients.
#[derive(Debug)]
pub struct Page {
    /// In the order of their names.
    pub patients: Vec<Versioned>,
    /// The last of them, when there are more.
    pub next: Option<PatientId>,
}

/// The patients.
#[derive(Clone, Debug)]
pub struct Patients {
    sidecar: Sidecar,
    checks: Questions,
    documents: Documents,
}

impl Patients {
    /// Patients in this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { checks: Questions::new(&sidecar, "registration_check"), sidecar, documents }
    }

    /// Whether the request was served before, and who else is the same person.
    pub async fn check(
        &self,
        id: PatientId,
        keys: &SearchKeys,
        identifiers: &[(String, String)],
    ) -> Result<Check, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            own: Option<Box<RawValue>>,
            duplicates: Vec<AnsweredDuplicate>,
        }
        #[derive(Deserialize)]
        struct AnsweredDuplicate {
            id: Uuid,
            identifier: Option<usize>,
        }
        let asked = json!({ "id": id.as_uuid(), "identity": keys.identity, "identifiers": identifiers });
        let answer: Answer = self.checks.ask(&asked).await?;
        let own = answer.own.map(|document| {
            let document = Document::<PatientData>::parse(document.get().as_bytes())?;
            let hash = document.requests.first().map(|request| request.hash).unwrap_or_default();
            Ok::<_, Failure>((hash, versioned(id, &document)?))
        });
        let duplicates = answer.duplicates.into_iter();
        let duplicates =
            duplicates.map(|found| Duplicate { id: PatientId::new(found.id), identifier: found.identifier });
        Ok(Check { own: own.transpose()?, duplicates: duplicates.collect() })
    }

    /// Stores a patient who has no record yet, with the entry in the audit.
    pub async fn create(
        &self,
        patient: &Patient,
        keys: &SearchKeys,
        request: KeyedRequest,
        entry: &Entry,
    ) -> Result<(), Failure> {
        let told = PatientRegistered { patient: Some(snapshot(patient, 1)) };
        let event = event(topic::PATIENT_REGISTERED, patient, &told)?;
        let mut document = Document::first(PatientData::of(patient, keys), vec![event]).audited(entry)?;
        document.remember(request);
        self.documents.save(vec![Write::create(patient.id.as_uuid(), document)?]).await
    }

    /// A patient by id.
    pub async fn get(&self, id: PatientId) -> Result<Option<Loaded>, Failure> {
        let Some(stored) = self.documents.get::<PatientData>(id.as_uuid()).await? else { return Ok(None) };
        Ok(Some(Loaded { current: versioned(id, &stored.document)?, stored }))
    }

    /// Stores the next version of a patient, with the entry in the audit.
    pub async fn replace(
        &self,
        loaded: &Loaded,
        patient: &Patient,
        keys: &SearchKeys,
        request: Option<KeyedRequest>,
        entry: &Entry,
    ) -> Result<u64, Failure> {
        let version = loaded.current.version + 1;
        let told = PatientUpdated { patient: Some(snapshot(patient, version)) };
        let event = event(topic::PATIENT_UPDATED, patient, &told)?;
        let mut document = loaded.stored.document.next(PatientData::of(patient, keys), vec![event]).audited(entry)?;
        if let Some(request) = request {
            document.remember(request);
        }
        self.documents.save(vec![Write::replace(patient.id.as_uuid(), &loaded.stored, document)?]).await?;
        Ok(version)
    }

    /// An earlier version of a patient.
    pub async fn at(&self, id: PatientId, version: u64) -> Result<Versioned, Failure> {
        let document: Box<RawValue> =
            self.sidecar.query("patient_at", &json!({ "id": id.as_uuid(), "version": version })).await?;
        versioned(id, &Document::parse(document.get().as_bytes())?)
    }

    /// A page of those who match; `asked` is the parameter of `api.patient_search`.
    pub async fn search(&self, asked: &impl Serialize) -> Result<Page, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            patients: Vec<(Uuid, Box<RawValue>)>,
            next: Option<Uuid>,
        }
        let answer: Answer = self.sidecar.query("patient_search", asked).await?;
        let patients = answer
            .patients
            .iter()
            .map(|(id, document)| versioned(PatientId::new(*id), &Document::parse(document.get().as_bytes())?));
        Ok(Page { patients: patients.collect::<Result<_, _>>()?, next: answer.next.map(PatientId::new) })
    }
}

impl Loaded {
    /// What an earlier request with this key made of the patient.
    pub fn served(&self, key: Uuid) -> Option<&KeyedRequest> {
        self.stored.document.requests.iter().find(|request| request.key == key)
    }
}

impl PatientData {
    fn of(patient: &Patient, keys: &SearchKeys) -> Self {
        let mut person = Map::new();
        fhir::write(&patient.demographics, &mut person);
        let SearchKeys { family, given, identity, phone, email, words } = keys.clone();
        let mut search = SearchData { family, given, identity, phone, email, words };
        search.words.push(patient.mrn.to_string());
        Self {
            mrn: patient.mrn.to_string(),
            registered_at: patient.registered_at,
            changed_at: patient.changed_at,
            active: patient.active,
            person,
            search,
        }
    }
}

/// Reads a stored patient.
pub(super) fn read(id: PatientId, json: &RawValue) -> Result<Patient, Failure> {
    Ok(versioned(id, &Document::parse(json.get().as_bytes())?)?.patient)
}

/// What is stored goes through the same door as a request; what does not fit is our mistake and not the caller's.
fn versioned(id: PatientId, document: &Document<PatientData>) -> Result<Versioned, Failure> {
    let data = &document.data;
    let mut findings = Findings::default();
    let read = input::object(Value::Object(data.person.clone())).map(|mut object| {
        let person = fhir::read(&mut object, &mut findings);
        object.finish(&mut findings);
        person
    });
    let person = read.and_then(|person| findings.into_result(Some(person)));
    let demographics = person.map_err(|_| Failure::Bug(format!("patient/{id} does not read as it was written")))?;
    let mrn = Mrn::parse(&data.mrn).ok_or_else(|| Failure::Bug(format!("patient/{id} has a wrong MRN")))?;
    let Document { version, .. } = *document;
    let (registered_at, changed_at, active) = (data.registered_at, data.changed_at, data.active);
    Ok(Versioned { patient: Patient { id, mrn, registered_at, changed_at, active, demographics }, version })
}

fn event<M: prost::Name + Serialize>(topic: &str, patient: &Patient, message: &M) -> Result<Event, Failure> {
    Event::new(
        topic,
        APP_ID,
        patient.id.as_uuid(),
        Uuid::now_v7(),
        patient.changed_at,
        Some(Origin::current()),
        message,
    )
    .map_err(|error| Failure::Bug(error.to_string()))
}

fn snapshot(patient: &Patient, version: u64) -> PatientSnapshot {
    let time =
        |time: Timestamp| Some(contracts::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() });
    PatientSnapshot {
        patient_id: patient.id.to_string(),
        version: i64::try_from(version).unwrap_or(i64::MAX),
        registered_time: time(patient.registered_at),
        changed_time: time(patient.changed_at),
        gender: gender(patient.demographics.gender).into(),
        age_band: patient.age_band(patient.changed_at.to_zoned(TimeZone::UTC).date()),
        active: patient.active,
    }
}

/// A gender as the contracts have it.
pub fn gender(gender: Option<Gender>) -> AdministrativeGender {
    match gender {
        None => AdministrativeGender::Unspecified,
        Some(Gender::Male) => AdministrativeGender::Male,
        Some(Gender::Female) => AdministrativeGender::Female,
        Some(Gender::Other) => AdministrativeGender::Other,
        Some(Gender::Unknown) => AdministrativeGender::Unknown,
    }
}
