//! Opening accounts, for whoever comes first: a registration that waits, or the event that tells of it.

use std::{collections::BTreeMap, time::Duration};

use contracts::billing::account_id;
use jiff::Timestamp;
use rand::Rng as _;
use sidecar::{failure::Failure, origin::Origin};

use super::Books;
use crate::{
    domain::account::{Account, AccountId, PatientId},
    outbound::journal::Versioned,
};

/// Others who open the same accounts at the same time; each round some account of the batch is settled.
const TRIES: u32 = 5;

/// A patient who shall have an account.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The patient.
    pub patient_id: PatientId,
    /// The registration.
    pub origin: Origin,
}

impl Books {
    /// Opens the accounts of those who have none; answers everyone's.
    pub async fn open_accounts(
        &self,
        openings: Vec<Opening>,
        now: Timestamp,
    ) -> Result<BTreeMap<PatientId, Versioned<Account>>, Failure> {
        let openings: BTreeMap<_, _> =
            openings.into_iter().map(|opening| (opening.patient_id, opening.origin)).collect();
        let patients: Vec<_> = openings.keys().copied().collect();
        let mut tried = 0;
        loop {
            // Reading first: an account that the event opened already must not undo the whole batch.
            let found = self.accounts.of_patients(&patients).await?;
            let mut accounts = BTreeMap::new();
            let mut missing = Vec::new();
            for (&patient, found) in patients.iter().zip(found) {
                match found {
                    Some(account) => drop(accounts.insert(patient, account)),
                    None => missing.push((
                        Account::open(AccountId(account_id(patient.0)), patient, now),
                        openings[&patient].clone(),
                    )),
                }
            }
            if missing.is_empty() {
                return Ok(accounts);
            }
            tried += 1;
            match self.accounts.create(&missing).await {
                Ok(()) => {
                    let opened = missing
                        .into_iter()
                        .map(|(account, _)| (account.patient_id, Versioned { item: account, version: 1 }));
                    accounts.extend(opened);
                    return Ok(accounts);
                }
                Err(Failure::KeyTaken | Failure::Changed | Failure::Again) if tried < TRIES => {
                    let jitter = rand::rng().random_range(0..10 * tried);
                    tokio::time::sleep(Duration::from_millis(jitter.into())).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }
}
