//! Coverages in the state store, and what members have used of them.

use jiff::civil::Date;
use serde::Serialize;
use sidecar::{
    Sidecar,
    documents::{Answered, Documents, Kind, Stored},
    failure::Failure,
};

use super::{journal::Versioned, kept::Kept};
use crate::domain::{
    claim::adjudication::Accumulators,
    coverage::{Coverage, CoverageId},
    ids::PatientId,
};

impl Kind for Coverage {
    const NAME: &'static str = "coverage";
    const SCHEMA: u32 = 1;
}

/// Kept under the id of the coverage, by what answers of payers change.
impl Kind for Accumulators {
    const NAME: &'static str = "accumulators";
    const SCHEMA: u32 = 1;
}

/// Which coverages.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedCoverages {
    /// Whose.
    pub patient_id: PatientId,
    /// Only those that insure on this day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
}

/// The coverages.
#[derive(Clone, Debug)]
pub struct Coverages {
    sidecar: Sidecar,
    documents: Documents,
    /// Writing them down and replacing them.
    pub kept: Kept<Coverage>,
}

impl Coverages {
    /// Coverages in this sidecar's store. Each is saved in a transaction of its own: with others in one, writers that take
    /// turns at patients could wait for each other in a circle.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        let kept = Kept::new(sidecar.clone(), documents.clone().one_by_one());
        Self { sidecar, documents, kept }
    }

    /// One of them, as it is stored.
    pub async fn get(&self, id: CoverageId) -> Result<Option<Stored<Coverage>>, Failure> {
        self.kept.get(id.0).await
    }

    /// A patient's, the first to pay first.
    pub async fn of_patient(&self, wanted: &WantedCoverages) -> Result<Vec<Versioned<Coverage>>, Failure> {
        let found: Vec<Answered> = self.sidecar.query("coverages", wanted).await?;
        let read = |found: Answered| {
            let document = found.stored::<Coverage>()?.document;
            Ok(Versioned { item: document.data, version: document.version })
        };
        found.into_iter().map(read).collect()
    }

    /// What a member has used; none where no payer has answered yet.
    pub async fn accumulators(&self, id: CoverageId) -> Result<Option<Versioned<Accumulators>>, Failure> {
        let stored = self.documents.get::<Accumulators>(id.0).await?;
        Ok(stored.map(|stored| Versioned { version: stored.document.version, item: stored.document.data }))
    }
}
