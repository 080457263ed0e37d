//! The service with a real sidecar, PostgreSQL and Kafka.

mod accounts;
mod adding_up;
mod claiming;
mod clearing_house;
mod closing;
mod covering;
mod desk;
mod drafting;
mod events;
mod issuing;
mod paying;
mod people;
mod posting;
mod printing;
mod refunding;
mod replaying;
mod reporting;
mod volume;

use std::process::ExitCode;

use access::Role;
use billing::{
    app::App,
    config::{Config, ENV_RECONCILE_EVERY_SECONDS},
};
use contracts::billing::v1::{
    AccountOpening, AccountOpeningResult, OpenAccountsRequest, accounts_client::AccountsClient,
};
use testkit::{Parts, Result};
use tonic::{
    Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

fn main() -> ExitCode {
    testkit::run(testkit::App::Billing, |parts| async move {
        let app = App::build(&Config::read(parts.environment(&[(ENV_RECONCILE_EVERY_SECONDS, "1")]))?)?;
        tokio::spawn(app.run());
        parts.ready().await?;
        parts.start_neighbour(testkit::App::Patient, people::routes()).await?;
        parts.start_clearing_house(clearing_house::routes()).await?;
        let mut trials = accounts::tests(&parts);
        trials.extend(events::tests(&parts));
        trials.extend(drafting::tests(&parts));
        trials.extend(issuing::tests(&parts));
        trials.extend(paying::tests(&parts));
        trials.extend(refunding::tests(&parts));
        trials.extend(adding_up::tests(&parts));
        trials.extend(posting::tests(&parts));
        trials.extend(printing::tests(&parts));
        trials.extend(reporting::tests(&parts));
        trials.extend(covering::tests(&parts));
        trials.extend(claiming::tests(&parts));
        trials.extend(replaying::tests(&parts));
        // From here on, what is done belongs to the days after.
        trials.extend(closing::tests(&parts));
        trials.extend(volume::tests(&parts));
        trials.extend(testkit::grpc::tests(
            &parts,
            &[
                "billing.v1.Accounts",
                "billing.v1.Claims",
                "billing.v1.Coverages",
                "billing.v1.Days",
                "billing.v1.FeeSchedules",
                "billing.v1.Invoices",
                "billing.v1.Ledger",
                "billing.v1.Payers",
                "billing.v1.Payments",
                "billing.v1.Remittances",
                "billing.v1.Replay",
                "billing.v1.Reports",
            ],
        ));
        Ok(trials)
    })
}

/// Calls the service as its sidecar would.
#[derive(Clone)]
struct AsSidecar {
    app_api_token: String,
    access_token: Option<String>,
}

impl Interceptor for AsSidecar {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        let value = |text: &str| text.parse().map_err(|_| Status::internal("no metadata value"));
        request.metadata_mut().insert("dapr-api-token", value(&self.app_api_token)?);
        if let Some(token) = &self.access_token {
            request.metadata_mut().insert("authorization", value(&format!("Bearer {token}"))?);
        }
        Ok(request)
    }
}

type Client = AccountsClient<InterceptedService<Channel, AsSidecar>>;

async fn client(parts: &Parts, access_token: Option<String>) -> Result<Client> {
    let channel = Endpoint::from_shared(parts.app_url(""))?.connect().await?;
    let caller = AsSidecar { app_api_token: parts.app_api_token().to_owned(), access_token };
    Ok(AccountsClient::with_interceptor(channel, caller))
}

fn opening(patient: Uuid, access_token: &str) -> AccountOpening {
    AccountOpening {
        patient_id: patient.to_string(),
        access_token: access_token.to_owned(),
        traceparent: String::new(),
        request_id: String::new(),
    }
}

async fn open(parts: &Parts, patients: &[Uuid]) -> Result<Vec<AccountOpeningResult>> {
    let token = parts.token(Role::FrontDesk)?;
    let openings = patients.iter().map(|&patient| opening(patient, &token)).collect();
    let answer = client(parts, None).await?.open_accounts(OpenAccountsRequest { openings }).await?;
    Ok(answer.into_inner().results)
}

/// How many accounts a patient has, and how many events told of them.
async fn accounts_of(parts: &Parts, patient: Uuid) -> Result<i64> {
    let rows = parts.sql(&format!("select count(*) from projection.accounts where patient_id = '{patient}'")).await?;
    Ok(rows[0]["count"].as_i64().unwrap_or_default())
}
