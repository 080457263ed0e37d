//! Payers in the state store.

use serde::{Deserialize, Serialize};
use sidecar::{
    Sidecar,
    documents::{Answered, Documents, Kind, Stored},
    failure::Failure,
};
use uuid::Uuid;

use super::{journal::Versioned, kept::Kept};
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
    /// Writing them down and replacing them.
    pub kept: Kept<Payer>,
}

impl Payers {
    /// Payers in this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { kept: Kept::new(sidecar.clone(), documents), sidecar }
    }

    /// One of them, as it is stored.
    pub async fn get(&self, id: PayerId) -> Result<Option<Stored<Payer>>, Failure> {
        self.kept.get(id.0).await
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
}

impl Payer {
    /// Where a page after this one begins.
    pub fn position(&self) -> PayerPosition {
        PayerPosition { name: self.name.clone(), id: self.id.0 }
    }
}
