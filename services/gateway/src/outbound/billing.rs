//! `billing`, which speaks gRPC.

use std::time::Duration;

use contracts::billing::v1::{Account, GetAccountRequest, accounts_client::AccountsClient};
use problem::Problem;
use sidecar::{Sidecar, invoke::AppChannel};
use tonic::{Request, metadata::MetadataValue};

const DEADLINE: Duration = Duration::from_secs(5);

/// The app `billing`.
#[derive(Clone, Debug)]
pub struct Billing {
    accounts: AccountsClient<AppChannel>,
}

impl Billing {
    /// The app `billing` behind this sidecar.
    pub fn new(sidecar: &Sidecar) -> Self {
        Self { accounts: AccountsClient::new(sidecar.app("billing")) }
    }

    /// The account of a patient, as far as the holder of `access_token` may see it.
    pub async fn account(&self, patient_id: String, access_token: &str) -> Result<Account, Problem> {
        let mut request = Request::new(GetAccountRequest { patient_id });
        request.set_timeout(DEADLINE);
        let authorization = MetadataValue::try_from(format!("Bearer {access_token}")).map_err(Problem::internal)?;
        request.metadata_mut().insert("authorization", authorization);
        let answer = self.accounts.clone().get_account(request).await?.into_inner();
        answer.account.ok_or_else(|| Problem::internal("billing answered no account"))
    }
}
