//! Somebody at the desk: what they ask of the service.

use access::Role;
use anyhow::Context as _;
use contracts::billing::v1::{
    self as wire, CreateInvoiceRequest, Invoice, InvoiceLine, IssueInvoiceRequest, OpenAccountsRequest, Payment,
    PaymentMethod, RecordPaymentRequest, accounts_client::AccountsClient, claims_client::ClaimsClient,
    coverages_client::CoveragesClient, days_client::DaysClient, fee_schedules_client::FeeSchedulesClient,
    invoices_client::InvoicesClient, ledger_client::LedgerClient, payers_client::PayersClient,
    payments_client::PaymentsClient, remittances_client::RemittancesClient, reports_client::ReportsClient,
};
use testkit::{Parts, Result};
use tonic::{
    Request, Status,
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

use super::AsSidecar;

type Behind = InterceptedService<Channel, AsSidecar>;

pub(super) const HCPCS: &str = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets";

/// A person with a token.
#[derive(Clone)]
pub(super) struct Desk {
    channel: Channel,
    caller: AsSidecar,
    opener: String,
}

impl Desk {
    pub(super) async fn of(parts: &Parts, role: Role) -> Result<Self> {
        Self::with(parts, Some(parts.token(role)?)).await
    }

    pub(super) async fn with(parts: &Parts, access_token: Option<String>) -> Result<Self> {
        let channel = Endpoint::from_shared(parts.app_url(""))?.connect().await?;
        let caller = AsSidecar { app_api_token: parts.app_api_token().to_owned(), access_token };
        Ok(Self { channel, caller, opener: parts.token(Role::FrontDesk)? })
    }

    pub(super) fn fees(&self) -> FeeSchedulesClient<Behind> {
        FeeSchedulesClient::with_interceptor(self.channel.clone(), self.caller.clone())
    }

    pub(super) fn invoices(&self) -> InvoicesClient<Behind> {
        InvoicesClient::with_interceptor(self.channel.clone(), self.caller.clone())
    }

    pub(super) fn payments(&self) -> PaymentsClient<Behind> {
        PaymentsClient::with_interceptor(self.channel.clone(), self.caller.clone())
    }

    pub(super) fn ledger(&self) -> LedgerClient<Behind> {
        LedgerClient::with_interceptor(self.channel.clone(), self.caller.clone())
    }

    pub(super) fn claims(&self) -> ClaimsClient<Behind> {
        ClaimsClient::with_interceptor(self.channel.clone(), self.caller.clone())
    }

    pub(super) fn remittances(&self) -> RemittancesClient<Behind> {
        RemittancesClient::with_interceptor(self.channel.clone(), self.caller.clone())
    }

    pub(super) fn days(&self) -> DaysClient<Behind> {
        DaysClient::with_interceptor(self.channel.clone(), self.caller.clone())
    }

    pub(super) fn reports(&self) -> ReportsClient<Behind> {
        ReportsClient::with_interceptor(self.channel.clone(), self.caller.clone())
    }

    pub(super) fn payers(&self) -> PayersClient<Behind> {
        PayersClient::with_interceptor(self.channel.clone(), self.caller.clone())
    }

    pub(super) fn coverages(&self) -> CoveragesClient<Behind> {
        CoveragesClient::with_interceptor(self.channel.clone(), self.caller.clone())
    }

    /// Has the account of a patient opened, as their registration would.
    pub(super) async fn open(&self, patient: Uuid) -> Result<()> {
        let openings = vec![super::opening(patient, &self.opener)];
        let mut accounts = AccountsClient::with_interceptor(self.channel.clone(), self.caller.clone());
        accounts.open_accounts(OpenAccountsRequest { openings }).await?;
        Ok(())
    }

    /// A draft of one line.
    pub(super) async fn draft(&self, patient: Uuid, clinic: Uuid, price: i64) -> Result<Invoice> {
        self.draft_of(patient, clinic, vec![line("99213", 1, Some(price))]).await
    }

    pub(super) async fn draft_of(&self, patient: Uuid, clinic: Uuid, lines: Vec<InvoiceLine>) -> Result<Invoice> {
        self.open(patient).await?;
        let asked = CreateInvoiceRequest {
            patient_id: patient.to_string(),
            clinic_id: clinic.to_string(),
            lines,
            diagnoses: Vec::new(),
        };
        let answer = self.invoices().create_invoice(keyed(asked, Uuid::now_v7())).await?;
        answer.into_inner().invoice.context("no invoice")
    }

    pub(super) async fn issue(&self, draft: &Invoice) -> std::result::Result<Invoice, Status> {
        let asked = IssueInvoiceRequest { invoice_id: draft.invoice_id.clone(), expected_version: draft.version };
        let answer = self.invoices().issue_invoice(keyed(asked, Uuid::now_v7())).await?;
        answer.into_inner().invoice.ok_or_else(|| Status::internal("no invoice"))
    }

    /// An issued invoice of one line.
    pub(super) async fn issued(&self, patient: Uuid, clinic: Uuid, price: i64) -> Result<Invoice> {
        let draft = self.draft(patient, clinic, price).await?;
        Ok(self.issue(&draft).await?)
    }

    pub(super) async fn invoice(&self, id: &str) -> Result<Invoice> {
        let asked = wire::GetInvoiceRequest { invoice_id: id.to_owned() };
        self.invoices().get_invoice(asked).await?.into_inner().invoice.context("no invoice")
    }

    pub(super) async fn pay(&self, asked: RecordPaymentRequest, key: Uuid) -> std::result::Result<Payment, Status> {
        let answer = self.payments().record_payment(keyed(asked, key)).await?;
        answer.into_inner().payment.ok_or_else(|| Status::internal("no payment"))
    }
}

/// What a test needs to be there.
pub(super) trait There<T> {
    fn there(self) -> Result<T>;
}

impl<T> There<T> for Option<T> {
    fn there(self) -> Result<T> {
        self.context("it is not there")
    }
}

/// What a test needs to be refused.
pub(super) trait Refused {
    fn refused(self) -> Result<Status>;
}

impl<T: std::fmt::Debug> Refused for std::result::Result<T, Status> {
    fn refused(self) -> Result<Status> {
        self.err().context("it was not refused")
    }
}

/// A request with an idempotency key.
pub(super) fn keyed<T>(asked: T, key: Uuid) -> Request<T> {
    let mut request = Request::new(asked);
    if let Ok(key) = key.to_string().parse() {
        request.metadata_mut().insert("idempotency-key", key);
    }
    request
}

pub(super) fn line(code: &str, units: i32, unit_price: Option<i64>) -> InvoiceLine {
    InvoiceLine {
        system: HCPCS.to_owned(),
        code: code.to_owned(),
        date: "2026-11-30".to_owned(),
        units,
        unit_price,
        ..InvoiceLine::default()
    }
}

pub(super) fn payment(patient: Uuid, method: PaymentMethod, amount: i64) -> RecordPaymentRequest {
    RecordPaymentRequest {
        patient_id: patient.to_string(),
        method: method.into(),
        amount,
        currency_code: "EUR".to_owned(),
        ..RecordPaymentRequest::default()
    }
}

/// What a refusal says of fields: their names.
pub(super) fn fields(status: &Status) -> Vec<String> {
    problem::Problem::from(status.clone()).errors.into_iter().map(|error| error.pointer).collect()
}

/// What a refusal is called.
pub(super) fn slug(status: &Status) -> String {
    problem::Problem::from(status.clone()).slug.unwrap_or_default().into_owned()
}

/// What does not add up in the books; nothing, always.
pub(super) async fn does_not_add_up(parts: &Parts) -> Result<Vec<serde_json::Value>> {
    let rows = parts
        .sql(
            "with postings as (select * from projection.postings), \
             docs as (select key, convert_from(value, 'UTF8')::jsonb -> 'data' as data from state.state), \
             unbalanced as (select 'journal ' || journal_id as what from postings group by journal_id having sum(amount) <> 0), \
             invoices as (select 'invoice ' || invoice_id as what from projection.invoice_balances full join \
               (select invoice_id, sum(amount) as open from postings where account = 'patient-receivable' group by 1) as posted \
               using (invoice_id) where coalesce(patient_open, 0) <> coalesce(open, 0)), \
             documents as (select 'document of invoice ' || invoice_id as what from projection.invoices \
               left join projection.invoice_balances as held using (invoice_id) \
               where invoices.patient_open <> coalesce(held.patient_open, 0)), \
             payments as (select 'payment ' || payment_id as what from projection.payments left join \
               (select payment_id, -sum(amount) as unapplied from postings where account = 'unapplied' group by 1) as posted \
               using (payment_id) where payments.unapplied <> coalesce(posted.unapplied, 0)), \
             allocated as (select 'allocations of payment ' || payment_id as what from projection.payments \
               left join (select payment_id, sum(amount) as used from projection.allocations group by 1) as used using (payment_id) \
               left join projection.payment_balances as held using (payment_id) \
               where payments.unapplied + coalesce(used, 0) <> coalesce(held.captured - held.refunded, 0)), \
             accounts as (select 'account of ' || patient_id as what from projection.account_balances full join \
               (select patient_id, sum(amount) filter (where account = 'patient-receivable') as open from postings group by 1) as posted \
               using (patient_id) where coalesce(receivable, 0) <> coalesce(open, 0)), \
             closed as (select 'totals of ' || date as what from \
               (select date, account, currency, sum(greatest(amount, 0)) as debit, sum(greatest(-amount, 0)) as credit \
                 from postings where date <= (select date from projection.closed) group by 1, 2, 3) as posted \
               full join projection.day_totals as held using (date, account, currency) \
               where (posted.debit, posted.credit) is distinct from (held.debit::numeric, held.credit::numeric)), \
             drawers as (select 'drawer of ' || days.date as what from projection.days where expected <> \
               (select coalesce(sum(amount), 0) from postings where account = 'cash' and postings.currency = days.currency \
                 and postings.date <= days.date and postings.date > coalesce(days.after, '-infinity'))), \
             gaps as (select 'series ' || series_id as what from projection.numbers group by series_id \
               having count(*) <> max(place) or min(place) <> 1 or max(place) <> \
               (select last from projection.series where series.series_id = numbers.series_id)), \
             insured as (select 'insurance of invoice ' || invoice_id as what from projection.invoices \
               left join projection.invoice_balances as held using (invoice_id) left join \
               (select invoice_id, sum(amount) as open from postings where account = 'insurance-receivable' group by 1) as posted \
               using (invoice_id) where (invoices.insurance_open, coalesce(held.insurance_open, 0)) \
               is distinct from (coalesce(posted.open, 0)::bigint, coalesce(posted.open, 0)::bigint)), \
             payers as (select 'insurance of ' || patient_id as what from projection.account_balances left join \
               (select patient_id, sum(amount) as open from postings where account = 'insurance-receivable' group by 1) as posted \
               using (patient_id) where insurance <> coalesce(open, 0)), \
             claims as (select 'claim ' || claim_id as what from projection.claims left join \
               (select claim_id, sum(amount) as open from postings where account = 'insurance-receivable' group by 1) as posted \
               using (claim_id) where coalesce(expected, 0) <> coalesce(open, 0)), \
             used as (select 'used of ' || claim.key as what from docs as claim left join docs as used \
               on used.key = 'accumulators/' || (claim.data ->> 'coverageId') where claim.key like 'claim/%' \
               and claim.data #> '{standing,used}' is distinct from used.data #> array['claims', claim.data ->> 'id']), \
             booked as (select 'remittance ' || remittance_id || ' at ' || place as what from projection.remittance_claims \
               join projection.journal using (journal_id) where paid <> (select coalesce(sum(amount), 0) from postings \
                 where postings.journal_id = remittance_claims.journal_id and account = 'insurance-unapplied')) \
             select what from insured union all select what from payers union all select what from claims \
             union all select what from used union all select what from booked union all \
             select what from unbalanced union all select what from invoices union all select what from documents \
             union all select what from payments union all select what from allocated union all select what from accounts \
             union all select what from gaps union all select what from closed union all select what from drawers",
        )
        .await?;
    Ok(rows)
}
