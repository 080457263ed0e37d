//! What patients owe, which `billing` knows.

use std::time::Duration;

use contracts::billing::v1::{GetBalanceRequest, Money, accounts_client::AccountsClient};
use sidecar::{Sidecar, invoke::AppChannel};
use tonic::{Code, Request};

use crate::domain::patient::PatientId;

/// A summary waits no longer than this for what is only a part of it.
const PATIENCE: Duration = Duration::from_millis(250);

/// What billing says of a patient's account.
#[derive(Clone, Debug, PartialEq)]
pub enum Balance {
    /// What is open, an amount for each currency.
    Open(Vec<Money>),
    /// There is no account yet.
    NoAccount,
    /// Billing is away, slow, or says no.
    Nothing,
}

/// The balances of accounts.
#[derive(Clone, Debug)]
pub struct Balances {
    client: AccountsClient<AppChannel>,
}

impl Balances {
    /// Balances at the app `billing`.
    pub fn new(sidecar: &Sidecar) -> Self {
        Self { client: AccountsClient::new(sidecar.app("billing")) }
    }

    /// What a patient owes, on behalf of the holder of `access_token`.
    pub async fn of(&self, patient: PatientId, access_token: &str) -> Balance {
        let mut request = Request::new(GetBalanceRequest { patient_id: patient.to_string() });
        request.set_timeout(PATIENCE);
        let Ok(bearer) = format!("Bearer {access_token}").parse() else { return Balance::Nothing };
        request.metadata_mut().insert("authorization", bearer);
        match tokio::time::timeout(PATIENCE, self.client.clone().get_balance(request)).await {
            Ok(Ok(answer)) => Balance::Open(answer.into_inner().open),
            Ok(Err(status)) if status.code() == Code::NotFound && problem::is_answer(&status) => Balance::NoAccount,
            Ok(Err(status)) => {
                tracing::info!(code = %status.code(), "billing does not tell a balance");
                Balance::Nothing
            }
            Err(_) => {
                tracing::info!("billing does not tell a balance in time");
                Balance::Nothing
            }
        }
    }
}
