//! `billing.v1.Accounts`

use std::sync::Arc;

use access::{
    AccessTokens, Allowed,
    matrix::{MatrixError, allowed_to},
};
use contracts::billing::v1::{
    AccountOpening, AccountOpeningResult, AccountRefusal, GetAccountRequest, GetAccountResponse, GetBalanceRequest,
    GetBalanceResponse, Money, OpenAccountsRequest, OpenAccountsResponse, account_opening_result::Outcome,
    accounts_server,
};
use jiff::Timestamp;
use problem::{Kind, Problem};
use sidecar::origin::{Origin, RequestId};
use tonic::{Request, Response, Status};
use tracing::info_span;
use uuid::Uuid;

use super::admission::{Admission, Shown};
use crate::{
    APP_ID,
    domain::{
        account::{Account, PatientId},
        money::Amount,
    },
    outbound::{accounts::message, journal::Versioned, lists::PatientBalance},
    service::{Books, open_accounts::Opening},
};

/// The methods of one caller each; a call of `OpenAccounts` is of several.
pub const METHODS: [&str; 2] = ["billing.v1.Accounts/GetAccount", "billing.v1.Accounts/GetBalance"];

const LARGEST_BATCH: usize = 256;

/// The service `billing.v1.Accounts`.
#[derive(Debug)]
pub struct Accounts {
    books: Books,
    tokens: Arc<AccessTokens>,
    admission: Admission,
    openers: &'static Allowed,
}

impl Accounts {
    /// The service on these books.
    pub fn new(books: Books, tokens: Arc<AccessTokens>, admission: Admission) -> Result<Self, MatrixError> {
        let openers = allowed_to(APP_ID, "billing.v1.Accounts/OpenAccounts")?;
        Ok(Self { books, tokens, admission, openers })
    }

    fn opening(&self, asked: &AccountOpening) -> Result<Opening, AccountRefusal> {
        let caller = self.tokens.verify(&asked.access_token, Timestamp::now());
        let caller = caller.map_err(|_| AccountRefusal::Unauthenticated)?;
        self.openers.admit(&caller).map_err(|_| AccountRefusal::Forbidden)?;
        let patient_id = Uuid::parse_str(&asked.patient_id).map(PatientId).map_err(|_| AccountRefusal::Invalid)?;
        // A batch serves several registrations; each has this step in its own trace.
        let span = info_span!("open account", otel.kind = "server");
        sidecar::trace::continue_from(&span, Some(&asked.traceparent));
        // Text of another service: what is no id goes no further.
        let request_id = asked.request_id.parse::<RequestId>().ok().map(|id| id.to_string());
        span.in_scope(|| tracing::debug!(request_id, "open account"));
        Ok(Opening { patient_id, origin: Origin { traceparent: span.in_scope(sidecar::trace::current), request_id } })
    }
}

impl Accounts {
    async fn account_of(&self, patient: &str) -> Result<Versioned<Account>, Problem> {
        let none = || Problem::new(Kind::NotFound, "This patient has no billing account.");
        let patient = Uuid::parse_str(patient).map(PatientId).map_err(|_| none())?;
        self.books.account_of(patient).await?.ok_or_else(none)
    }
}

#[tonic::async_trait]
impl accounts_server::Accounts for Accounts {
    async fn open_accounts(
        &self,
        request: Request<OpenAccountsRequest>,
    ) -> Result<Response<OpenAccountsResponse>, Status> {
        let asked = request.into_inner().openings;
        if asked.len() > LARGEST_BATCH {
            let detail = format!("must have at most {LARGEST_BATCH} items");
            return Err(Problem::invalid_field("/openings", detail).into());
        }
        let openings: Vec<_> = asked.iter().map(|asked| self.opening(asked)).collect();
        let allowed = openings.iter().filter_map(|opening| opening.clone().ok()).collect();
        let accounts = self.books.open_accounts(allowed, Timestamp::now()).await.map_err(Problem::from)?;
        let results = asked.into_iter().zip(openings).map(|(asked, opening)| {
            let outcome = match opening {
                Ok(opening) => {
                    accounts.get(&opening.patient_id).map(|found| Outcome::Account(message(&found.item, found.version)))
                }
                Err(refusal) => Some(Outcome::Refusal(refusal.into())),
            };
            AccountOpeningResult { patient_id: asked.patient_id, outcome }
        });
        Ok(Response::new(OpenAccountsResponse { results: results.collect() }))
    }

    async fn get_account(&self, request: Request<GetAccountRequest>) -> Result<Response<GetAccountResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Accounts/GetAccount")?;
        let found = self.account_of(&request.into_inner().patient_id).await?;
        let (id, patient) = (Some(found.item.id.0), Some(found.item.patient_id.0));
        self.admission.show(&caller, Shown { kind: "account", id, version: Some(found.version), patient })?;
        Ok(Response::new(GetAccountResponse { account: Some(message(&found.item, found.version)) }))
    }

    async fn get_balance(&self, request: Request<GetBalanceRequest>) -> Result<Response<GetBalanceResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Accounts/GetBalance")?;
        let patient = self.account_of(&request.into_inner().patient_id).await?.item.patient_id;
        let balances = self.books.lists.balances(patient).await.map_err(Problem::from)?;
        self.admission.show(&caller, Shown::list("balance", Some(patient.0)))?;
        let amounts = |of: fn(&PatientBalance) -> Amount| {
            let money = |balance: &PatientBalance| Money {
                currency_code: balance.currency.code().to_owned(),
                minor_units: of(balance).0,
            };
            balances.iter().filter(|balance| !of(balance).is_zero()).map(money).collect()
        };
        Ok(Response::new(GetBalanceResponse {
            open: amounts(|balance| balance.receivable),
            insurance_open: amounts(|balance| balance.insurance),
            unapplied: amounts(|balance| balance.unapplied),
        }))
    }
}
