//! Payers in the state store.

use audit::Entry;
use serde::{Deserialize, Serialize};
use sidecar::{
    Sidecar,
    documents::{Answered, Document, Documents, KeyedRequest, Kind, Stored, Write},
    failure::Failure,
};
use uuid::Uuid;

use super::journal::Versioned;
use crate::domain::payer::{Payer, PayerId};

impl Kind for Payer {
    const NAME: &'static str = "payer";
    const SCHEMA: u32 = 1;
}

/// Where a page of payers ends: what comes next is called something later, or the same with a larger id.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PayerPosition {
    /// What it is called.
    pub name: String,
    /// Which.
    pub id: Uuid,
}

/// Which part of the payers.
#[derive(Clone, Debug, Serialize)]
pub struct PayerPage {
    /// What comes after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<PayerPosition>,
    /// So many at most.
    pub limit: usize,
}

/// The payers.
#[derive(Clone, Debug)]
pub struct Payers {
    sidecar: Sidecar,
    documents: Documents,
}

impl Payers {
    /// Payers in this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { sidecar, documents }
    }

    /// One of them, as it is stored.
    pub async fn get(&self, id: PayerId) -> Result<Option<Stored<Payer>>, Failure> {
        self.documents.get(id.0).await
    }

    /// A page, by name.
    pub async fn page(&self, page: &PayerPage) -> Result<Vec<Versioned<Payer>>, Failure> {
        let found: Vec<Answered> = self.sidecar.query("payer_page", page).await?;
        let read = |found: Answered| {
            let document = found.stored::<Payer>()?.document;
            Ok(Versioned { item: document.data, version: document.version })
        };
        found.into_iter().map(read).collect()
    }

    /// Writes one down.
    pub async fn create(&self, payer: &Payer, request: KeyedRequest, entry: &Entry) -> Result<(), Failure> {
        let mut document = Document::first(payer.clone(), Vec::new()).audited(entry)?;
        document.remember(request);
        self.documents.save(vec![Write::create(payer.id.0, document)?]).await
    }

    /// Replaces what was loaded; answers the version.
    pub async fn replace(&self, loaded: &Stored<Payer>, payer: &Payer, entry: &Entry) -> Result<u64, Failure> {
        let document = loaded.document.next(payer.clone(), Vec::new()).audited(entry)?;
        let version = document.version;
        self.documents.save(vec![Write::replace(payer.id.0, loaded, document)?]).await?;
        Ok(version)
    }
}

impl Payer {
    /// Where a page after this one begins.
    pub fn position(&self) -> PayerPosition {
        PayerPosition { name: self.name.clone(), id: self.id.0 }
    }
}
