//! Payers.

use access::Caller;
use audit::{Action, Entry};
use sidecar::failure::Failure;

use super::{Books, Keyed};
use crate::{
    domain::payer::{Payer, PayerId},
    outbound::{journal::Versioned, kept::KeepError, payers::PayerPage},
};

impl Books {
    /// Writes a payer down; the request's key is its id.
    pub async fn create_payer(
        &self,
        caller: &Caller,
        payer: Payer,
        request: Keyed,
    ) -> Result<Versioned<Payer>, KeepError> {
        let payer = Payer { id: PayerId(request.key), ..payer };
        let entry = Entry::new(Action::Create, "create").by(caller);
        self.payers.kept.create(payer.id.0, payer, request.remembered(), &entry).await
    }

    /// Replaces version `expected` of a payer.
    pub async fn replace_payer(
        &self,
        caller: &Caller,
        expected: u64,
        payer: Payer,
    ) -> Result<Versioned<Payer>, KeepError> {
        let (id, entry) = (payer.id.0, Entry::new(Action::Update, "update").by(caller));
        let stored = self.payers.kept.seen(id, expected).await?;
        self.payers.kept.replace(id, &stored, payer, &entry).await
    }

    /// A payer.
    pub async fn payer(&self, id: PayerId) -> Result<Option<Versioned<Payer>>, Failure> {
        let stored = self.payers.get(id).await?;
        Ok(stored.map(|stored| Versioned { version: stored.document.version, item: stored.document.data }))
    }

    /// A page of payers, by name.
    pub async fn payers(&self, page: &PayerPage) -> Result<Vec<Versioned<Payer>>, Failure> {
        self.payers.page(page).await
    }
}
