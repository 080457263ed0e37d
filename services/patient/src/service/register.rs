//! Registration.

use audit::{Action, Entry};
use contracts::billing::v1::AccountStatus;
use sidecar::{documents::KeyedRequest, failure::Failure};

use super::{Asking, Keyed, Registry};
use crate::{
    domain::{
        demographics::Demographics,
        identity::SearchKeys,
        mrn::Mrn,
        patient::{Patient, PatientId, Refusal},
    },
    outbound::patients::{Check, Versioned},
};

/// Names of the constraints of the migrations.
pub(super) mod constraint {
    pub(crate) const IDENTITY: &str = "patients_identity_key";
    pub(crate) const IDENTIFIER: &str = "patient_identifiers_system_value_key";
    pub(crate) const MRN: &str = "patients_mrn_key";
}

/// Conflicts that another try may get past: a drawn MRN, a deadlock.
const TRIES: u8 = 5;

/// A patient who is registered, by this request or by the same one before.
#[derive(Debug)]
pub struct Registered {
    /// Version 1.
    pub patient: Versioned,
    /// None when the account is not known to be open yet.
    pub account: Option<AccountStatus>,
}

/// Why nobody was registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// A rule of the domain.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The person has a record.
    #[error("the person is registered already")]
    Duplicate {
        /// Their record.
        of: PatientId,
        /// The identifier that both have, by its index in the request.
        identifier: Option<usize>,
    },
    /// The key was used for another person.
    #[error("the key was used with another body")]
    KeyReused,
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl Registry {
    /// Registers a person on behalf of the holder of `access_token`.
    pub async fn register(
        &self,
        person: Demographics,
        request: Keyed,
        asking: Asking,
        access_token: &str,
    ) -> Result<Registered, RegisterError> {
        let patient = self.record(person, request, asking).await?;
        let account = self.billing.open(patient.patient.id, access_token).await;
        Ok(Registered { patient, account })
    }

    async fn record(
        &self,
        person: Demographics,
        request: Keyed,
        Asking { by, now, latest_today }: Asking,
    ) -> Result<Versioned, RegisterError> {
        let id = PatientId::new(request.key);
        let keys = SearchKeys::of(&person);
        let identifiers: Vec<_> =
            person.identifier.iter().map(|held| (held.system.clone(), held.value.clone())).collect();
        let mut patient = Patient::register(id, Mrn::draw(id, 0), person, now, latest_today)?;
        let entry = Entry::new(Action::Create, "create").by(by).of_patient(id.as_uuid());
        let mut tried = 0;
        loop {
            // Before the first try, and after one that lost against another: the answer names the winner.
            if let Some(served) = settle(self.patients.check(id, &keys, &identifiers).await?, request)? {
                return Ok(served);
            }
            let keyed = KeyedRequest { key: request.key, hash: request.hash, version: 1 };
            tried += 1;
            match self.patients.create(&patient, &keys, keyed, &entry).await {
                Ok(()) => return Ok(Versioned { patient, version: 1 }),
                Err(failure) if tried == TRIES => return Err(failure.into()),
                Err(Failure::Constraint { name }) if name == constraint::MRN => patient.mrn = Mrn::draw(id, tried),
                Err(Failure::Constraint { name })
                    if [constraint::IDENTITY, constraint::IDENTIFIER].contains(&&*name) => {}
                Err(Failure::KeyTaken | Failure::Again) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }
}

fn settle(check: Check, request: Keyed) -> Result<Option<Versioned>, RegisterError> {
    match (check.own, check.duplicates.first()) {
        (Some((hash, _)), _) if hash != request.hash => Err(RegisterError::KeyReused),
        (Some((_, patient)), _) => Ok(Some(patient)),
        (None, Some(other)) => Err(RegisterError::Duplicate { of: other.id, identifier: other.identifier }),
        (None, None) => Ok(None),
    }
}
