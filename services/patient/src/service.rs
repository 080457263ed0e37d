//! Use cases: load, decide, save.

pub mod amend;
pub mod booking;
pub mod calendar;
pub mod chart;
pub mod find;
pub mod register;
pub mod remind;
pub mod summary;

use audit::Agent;
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use crate::outbound::{billing::BillingAccounts, patients::Patients};

/// The register of the clinic's patients.
#[derive(Clone, Debug)]
pub struct Registry {
    patients: Patients,
    billing: BillingAccounts,
}

impl Registry {
    /// A register on these parts.
    pub fn new(patients: Patients, billing: BillingAccounts) -> Self {
        Self { patients, billing }
    }
}

/// Who asks for a change, and when.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// For the audit.
    pub by: Agent,
    /// The present moment.
    pub now: Timestamp,
    /// The date where the day begins first.
    pub latest_today: Date,
}

/// A request that carries an idempotency key.
#[derive(Clone, Copy, Debug)]
pub struct Keyed {
    /// Caller, route and key in one; the id of what a create makes.
    pub key: Uuid,
    /// Hash of what is asked.
    pub hash: Uuid,
}
