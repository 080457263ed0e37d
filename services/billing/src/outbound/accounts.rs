//! Accounts in the state store.

use contracts::{
    billing::{account_id, v1},
    topic,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sidecar::{
    documents::{Document, Documents, Kind, Write},
    event::Event,
    failure::Failure,
    origin::Origin,
};
use uuid::Uuid;

use super::journal::Versioned;
use crate::{
    APP_ID,
    domain::account::{Account, AccountId, PatientId, Status},
};

/// `data` of an `account/<id>` document.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountData {
    patient_id: Uuid,
    status: StatusData,
    opened_at: Timestamp,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum StatusData {
    Active,
}

impl Kind for AccountData {
    const NAME: &'static str = "account";
    const SCHEMA: u32 = 1;
}

/// The accounts.
#[derive(Clone, Debug)]
pub struct Accounts {
    documents: Documents,
}

impl Accounts {
    /// Accounts in this sidecar's store.
    pub fn new(documents: Documents) -> Self {
        Self { documents }
    }

    /// The accounts of patients, in their order.
    pub async fn of_patients(&self, patients: &[PatientId]) -> Result<Vec<Option<Versioned<Account>>>, Failure> {
        let ids: Vec<_> = patients.iter().map(|patient| account_id(patient.0)).collect();
        let stored = self.documents.get_many::<AccountData>(&ids).await?;
        Ok(ids.into_iter().zip(stored).map(|(id, stored)| Some(versioned(id, &stored?.document))).collect())
    }

    /// Stores accounts that are not there yet, all of them or none; each event tells the origin beside its account.
    pub async fn create(&self, opened: &[(Account, Origin)]) -> Result<(), Failure> {
        let writes = opened.iter().map(|(account, origin)| {
            let message = v1::AccountOpened { account: Some(message(account, 1)) };
            let event = Event::new(
                topic::BILLING_ACCOUNT_OPENED,
                APP_ID,
                account.id.0,
                Uuid::now_v7(),
                account.opened_at,
                Some(origin.clone()),
                &message,
            )
            .map_err(|error| Failure::Bug(error.to_string()))?;
            Write::create(account.id.0, Document::first(AccountData::from(account), vec![event]))
        });
        self.documents.save(writes.collect::<Result<_, _>>()?).await
    }
}

impl From<&Account> for AccountData {
    fn from(account: &Account) -> Self {
        let status = match account.status {
            Status::Active => StatusData::Active,
        };
        Self { patient_id: account.patient_id.0, status, opened_at: account.opened_at }
    }
}

fn versioned(id: Uuid, document: &Document<AccountData>) -> Versioned<Account> {
    let AccountData { patient_id, status, opened_at } = document.data;
    let status = match status {
        StatusData::Active => Status::Active,
    };
    Versioned {
        item: Account { id: AccountId(id), patient_id: PatientId(patient_id), status, opened_at },
        version: document.version,
    }
}

/// An account as the contract tells it.
pub fn message(account: &Account, version: u64) -> v1::Account {
    let status = match account.status {
        Status::Active => v1::AccountStatus::Active,
    };
    let opened = account.opened_at;
    v1::Account {
        account_id: account.id.0.to_string(),
        patient_id: account.patient_id.0.to_string(),
        version: i64::try_from(version).unwrap_or(i64::MAX),
        status: status.into(),
        opened_time: Some(contracts::Timestamp { seconds: opened.as_second(), nanos: opened.subsec_nanosecond() }),
    }
}
