//! What is known of a patient on one page, as far as whoever asks may know it.

use access::{
    Allowed, Caller,
    matrix::{MatrixError, allowed_to},
};
use jiff::Timestamp;
use sidecar::{Sidecar, failure::Failure};

use crate::{
    APP_ID,
    domain::patient::PatientId,
    outbound::{
        balances::{Balance, Balances},
        summaries::{self, Stored},
    },
};

/// Sections of the database's, and the operation that shows the same: who may not use that sees no section of it.
const SECTIONS: [(&str, &str); 5] = [
    ("problems", "GET /api/patients/{id}/conditions"),
    ("allergies", "GET /api/patients/{id}/allergies"),
    ("medications", "GET /api/patients/{id}/medication-requests"),
    ("vitalSigns", "GET /api/patients/{id}/observations"),
    ("nextAppointment", "GET /api/patients/{id}/appointments"),
];

/// A summary.
#[derive(Debug)]
pub struct Summary {
    /// What the database has of the sections that may be seen.
    pub stored: Stored,
    /// None when it may not be seen.
    pub balance: Option<Balance>,
}

/// Makes summaries.
#[derive(Clone, Debug)]
pub struct Summaries {
    sidecar: Sidecar,
    balances: Balances,
    sections: Vec<(&'static str, &'static Allowed)>,
    balance: &'static Allowed,
}

impl Summaries {
    /// Summaries of what this sidecar's store and billing have.
    pub fn new(sidecar: &Sidecar) -> Result<Self, MatrixError> {
        let sections = SECTIONS.iter().map(|(section, operation)| Ok((*section, allowed_to(APP_ID, operation)?)));
        Ok(Self {
            sidecar: sidecar.clone(),
            balances: Balances::new(sidecar),
            sections: sections.collect::<Result<_, _>>()?,
            balance: allowed_to("billing", "billing.v1.Accounts/GetBalance")?,
        })
    }

    /// The summary of a patient; none when there is no such patient.
    pub async fn of(
        &self,
        patient: PatientId,
        caller: &Caller,
        access_token: &str,
        now: Timestamp,
    ) -> Result<Option<Summary>, Failure> {
        let seen: Vec<_> = self.sections.iter().filter(|(_, allowed)| allowed.has(caller.role)).collect();
        let sections: Vec<_> = seen.into_iter().map(|(section, _)| *section).collect();
        let balance = async {
            let may = self.balance.has(caller.role);
            if may { Some(self.balances.of(patient, access_token).await) } else { None }
        };
        let stored = summaries::find(&self.sidecar, patient, &sections, now);
        // Billing has its own time limit; the store decides whether there is an answer.
        let (stored, balance) = tokio::join!(stored, balance);
        let stored = stored?;
        Ok(stored.known.then_some(Summary { stored, balance }))
    }

    /// Whether this section may be seen.
    pub fn shows(&self, section: &str, caller: &Caller) -> bool {
        self.sections.iter().any(|(name, allowed)| *name == section && allowed.has(caller.role))
    }
}
