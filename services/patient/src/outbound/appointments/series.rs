//! Series in the state store, each saved together with its appointments.
//!
//! The series is written before them. Whoever writes several appointments of one waits for their turn there, and with a
//! new series its trigger takes the turns of all whom its appointments need, so that nobody waits in a circle.

use audit::Entry;
use serde::{Deserialize, Serialize};
use sidecar::{
    documents::{Document, KeyedRequest, Kind, Stored, Write},
    failure::Failure,
};
use uuid::Uuid;

use super::{AppointmentData, Appointments, Loaded, created, replaced, versioned};
use crate::domain::appointment::{Appointment, AppointmentId, series::Series};

/// `data` of a `series/<id>` document.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub struct SeriesData(Series);

impl Kind for SeriesData {
    const NAME: &'static str = "series";
    const SCHEMA: u32 = 1;
}

/// A series that was loaded.
#[derive(Debug)]
pub struct LoadedSeries {
    /// Which.
    pub id: Uuid,
    stored: Stored<SeriesData>,
}

impl LoadedSeries {
    /// What it is.
    pub fn series(&self) -> &Series {
        &self.stored.document.data.0
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        self.stored.document.version
    }

    /// What an earlier request with this key made of it.
    pub fn served(&self, key: Uuid) -> Option<&KeyedRequest> {
        self.stored.document.requests.iter().find(|request| request.key == key)
    }

    /// The write of the next version.
    fn replaced(&self, series: &Series, request: Option<KeyedRequest>, entry: &Entry) -> Result<Write, Failure> {
        let mut document = self.stored.document.next(SeriesData(series.clone()), Vec::new()).audited(entry)?;
        if let Some(request) = request {
            document.remember(request);
        }
        Write::replace(self.id, &self.stored, document)
    }
}

/// A series that is split.
#[derive(Debug)]
pub struct SplitWrites<'a> {
    /// What is left of it, the request that asked for it, and the entry of the audit.
    pub ended: (&'a Series, Option<KeyedRequest>, Entry),
    /// The series that continues it.
    pub series: (Uuid, &'a Series, Entry),
    /// The appointments that go over, in the order in which they make room for each other.
    pub appointments: Vec<(&'a Loaded, &'a Appointment, Entry)>,
}

impl Appointments {
    /// A series by id.
    pub async fn series(&self, id: Uuid) -> Result<Option<LoadedSeries>, Failure> {
        let stored = self.documents.get::<SeriesData>(id).await?;
        Ok(stored.map(|stored| LoadedSeries { id, stored }))
    }

    /// Appointments by id, those that are there.
    pub async fn get_many(&self, ids: &[AppointmentId]) -> Result<Vec<Loaded>, Failure> {
        let plain: Vec<_> = ids.iter().map(|id| id.as_uuid()).collect();
        let stored = self.documents.get_many::<AppointmentData>(&plain).await?;
        let found = ids.iter().zip(stored);
        let found = found.filter_map(|(id, stored)| stored.map(|stored| (*id, stored)));
        Ok(found.map(|(id, stored)| Loaded { current: versioned(id, &stored.document), stored }).collect())
    }

    /// Stores a series that is not there yet with its appointments: all of it or nothing.
    pub async fn create_series(
        &self,
        id: Uuid,
        series: &Series,
        request: KeyedRequest,
        entry: &Entry,
        appointments: &[(AppointmentId, Appointment, Entry)],
    ) -> Result<(), Failure> {
        let mut document = Document::first(SeriesData(series.clone()), Vec::new()).audited(entry)?;
        document.remember(request);
        let mut writes = vec![Write::create(id, document)?];
        for (id, appointment, entry) in appointments {
            writes.push(created(*id, appointment, None, entry)?);
        }
        self.documents.save_in_order(writes).await
    }

    /// Stores the next version of a series and of some of its appointments, and what goes together with that: all of it
    /// or nothing.
    pub async fn replace_series(
        &self,
        loaded: &LoadedSeries,
        series: &Series,
        request: Option<KeyedRequest>,
        entry: &Entry,
        appointments: &[(Loaded, Appointment, Entry)],
        beside: Vec<Write>,
    ) -> Result<u64, Failure> {
        let mut writes = vec![loaded.replaced(series, request, entry)?];
        let mut sorted: Vec<_> = appointments.iter().collect();
        sorted.sort_by_key(|(loaded, ..)| loaded.current.id);
        for (loaded, appointment, entry) in sorted {
            writes.push(replaced(loaded, appointment, None, entry)?);
        }
        writes.extend(beside);
        self.documents.save_in_order(writes).await?;
        Ok(loaded.version() + 1)
    }

    /// Stores the end of a series, the one that continues it, and the appointments that go over, in this order: all of
    /// it or nothing.
    pub async fn split_series(&self, loaded: &LoadedSeries, split: &SplitWrites<'_>) -> Result<(), Failure> {
        let (ended, request, entry) = &split.ended;
        let mut writes = vec![loaded.replaced(ended, request.clone(), entry)?];
        let (id, series, entry) = &split.series;
        let document = Document::first(SeriesData((*series).clone()), Vec::new()).audited(entry)?;
        writes.push(Write::create(*id, document)?);
        for (loaded, appointment, entry) in &split.appointments {
            writes.push(replaced(loaded, appointment, None, entry)?);
        }
        self.documents.save_in_order(writes).await
    }
}
