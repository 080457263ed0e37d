//! Billing accounts, which `billing` owns.

use std::time::Duration;

use contracts::billing::v1::{
    AccountOpening, AccountStatus, OpenAccountsRequest, account_opening_result::Outcome,
    accounts_client::AccountsClient,
};
use sidecar::{Sidecar, batch::Batcher, invoke::AppChannel, origin::Origin};
use tonic::Request;

use crate::domain::patient::PatientId;

/// A registration waits no longer than this for its account; the event opens it otherwise.
const PATIENCE: Duration = Duration::from_millis(250);
/// Billing's own limit is higher; beyond this a batch is slower than two.
const LARGEST_BATCH: usize = 64;
/// A billing that hangs must not hold up those who come after.
const CALLS_UNDER_WAY: usize = 2;

/// Opens accounts, those of concurrent registrations in one call.
#[derive(Clone, Debug)]
pub struct BillingAccounts {
    batcher: Batcher<AccountOpening, Answered>,
}

/// What billing says of one opening.
#[derive(Clone, Debug)]
enum Answered {
    Open(AccountStatus),
    Refused(i32),
    /// Billing is away or slow, or has said nothing of it.
    Nothing,
}

impl BillingAccounts {
    /// Accounts at the app `billing`.
    pub fn new(sidecar: &Sidecar) -> Self {
        let client = AccountsClient::new(sidecar.app("billing"));
        let batcher = Batcher::spawn(LARGEST_BATCH, CALLS_UNDER_WAY, move |openings| open(client.clone(), openings));
        Self { batcher }
    }

    /// Opens a patient's account on behalf of the holder of `access_token`; none when it is not known to be open yet.
    pub async fn open(&self, patient: PatientId, access_token: &str) -> Option<AccountStatus> {
        let Origin { traceparent, request_id } = Origin::current();
        let opening = AccountOpening {
            patient_id: patient.to_string(),
            access_token: access_token.to_owned(),
            traceparent: traceparent.unwrap_or_default(),
            request_id: request_id.unwrap_or_default(),
        };
        match tokio::time::timeout(PATIENCE, self.batcher.ask(opening)).await {
            Ok(Some(Answered::Open(status))) => Some(status),
            // Here and not in the batch, which has no request of its own.
            Ok(Some(Answered::Refused(refusal))) => {
                tracing::warn!(refusal, patient_id = %patient, "billing refused to open an account");
                None
            }
            Ok(Some(Answered::Nothing) | None) | Err(_) => None,
        }
    }
}

async fn open(mut client: AccountsClient<AppChannel>, openings: Vec<AccountOpening>) -> Vec<Answered> {
    let asked = openings.len();
    let mut request = Request::new(OpenAccountsRequest { openings });
    request.set_timeout(PATIENCE);
    match client.open_accounts(request).await {
        Ok(answer) => answer
            .into_inner()
            .results
            .into_iter()
            .map(|result| match result.outcome {
                Some(Outcome::Account(account)) => Answered::Open(account.status()),
                Some(Outcome::Refusal(refusal)) => Answered::Refused(refusal),
                None => Answered::Nothing,
            })
            .collect(),
        Err(status) => {
            tracing::info!(code = %status.code(), accounts = asked, "billing does not answer; events will open the accounts");
            vec![Answered::Nothing; asked]
        }
    }
}
