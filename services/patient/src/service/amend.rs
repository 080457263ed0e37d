//! Amendment.

use audit::{Action, Entry};
use sidecar::{documents::KeyedRequest, failure::Failure};

use super::{Asking, Keyed, Registry, register::constraint};
use crate::{
    domain::{
        demographics::Demographics,
        identity::SearchKeys,
        patient::{Amendment, Patient, PatientId, Refusal},
    },
    outbound::patients::{Loaded, Versioned},
};

/// Deadlocks that are tried again.
const TRIES: u8 = 5;

/// Why nothing was amended.
#[derive(Debug, thiserror::Error)]
pub enum AmendError<E> {
    /// There is no such patient.
    #[error("there is no such patient")]
    Unknown,
    /// The caller has seen another version.
    #[error("the record is at version {current}")]
    Stale {
        /// The version that is there.
        current: u64,
    },
    /// What the caller sent makes no patient.
    #[error("the patch does not fit")]
    Unfit(E),
    /// A rule of the domain.
    #[error(transparent)]
    Refused(Refusal),
    /// Another record has this identity or identifier.
    #[error("another record is the same person")]
    Duplicate {
        /// The other record.
        of: PatientId,
        /// The identifier that both have, by its index.
        identifier: Option<usize>,
    },
    /// The key was used for another amendment.
    #[error("the key was used with another body")]
    KeyReused,
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl Registry {
    /// Amends version `expected` of a patient by `patch`, which makes of the present state the wanted one.
    pub async fn amend<E>(
        &self,
        id: PatientId,
        expected: u64,
        request: Option<Keyed>,
        patch: impl Fn(&Patient) -> Result<(Demographics, bool), E>,
        Asking { by, now, latest_today }: Asking,
    ) -> Result<Versioned, AmendError<E>> {
        let entry = Entry::new(Action::Update, "update").by(by).of_patient(id.as_uuid());
        let mut tried = 0;
        loop {
            let loaded = self.patients.get(id).await?.ok_or(AmendError::Unknown)?;
            if let Some(served) = self.served(id, &loaded, request).await? {
                return Ok(served);
            }
            let current = loaded.current.version;
            if current != expected {
                return Err(AmendError::Stale { current });
            }
            let (person, active) = patch(&loaded.current.patient).map_err(AmendError::Unfit)?;
            let amended =
                loaded.current.patient.amend(person, active, now, latest_today).map_err(AmendError::Refused)?;
            let Amendment::Changed(patient) = amended else { return Ok(loaded.current) };
            let keys = SearchKeys::of(&patient.demographics);
            let keyed = request.map(|Keyed { key, hash }| KeyedRequest { key, hash, version: current + 1 });
            tried += 1;
            match self.patients.replace(&loaded, &patient, &keys, keyed, &entry).await {
                Ok(version) => return Ok(Versioned { patient: *patient, version }),
                Err(Failure::Constraint { name })
                    if [constraint::IDENTITY, constraint::IDENTIFIER].contains(&&*name) =>
                {
                    return Err(self.winner(&patient, &keys, Failure::Constraint { name }).await);
                }
                // Whoever was faster may have been the same request: the next round tells.
                Err(Failure::Changed | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// The version that the same request made before.
    async fn served<E>(
        &self,
        id: PatientId,
        loaded: &Loaded,
        request: Option<Keyed>,
    ) -> Result<Option<Versioned>, AmendError<E>> {
        let Some(before) = request.and_then(|request| loaded.served(request.key)) else { return Ok(None) };
        if request.is_some_and(|request| request.hash != before.hash) {
            return Err(AmendError::KeyReused);
        }
        if before.version == loaded.current.version {
            return Ok(Some(loaded.current.clone()));
        }
        Ok(Some(self.patients.at(id, before.version).await?))
    }

    async fn winner<E>(&self, patient: &Patient, keys: &SearchKeys, refused: Failure) -> AmendError<E> {
        let held = &patient.demographics.identifier;
        let identifiers: Vec<_> = held.iter().map(|held| (held.system.clone(), held.value.clone())).collect();
        match self.patients.check(patient.id, keys, &identifiers).await {
            Ok(check) => match check.duplicates.first() {
                Some(other) => AmendError::Duplicate { of: other.id, identifier: other.identifier },
                // The other record has moved on since; the same request may now pass.
                None => AmendError::Store(Failure::Again),
            },
            Err(failure) => {
                tracing::warn!(error = %refused, "the record in the way could not be found");
                AmendError::Store(failure)
            }
        }
    }
}
