//! Payers.

use access::Caller;
use audit::{Action, Entry};
use sidecar::failure::Failure;

use super::{Books, Keyed};
use crate::{
    domain::payer::{Payer, PayerId},
    outbound::{journal::Versioned, payers::PayerPage},
};

/// Why a payer is not written down.
#[derive(Debug, thiserror::Error)]
pub enum PayerError {
    /// There is none.
    #[error("there is none")]
    Unknown,
    /// It is another version than the caller has seen.
    #[error("it is version {current} now")]
    Stale {
        /// The present one.
        current: u64,
    },
    /// The key was used for something else.
    #[error("the key was used with another body")]
    KeyReused,
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl Books {
    /// Writes a payer down; the request's key is its id.
    pub async fn create_payer(
        &self,
        caller: &Caller,
        payer: Payer,
        request: Keyed,
    ) -> Result<Versioned<Payer>, PayerError> {
        let payer = Payer { id: PayerId(request.key), ..payer };
        let entry = Entry::new(Action::Create, "create").by(caller);
        match self.payers.create(&payer, request.remembered(), &entry).await {
            Ok(()) => Ok(Versioned { item: payer, version: 1 }),
            Err(Failure::KeyTaken) => {
                let stored = self.payers.get(payer.id).await?.ok_or(PayerError::Unknown)?;
                if !request.is_among(&stored.document.requests) {
                    return Err(PayerError::KeyReused);
                }
                self.journal.version(payer.id.0, 1).await?.ok_or(PayerError::Unknown)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Replaces version `expected` of a payer.
    pub async fn replace_payer(
        &self,
        caller: &Caller,
        expected: u64,
        payer: Payer,
    ) -> Result<Versioned<Payer>, PayerError> {
        let stored = self.payers.get(payer.id).await?.ok_or(PayerError::Unknown)?;
        let current = stored.document.version;
        if current != expected {
            return Err(PayerError::Stale { current });
        }
        let entry = Entry::new(Action::Update, "update").by(caller);
        match self.payers.replace(&stored, &payer, &entry).await {
            Ok(version) => Ok(Versioned { item: payer, version }),
            Err(Failure::Changed) => Err(PayerError::Stale { current: current + 1 }),
            Err(failure) => Err(failure.into()),
        }
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
