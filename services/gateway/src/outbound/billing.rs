//! `billing`, which speaks gRPC.

use std::time::Duration;

use contracts::billing::v1::{Account, GetAccountRequest, accounts_client::AccountsClient};
use problem::{Kind, Problem};
use sidecar::{Sidecar, invoke::AppChannel};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
};

use super::again::{Failure, at_most_twice};

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
        let authorization = MetadataValue::try_from(format!("Bearer {access_token}")).map_err(Problem::internal)?;
        at_most_twice("billing", |limit| self.ask(&patient_id, &authorization, limit)).await
    }

    async fn ask(
        &self,
        patient_id: &str,
        authorization: &MetadataValue<Ascii>,
        limit: Duration,
    ) -> Result<Account, Failure> {
        let mut request = Request::new(GetAccountRequest { patient_id: patient_id.to_owned() });
        request.set_timeout(limit);
        request.metadata_mut().insert("authorization", authorization.clone());
        let answer = self.accounts.clone().get_account(request).await.map_err(failure)?;
        let missing = || Failure::Refused(Problem::internal("billing answered no account"));
        answer.into_inner().account.ok_or_else(missing)
    }
}

fn failure(status: Status) -> Failure {
    let answered = problem::is_answer(&status);
    let problem = Problem::from(status);
    if problem.kind == Kind::Unavailable && !answered { Failure::Unknown(problem) } else { Failure::Refused(problem) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_answered_is_unknown() {
        for status in [Status::unavailable("no route"), Status::unknown("no app"), Status::deadline_exceeded("late")] {
            assert!(matches!(failure(status), Failure::Unknown(_)));
        }
        for status in [Problem::unavailable("its database is away").into(), Status::not_found("no such account")] {
            assert!(matches!(failure(status), Failure::Refused(_)));
        }
    }
}
