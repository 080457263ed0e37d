//! `billing.v1.Reports`

use std::collections::{BTreeMap, BTreeSet};

use contracts::billing::v1::{
    self as wire, GetAgingRequest, GetAgingResponse, GetClaimRatesRequest, GetClaimRatesResponse,
    GetCollectionsRequest, GetCollectionsResponse, GetDaysInReceivablesRequest, GetDaysInReceivablesResponse,
    ListAgingRequest, ListAgingResponse, ListClaimAnswersRequest, ListClaimAnswersResponse, ListCollectionsRequest,
    ListCollectionsResponse, reports_server,
};
use jiff::{Span, Timestamp, civil::Date};
use problem::{Problem, input::Findings};
use tonic::{Request, Response, Status};

use self::told::{aged_invoice, aged_sums, collected, collections};
use super::{
    admission::{Admission, Shown},
    read,
};
use crate::{
    domain::{
        ids::{PatientId, PayerId},
        ledger::LedgerAccount,
        money::Amount,
        receivables::{Bucket, Responsibility, days_in_receivables},
    },
    outbound::{
        lists::AccountSum,
        reports::{Giver, WantedAged, WantedCollected, aged_position, collected_position},
    },
    service::Books,
};

mod rates;
mod told;

/// The methods of the service.
pub const METHODS: [&str; 7] = [
    "billing.v1.Reports/GetAging",
    "billing.v1.Reports/ListAging",
    "billing.v1.Reports/GetDaysInReceivables",
    "billing.v1.Reports/GetCollections",
    "billing.v1.Reports/ListCollections",
    "billing.v1.Reports/GetClaimRates",
    "billing.v1.Reports/ListClaimAnswers",
];

/// A year and a day, as many as are looked at in one request.
const MOST_DAYS: i32 = 366;
const USUAL_DAYS: i32 = 90;

/// The service `billing.v1.Reports`. Sums over everybody tell nothing of anybody, so that only what is of somebody is in
/// the audit.
#[derive(Clone, Debug)]
pub struct Reports {
    books: Books,
    admission: Admission,
}

impl Reports {
    /// The service on these books.
    pub fn new(books: Books, admission: Admission) -> Self {
        Self { books, admission }
    }

    fn today(&self) -> Date {
        self.books.settings.day(Timestamp::now())
    }
}

#[tonic::async_trait]
impl reports_server::Reports for Reports {
    async fn get_aging(&self, request: Request<GetAgingRequest>) -> Result<Response<GetAgingResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Reports/GetAging")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let date = read::optional_date(asked.date.as_deref(), "date", &mut findings);
        let patient = read::optional_id(asked.patient_id.as_deref(), "patient_id", &mut findings);
        let date = findings.into_result(Some(date))?.unwrap_or_else(|| self.today());
        // Asked first: what is final then cannot become another before it is summed.
        let is_final = self.books.is_final(date).await.map_err(Problem::from)?;
        let aging = self.books.reports.aging(date, patient.map(PatientId)).await.map_err(Problem::from)?;
        if patient.is_some() {
            self.admission.show(&caller, Shown::list("balance", patient))?;
        }
        let credits = aging.credits.iter().filter(|credit| !credit.amount.is_zero());
        let credit_balances = credits
            .map(|credit| wire::Money {
                currency_code: credit.currency.code().to_owned(),
                minor_units: credit.amount.0,
            })
            .collect();
        Ok(Response::new(GetAgingResponse {
            date: date.to_string(),
            r#final: is_final,
            open: aged_sums(&aging.open),
            credit_balances,
        }))
    }

    async fn list_aging(&self, request: Request<ListAgingRequest>) -> Result<Response<ListAgingResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Reports/ListAging")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let date = read::optional_date(asked.date.as_deref(), "date", &mut findings).unwrap_or_else(|| self.today());
        let bucket = asked.bucket.and_then(|_| bucket(asked.bucket(), &mut findings));
        let issued = bucket.map(|bucket| bucket.issued(date));
        let patient = read::optional_id(asked.patient_id.as_deref(), "patient_id", &mut findings);
        let limit = read::limit(asked.limit, 50, 200, &mut findings);
        let wanted = WantedAged {
            date,
            patient_id: patient.map(PatientId),
            responsibility: asked.responsibility.and_then(|_| responsibility(asked.responsibility(), &mut findings)),
            issued_from: issued.and_then(|(from, _)| from),
            issued_to: issued.map(|(_, to)| to),
            after: read::cursor(asked.cursor.as_deref(), &mut findings),
            limit: limit.unwrap_or_default() + 1,
        };
        let wanted = findings.into_result(Some(wanted))?;
        let found = self.books.reports.aged(&wanted).await.map_err(Problem::from)?;
        self.admission.show(&caller, Shown::list("invoice", patient))?;
        let (found, next) = read::page(found, wanted.limit - 1, aged_position)?;
        Ok(Response::new(ListAgingResponse {
            items: found.iter().map(|found| aged_invoice(found, date)).collect(),
            next,
        }))
    }

    async fn get_days_in_receivables(
        &self,
        request: Request<GetDaysInReceivablesRequest>,
    ) -> Result<Response<GetDaysInReceivablesResponse>, Status> {
        self.admission.admit(request.metadata(), "billing.v1.Reports/GetDaysInReceivables")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let date = read::optional_date(asked.date.as_deref(), "date", &mut findings).unwrap_or_else(|| self.today());
        let days = asked.days.unwrap_or(USUAL_DAYS);
        let counted = u16::try_from(days).ok().filter(|_| (1..=MOST_DAYS).contains(&days));
        if counted.is_none() {
            findings.add("days", format!("must be from 1 to {MOST_DAYS}"));
        }
        let counted = findings.into_result(counted)?;
        let from = date.saturating_sub(Span::new().days(i64::from(counted) - 1));
        let is_final = self.books.is_final(date).await.map_err(Problem::from)?;
        let reports = &self.books.reports;
        let (all, last) =
            tokio::try_join!(reports.sums(None, date), reports.sums(Some(from), date)).map_err(Problem::from)?;
        let currencies: BTreeSet<_> = all.iter().map(|sum| sum.currency.code()).collect();
        let of = |currency: &&str| {
            let patient = debited(&all, currency, LedgerAccount::PatientReceivable);
            let insurance = debited(&all, currency, LedgerAccount::InsuranceReceivable);
            let credits = -debited(&all, currency, LedgerAccount::Unapplied);
            let charges = -debited(&last, currency, LedgerAccount::Revenue);
            wire::DaysInReceivables {
                currency_code: (*currency).to_owned(),
                patient_receivable: patient.0,
                insurance_receivable: insurance.0,
                credit_balances: credits.0,
                gross_charges: charges.0,
                tenths_of_days: days_in_receivables(patient + insurance, credits, charges, counted),
            }
        };
        Ok(Response::new(GetDaysInReceivablesResponse {
            date: date.to_string(),
            days,
            from: from.to_string(),
            r#final: is_final,
            currencies: currencies.iter().map(of).collect(),
        }))
    }

    async fn get_collections(
        &self,
        request: Request<GetCollectionsRequest>,
    ) -> Result<Response<GetCollectionsResponse>, Status> {
        self.admission.admit(request.metadata(), "billing.v1.Reports/GetCollections")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let days = period(&asked.from, &asked.to, &mut findings);
        let (from, to) = findings.into_result(days)?;
        let is_final = self.books.is_final(to).await.map_err(Problem::from)?;
        let sums = self.books.reports.sums(Some(from), to).await.map_err(Problem::from)?;
        let mut collected = self.books.collections(from, to).await.map_err(Problem::from)?;
        let mut by_currency: BTreeMap<&str, Vec<&AccountSum>> = BTreeMap::new();
        for sum in &sums {
            by_currency.entry(sum.currency.code()).or_default().push(sum);
        }
        let currencies = by_currency
            .into_iter()
            .map(|(currency, sums)| collections(currency, &sums, collected.remove(currency).unwrap_or_default()));
        Ok(Response::new(GetCollectionsResponse {
            from: from.to_string(),
            to: to.to_string(),
            r#final: is_final,
            currencies: currencies.collect(),
        }))
    }

    async fn list_collections(
        &self,
        request: Request<ListCollectionsRequest>,
    ) -> Result<Response<ListCollectionsResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Reports/ListCollections")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let days = period(&asked.from, &asked.to, &mut findings);
        let payer = read::optional_id(asked.payer_id.as_deref(), "payer_id", &mut findings).map(PayerId);
        let responsible = asked.responsibility.and_then(|_| responsibility(asked.responsibility(), &mut findings));
        let service_code = read::optional_text(asked.service_code.as_deref(), 40, "service_code", &mut findings);
        let limit = read::limit(asked.limit, 50, 200, &mut findings);
        let after = read::cursor(asked.cursor.as_deref(), &mut findings);
        let ((from, to), limit) = findings.into_result(days.zip(limit))?;
        let payer = payer.map(Giver::Payer).or(responsible.map(Giver::All));
        let wanted = WantedCollected { from, to, payer, service_code, after, limit: limit + 1 };
        let found = self.books.reports.collected(&wanted).await.map_err(Problem::from)?;
        self.admission.show(&caller, Shown::list("posting", None))?;
        let (found, next) = read::page(found, limit, collected_position)?;
        Ok(Response::new(ListCollectionsResponse { items: found.iter().map(collected).collect(), next }))
    }

    async fn get_claim_rates(
        &self,
        request: Request<GetClaimRatesRequest>,
    ) -> Result<Response<GetClaimRatesResponse>, Status> {
        self.admission.admit(request.metadata(), "billing.v1.Reports/GetClaimRates")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let wanted = rates::wanted(&asked.from, &asked.to, asked.payer_id.as_deref(), &mut findings);
        let counts = self.books.claims.counts(&findings.into_result(wanted)?).await.map_err(Problem::from)?;
        Ok(Response::new(rates::rates(&counts)))
    }

    async fn list_claim_answers(
        &self,
        request: Request<ListClaimAnswersRequest>,
    ) -> Result<Response<ListClaimAnswersResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Reports/ListClaimAnswers")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let wanted = rates::wanted(&asked.from, &asked.to, asked.payer_id.as_deref(), &mut findings);
        let outcome = asked.outcome.and_then(|_| rates::outcome(asked.outcome(), &mut findings));
        let after = read::cursor(asked.cursor.as_deref(), &mut findings);
        let limit = read::limit(asked.limit, 50, 200, &mut findings);
        let (wanted, limit) = findings.into_result(wanted.zip(limit))?;
        let found = self.books.claims.answers(&wanted, outcome, after, limit + 1).await.map_err(Problem::from)?;
        self.admission.show(&caller, Shown::list("claim", None))?;
        Ok(Response::new(rates::page(found, limit)?))
    }
}

/// Debits less credits of an account.
fn debited(sums: &[AccountSum], currency: &str, account: LedgerAccount) -> Amount {
    let own = sums.iter().filter(|sum| sum.currency.code() == currency && sum.account == account);
    own.map(|sum| sum.debit - sum.credit).sum()
}

/// The days from one to another.
fn period(from: &str, to: &str, findings: &mut Findings) -> Option<(Date, Date)> {
    let from = read::date(from, "from", findings);
    let to = read::date(to, "to", findings);
    let (from, to) = from.zip(to)?;
    let between = (to - from).get_days();
    let detail = match between {
        ..0 => "must not be before from".to_owned(),
        MOST_DAYS.. => format!("must be at most {} days after from", MOST_DAYS - 1),
        _ => return Some((from, to)),
    };
    findings.add("to", detail);
    None
}

fn bucket(given: wire::AgingBucket, findings: &mut Findings) -> Option<Bucket> {
    let found = Bucket::ALL.into_iter().find(|bucket| told::bucket(*bucket) == given);
    if found.is_none() {
        findings.add("bucket", "is no bucket of an aging");
    }
    found
}

fn responsibility(given: wire::Responsibility, findings: &mut Findings) -> Option<Responsibility> {
    let found = Responsibility::ALL.into_iter().find(|one| told::responsibility(*one) == given);
    if found.is_none() {
        findings.add("responsibility", "must be of patients or of payers");
    }
    found
}
