//! Accounts.

use jiff::Timestamp;
use uuid::Uuid;

pub use super::ids::PatientId;

/// The id of an account: UUIDv5 of the patient's.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct AccountId(pub Uuid);

/// What a patient is charged on; <http://hl7.org/fhir/R4/account.html>.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// Derived from the patient's id: one patient, one account.
    pub id: AccountId,
    /// The patient.
    pub patient_id: PatientId,
    /// Whether it can be charged.
    pub status: Status,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// <http://hl7.org/fhir/R4/valueset-account-status.html>
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// Can be charged.
    Active,
}

impl Account {
    /// Opens the account `id` of a patient who has none.
    pub fn open(id: AccountId, patient_id: PatientId, now: Timestamp) -> Self {
        Self { id, patient_id, status: Status::Active, opened_at: now }
    }
}
