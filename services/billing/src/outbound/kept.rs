//! Documents that people write down and replace: once for a request, and only the version that they have seen.

use std::marker::PhantomData;

use audit::Entry;
use sidecar::{
    Sidecar,
    documents::{Document, Documents, KeyedRequest, Kind, Stored, Write},
    failure::Failure,
};
use uuid::Uuid;

use super::journal::{Versioned, version};

/// Why something is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// There is none of this kind.
    #[error("there is no such {0}")]
    Unknown(&'static str),
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

/// Documents of a kind.
#[derive(Clone, Debug)]
pub struct Kept<T> {
    sidecar: Sidecar,
    documents: Documents,
    kind: PhantomData<fn() -> T>,
}

impl<T: Kind + Clone> Kept<T> {
    /// Those of this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { sidecar, documents, kind: PhantomData }
    }

    /// One of them, as it is stored.
    pub async fn get(&self, id: Uuid) -> Result<Option<Stored<T>>, Failure> {
        self.documents.get(id).await
    }

    /// Writes one down; a request that is repeated is answered what it was.
    pub async fn create(
        &self,
        id: Uuid,
        data: T,
        request: KeyedRequest,
        entry: &Entry,
    ) -> Result<Versioned<T>, KeepError> {
        let mut document = Document::first(data.clone(), Vec::new()).audited(entry)?;
        let hash = request.hash;
        document.remember(request);
        match self.documents.save(vec![Write::create(id, document)?]).await {
            Ok(()) => Ok(Versioned { item: data, version: 1 }),
            Err(Failure::KeyTaken) => {
                let stored = self.get(id).await?.ok_or(KeepError::Unknown(T::NAME))?;
                if !stored.document.requests.iter().any(|before| before.hash == hash) {
                    return Err(KeepError::KeyReused);
                }
                version(&self.sidecar, id, 1).await?.ok_or(KeepError::Unknown(T::NAME))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Version `expected` of one, to be replaced.
    pub async fn seen(&self, id: Uuid, expected: u64) -> Result<Stored<T>, KeepError> {
        let stored = self.get(id).await?.ok_or(KeepError::Unknown(T::NAME))?;
        let current = stored.document.version;
        if current == expected { Ok(stored) } else { Err(KeepError::Stale { current }) }
    }

    /// Replaces what was loaded.
    pub async fn replace(
        &self,
        id: Uuid,
        loaded: &Stored<T>,
        data: T,
        entry: &Entry,
    ) -> Result<Versioned<T>, KeepError> {
        let document = loaded.document.next(data.clone(), Vec::new()).audited(entry)?;
        let version = document.version;
        match self.documents.save(vec![Write::replace(id, loaded, document)?]).await {
            Ok(()) => Ok(Versioned { item: data, version }),
            // Who was faster has written this one.
            Err(Failure::Changed) => Err(KeepError::Stale { current: version }),
            Err(failure) => Err(failure.into()),
        }
    }
}
