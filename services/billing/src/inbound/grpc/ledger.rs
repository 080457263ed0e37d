//! `billing.v1.Ledger`

use std::collections::BTreeMap;

use contracts::billing::v1::{
    self as wire, GetTrialBalanceRequest, GetTrialBalanceResponse, LedgerAccountBalance, LedgerTotal,
    ListPostingsRequest, ListPostingsResponse, Posting, ledger_server,
};
use jiff::Timestamp;
use problem::{Problem, input::Findings};
use tonic::{Request, Response, Status};

use super::{
    admission::{Admission, Shown},
    read,
};
use crate::{
    domain::{
        ids::{InvoiceId, PatientId, PayerId, PaymentId},
        ledger::{Act, LedgerAccount},
        money::Amount,
    },
    outbound::{
        lists::{FoundPosting, PostingPosition, WantedPostings},
        messages,
    },
    service::Books,
};

/// The methods of the service.
pub const METHODS: [&str; 2] = ["billing.v1.Ledger/GetTrialBalance", "billing.v1.Ledger/ListPostings"];

/// The service `billing.v1.Ledger`.
#[derive(Clone, Debug)]
pub struct Ledger {
    books: Books,
    admission: Admission,
}

impl Ledger {
    /// The service on these books.
    pub fn new(books: Books, admission: Admission) -> Self {
        Self { books, admission }
    }
}

#[tonic::async_trait]
impl ledger_server::Ledger for Ledger {
    async fn get_trial_balance(
        &self,
        request: Request<GetTrialBalanceRequest>,
    ) -> Result<Response<GetTrialBalanceResponse>, Status> {
        self.admission.admit(request.metadata(), "billing.v1.Ledger/GetTrialBalance")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let date = read::optional_date(asked.date.as_deref(), "date", &mut findings);
        let date = findings.into_result(Some(date))?.unwrap_or_else(|| self.books.settings.day(Timestamp::now()));
        let mut sums = self.books.lists.trial_balance(date).await.map_err(Problem::from)?;
        sums.sort_by_key(|sum| (sum.currency.code(), LedgerAccount::ALL.iter().position(|one| *one == sum.account)));
        let mut totals: BTreeMap<&str, (Amount, Amount)> = BTreeMap::new();
        for sum in &sums {
            let (debit, credit) = totals.entry(sum.currency.code()).or_default();
            *debit += sum.debit;
            *credit += sum.credit;
        }
        let account = |sum: &crate::outbound::lists::AccountSum| LedgerAccountBalance {
            account: messages::ledger_account(sum.account).into(),
            currency_code: sum.currency.code().to_owned(),
            debit: sum.debit.0,
            credit: sum.credit.0,
            balance: (sum.debit - sum.credit).0,
        };
        let total = |(currency, (debit, credit)): (&str, (Amount, Amount))| LedgerTotal {
            currency_code: currency.to_owned(),
            debit: debit.0,
            credit: credit.0,
        };
        Ok(Response::new(GetTrialBalanceResponse {
            date: date.to_string(),
            accounts: sums.iter().map(account).collect(),
            totals: totals.into_iter().map(total).collect(),
        }))
    }

    async fn list_postings(
        &self,
        request: Request<ListPostingsRequest>,
    ) -> Result<Response<ListPostingsResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Ledger/ListPostings")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let patient = read::optional_id(asked.patient_id.as_deref(), "patient_id", &mut findings);
        let limit = read::limit(asked.limit, 50, 200, &mut findings);
        let account = asked.account.map(|_| ledger_account(asked.account(), &mut findings));
        let wanted = WantedPostings {
            patient_id: patient.map(PatientId),
            invoice_id: read::optional_id(asked.invoice_id.as_deref(), "invoice_id", &mut findings).map(InvoiceId),
            payment_id: read::optional_id(asked.payment_id.as_deref(), "payment_id", &mut findings).map(PaymentId),
            payer_id: read::optional_id(asked.payer_id.as_deref(), "payer_id", &mut findings).map(PayerId),
            service_code: read::optional_text(asked.service_code.as_deref(), 40, "service_code", &mut findings),
            account: account.flatten(),
            act: asked.act.as_deref().and_then(|act| read_act(act, &mut findings)),
            from: read::optional_date(asked.from.as_deref(), "from", &mut findings),
            to: read::optional_date(asked.to.as_deref(), "to", &mut findings),
            after: read::cursor(asked.cursor.as_deref(), &mut findings),
            limit: limit.unwrap_or_default() + 1,
        };
        let wanted = findings.into_result(Some(wanted))?;
        let found = self.books.lists.postings(&wanted).await.map_err(Problem::from)?;
        self.admission.show(&caller, Shown::list("posting", patient))?;
        let position =
            |last: &FoundPosting| PostingPosition { at: last.recorded_at, id: last.journal_id, place: last.place };
        let (found, next) = read::page(found, wanted.limit - 1, position)?;
        let items: Result<Vec<_>, Problem> = found.into_iter().map(told).collect();
        Ok(Response::new(ListPostingsResponse { items: items?, next }))
    }
}

fn told(found: FoundPosting) -> Result<Posting, Problem> {
    let act = serde_json::to_value(found.act).map_err(Problem::internal)?;
    let text = |id: Option<uuid::Uuid>| id.map(|id| id.to_string());
    Ok(Posting {
        journal_id: found.journal_id.to_string(),
        act: act.as_str().unwrap_or_default().to_owned(),
        account: messages::ledger_account(found.account).into(),
        currency_code: found.currency.code().to_owned(),
        debit: found.amount.0.max(0),
        credit: (-found.amount.0).max(0),
        date: found.date.to_string(),
        recorded_time: Some(messages::time(found.recorded_at)),
        patient_id: text(found.patient_id),
        invoice_id: text(found.invoice_id),
        payment_id: text(found.payment_id),
        claim_id: text(found.claim_id),
        payer_id: text(found.payer_id),
        service_code: found.service_code,
        user_id: text(found.user_id),
    })
}

fn read_act(text: &str, findings: &mut Findings) -> Option<Act> {
    let read = serde_json::from_value(text.into()).ok();
    if read.is_none() {
        findings.add("act", "is no act of the books");
    }
    read
}

fn ledger_account(account: wire::LedgerAccount, findings: &mut Findings) -> Option<LedgerAccount> {
    let found = LedgerAccount::ALL.into_iter().find(|one| messages::ledger_account(*one) == account);
    if found.is_none() {
        findings.add("account", "is no account of the books");
    }
    found
}
