//! A patient's chart: putting records in, amending them, finding them.

use std::convert::Infallible;

use access::Caller;
use audit::{Action, Entry};
use jiff::Timestamp;
use serde::Serialize;
use sidecar::{documents::KeyedRequest, failure::Failure};
use uuid::Uuid;

use super::Keyed;
use crate::{
    domain::{
        patient::PatientId,
        record::{Amendment, Record, RecordId, Reference, Refusal, Revision, Wanted},
    },
    outbound::records::{History, Loaded, Page, Records, Told, Versioned},
};

/// Conflicts that another try may get past.
const TRIES: u8 = 5;

/// The charts of all patients.
#[derive(Clone, Debug)]
pub struct Charts {
    records: Records,
}

/// Why nothing was put into a chart, or amended.
#[derive(Debug, thiserror::Error)]
pub enum ChartError<E> {
    /// There is no such patient.
    #[error("there is no such patient")]
    NoPatient,
    /// The patient's record is not in use.
    #[error("the patient's record is not in use")]
    Inactive,
    /// There is no such record in this chart.
    #[error("there is no such record")]
    Unknown,
    /// The caller has seen another version.
    #[error("the record is at version {current}")]
    Stale {
        /// The version that is there.
        current: u64,
    },
    /// What the caller sent makes no record.
    #[error("the patch does not fit")]
    Unfit(E),
    /// A rule of the domain.
    #[error(transparent)]
    Refused(Refusal),
    /// What is referred to is not in this chart.
    #[error("the record refers to what is not in the chart")]
    Missing(Vec<String>),
    /// The key was used for another record.
    #[error("the key was used with another body")]
    KeyReused,
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// What is searched for in a chart; every filter narrows the result.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordSearch {
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Token>,
    /// What sort of record it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Token>,
    /// Its state; without it, what was entered in error is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Not before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
    /// The encounter that it was made in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encounter_id: Option<Uuid>,
    /// Time and id of the record that the previous page ended with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<(i64, Uuid)>,
    /// How many.
    pub limit: u16,
}

/// `system|code`, or a code of any system; <http://hl7.org/fhir/R4/search.html#token>.
#[derive(Debug, Serialize)]
pub struct Token {
    /// The URI of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The code.
    pub code: String,
}

/// What somebody who amends a record has seen, and the request by which they do.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The version.
    pub version: u64,
    /// The key, if they want to be able to ask again.
    pub request: Option<Keyed>,
}

impl Charts {
    /// Charts of these records.
    pub fn new(records: Records) -> Self {
        Self { records }
    }

    /// Puts a record into a patient's chart.
    pub async fn add<R: Told>(
        &self,
        patient: PatientId,
        wanted: Wanted<R>,
        request: Keyed,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Versioned<R>, ChartError<Infallible>> {
        let id = RecordId::new(request.key);
        let references = wanted.references();
        let clinic = wanted.resource.clinic();
        let record = Record::create(id, patient, wanted, caller.subject, now).map_err(ChartError::Refused)?;
        let entry = entry(Action::Create, "create", caller, patient);
        let mut tried = 0;
        loop {
            // Before the first try, and after one that lost against the same request.
            let check = self.records.check(id, patient, &references, clinic).await?;
            match (check.own, check.active) {
                (Some((hash, _)), _) if hash != request.hash => return Err(ChartError::KeyReused),
                (Some((_, served)), _) => return Ok(served),
                (None, None) => return Err(ChartError::NoPatient),
                (None, Some(false)) => return Err(ChartError::Inactive),
                (None, Some(true)) => {}
            }
            missing(&references, &check.missing)?;
            let keyed = KeyedRequest { key: request.key, hash: request.hash, version: 1 };
            tried += 1;
            match self.records.create(&record, check.time_zone.as_deref(), keyed, &entry).await {
                Ok(()) => return Ok(Versioned { record, version: 1 }),
                Err(Failure::KeyTaken | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// A record of a patient.
    pub async fn find<R: Told>(&self, patient: PatientId, id: RecordId) -> Result<Option<Versioned<R>>, Failure> {
        Ok(self.of(patient, id).await?.map(|loaded| loaded.current))
    }

    /// Amends the version of a record that the caller has seen by `change`, which makes of the present one the wanted one.
    pub async fn amend<R: Told, E>(
        &self,
        (patient, id): (PatientId, RecordId),
        seen: Seen,
        change: impl Fn(&Record<R>) -> Result<Wanted<R>, E>,
        amendment: Option<&Amendment>,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Versioned<R>, ChartError<E>> {
        let mut tried = 0;
        loop {
            let loaded = self.of::<R>(patient, id).await?.ok_or(ChartError::Unknown)?;
            if let Some(served) = self.served(&loaded, seen.request).await? {
                return Ok(served);
            }
            let Versioned { record: before, version: current } = &loaded.current;
            if *current != seen.version {
                return Err(ChartError::Stale { current: *current });
            }
            let wanted = change(before).map_err(ChartError::Unfit)?;
            let (encounter, resource) = (before.encounter, before.resource.clone());
            let known = Wanted { encounter, resource }.references();
            let is_new = |reference: &Reference| !known.iter().any(|known| known.id == reference.id);
            let references: Vec<_> = wanted.references().into_iter().filter(is_new).collect();
            let clinic = wanted.resource.clinic();
            let amended = before.amend(wanted, amendment.cloned(), caller.subject, now);
            let Revision::Changed(record) = amended.map_err(ChartError::Refused)? else { return Ok(loaded.current) };
            // It was asked for when the record was made, if the clinic was known then.
            let mut zone = loaded.time_zone().map(str::to_owned).filter(|_| clinic == before.resource.clinic());
            if !references.is_empty() || (clinic.is_some() && zone.is_none()) {
                let check = self.records.check::<R>(id, patient, &references, clinic).await?;
                missing(&references, &check.missing)?;
                zone = zone.or(check.time_zone);
            }
            let entry = entry(Action::Update, "update", caller, patient);
            let entry =
                amendment.iter().fold(entry, |entry, amendment| entry.detail("amendment", amendment.kind.code()));
            tried += 1;
            let request = seen.request.map(|Keyed { key, hash }| KeyedRequest { key, hash, version: current + 1 });
            match self.records.replace(&loaded, &record, zone.as_deref(), request, &entry).await {
                Ok(version) => return Ok(Versioned { record: *record, version }),
                // Whoever was faster may have been the same request: the next round tells.
                Err(Failure::Changed | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// The version that the same request made before.
    async fn served<R: Told, E>(
        &self,
        loaded: &Loaded<R>,
        request: Option<Keyed>,
    ) -> Result<Option<Versioned<R>>, ChartError<E>> {
        let Some(before) = request.and_then(|request| loaded.served(request.key)) else { return Ok(None) };
        if request.is_some_and(|request| request.hash != before.hash) {
            return Err(ChartError::KeyReused);
        }
        if before.version == loaded.current.version {
            return Ok(Some(loaded.current.clone()));
        }
        let after: History<R> = self.records.history(loaded.current.record.id, Some(before.version + 1), 1).await?;
        Ok(after.versions.into_iter().next())
    }

    /// A page of a patient's records of a kind; none when there is no such patient.
    pub async fn page<R: Told>(&self, patient: PatientId, search: &RecordSearch) -> Result<Option<Page<R>>, Failure> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Asked<'a> {
            patient_id: Uuid,
            kind: &'static str,
            #[serde(flatten)]
            search: &'a RecordSearch,
        }
        let asked = Asked { patient_id: patient.as_uuid(), kind: R::KIND, search };
        let page: Page<R> = self.records.page(&asked).await?;
        // Whoever has a record is there.
        if !page.records.is_empty() {
            return Ok(Some(page));
        }
        let check = self.records.check::<R>(RecordId::new(Uuid::nil()), patient, &[], None).await?;
        Ok(check.active.map(|_| page))
    }

    /// The versions of a record, the newest first, before one; none when the patient has no such record.
    pub async fn history<R: Told>(
        &self,
        patient: PatientId,
        id: RecordId,
        before: Option<u64>,
        limit: u16,
    ) -> Result<Option<History<R>>, Failure> {
        let history: History<R> = self.records.history(id, before, limit).await?;
        let is_theirs = history.versions.iter().all(|version| version.record.patient == patient);
        Ok(Some(history).filter(|history| is_theirs && (before.is_some() || !history.versions.is_empty())))
    }

    async fn of<R: Told>(&self, patient: PatientId, id: RecordId) -> Result<Option<Loaded<R>>, Failure> {
        Ok(self.records.get::<R>(id).await?.filter(|loaded| loaded.current.record.patient == patient))
    }
}

/// The document says what it is about; whose chart it is in belongs into the entry.
fn entry(action: Action, subtype: &'static str, caller: &Caller, patient: PatientId) -> Entry {
    Entry::new(action, subtype).by(caller).of_patient(patient.as_uuid())
}

fn missing<E>(references: &[Reference], missing: &[usize]) -> Result<(), ChartError<E>> {
    if missing.is_empty() {
        return Ok(());
    }
    let pointers = missing.iter().filter_map(|&at| Some(references.get(at)?.pointer.clone()));
    Err(ChartError::Missing(pointers.collect()))
}
