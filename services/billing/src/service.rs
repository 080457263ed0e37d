//! Use cases: load, decide, save.

pub mod open_accounts;

use sidecar::failure::Failure;

use crate::{
    domain::account::PatientId,
    outbound::accounts::{Accounts, Versioned},
};

/// The clinic's books.
#[derive(Clone, Debug)]
pub struct Books {
    accounts: Accounts,
}

impl Books {
    /// Books on these parts.
    pub fn new(accounts: Accounts) -> Self {
        Self { accounts }
    }

    /// The account of a patient.
    pub async fn account_of(&self, patient: PatientId) -> Result<Option<Versioned>, Failure> {
        Ok(self.accounts.of_patients(&[patient]).await?.pop().flatten())
    }
}
