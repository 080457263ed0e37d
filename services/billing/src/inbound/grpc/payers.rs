//! `billing.v1.Payers`

use contracts::billing::v1::{
    self as wire, ClaimFiling, CreatePayerRequest, CreatePayerResponse, GetPayerRequest, GetPayerResponse,
    ListPayersRequest, ListPayersResponse, ReplacePayerRequest, ReplacePayerResponse, payers_server,
};
use problem::{Kind, Problem, input::Findings};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    admission::{Admission, keyed},
    invoices::version,
    read,
};
use crate::{
    domain::{
        claim::{Filing, deadlines::Windows},
        payer::{Payer, PayerId},
    },
    outbound::{coverage_messages::payer as told, payers::PayerPage},
    service::Books,
};

/// The methods of the service.
pub const METHODS: [&str; 4] = [
    "billing.v1.Payers/CreatePayer",
    "billing.v1.Payers/GetPayer",
    "billing.v1.Payers/ListPayers",
    "billing.v1.Payers/ReplacePayer",
];

const LONGEST_NAME: usize = 100;

/// The service `billing.v1.Payers`. Who pays tells nothing of anybody, so reads are not in the audit.
#[derive(Clone, Debug)]
pub struct Payers {
    books: Books,
    admission: Admission,
}

impl Payers {
    /// The service on these books.
    pub fn new(books: Books, admission: Admission) -> Self {
        Self { books, admission }
    }
}

#[tonic::async_trait]
impl payers_server::Payers for Payers {
    async fn create_payer(
        &self,
        request: Request<CreatePayerRequest>,
    ) -> Result<Response<CreatePayerResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, "billing.v1.Payers/CreatePayer")?;
        let key = keyed(&metadata, &caller, "billing.v1.Payers/CreatePayer", "payer", &asked)?;
        let payer = payer(PayerId(Uuid::nil()), &asked.payer.unwrap_or_default())?;
        let created = self.books.create_payer(&caller, payer, key).await.map_err(Problem::from)?;
        Ok(Response::new(CreatePayerResponse { payer: Some(told(&created)) }))
    }

    async fn get_payer(&self, request: Request<GetPayerRequest>) -> Result<Response<GetPayerResponse>, Status> {
        self.admission.admit(request.metadata(), "billing.v1.Payers/GetPayer")?;
        let id = read::id(&request.into_inner().payer_id).map(PayerId).ok_or_else(none)?;
        let found = self.books.payer(id).await.map_err(Problem::from)?.ok_or_else(none)?;
        Ok(Response::new(GetPayerResponse { payer: Some(told(&found)) }))
    }

    async fn list_payers(&self, request: Request<ListPayersRequest>) -> Result<Response<ListPayersResponse>, Status> {
        self.admission.admit(request.metadata(), "billing.v1.Payers/ListPayers")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let limit = read::limit(asked.limit, 20, 100, &mut findings);
        let after = read::cursor(asked.cursor.as_deref(), &mut findings);
        let limit = findings.into_result(limit)?;
        let found = self.books.payers(&PayerPage { after, limit: limit + 1 }).await.map_err(Problem::from)?;
        let (found, next) = read::page(found, limit, |last| last.item.position())?;
        Ok(Response::new(ListPayersResponse { items: found.iter().map(told).collect(), next }))
    }

    async fn replace_payer(
        &self,
        request: Request<ReplacePayerRequest>,
    ) -> Result<Response<ReplacePayerResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Payers/ReplacePayer")?;
        let asked = request.into_inner();
        let id = read::id(&asked.payer_id).map(PayerId).ok_or_else(none)?;
        let payer = payer(id, &asked.payer.unwrap_or_default())?;
        let expected = version(asked.expected_version);
        let replaced = self.books.replace_payer(&caller, expected, payer).await.map_err(Problem::from)?;
        Ok(Response::new(ReplacePayerResponse { payer: Some(told(&replaced)) }))
    }
}

fn none() -> Problem {
    Problem::new(Kind::NotFound, "There is no such payer.")
}

fn payer(id: PayerId, given: &wire::Payer) -> Result<Payer, Problem> {
    let mut findings = Findings::default();
    for (name, is_given) in [("payer_id", !given.payer_id.is_empty()), ("version", given.version != 0)] {
        if is_given {
            findings.add(format!("payer.{name}"), "is not given by who writes it down");
        }
    }
    let name = read::text(&given.name, LONGEST_NAME, "payer.name", &mut findings);
    let filing = filing(given.filing());
    if filing.is_none() {
        findings.add("payer.filing", "is required");
    }
    // What no window can be stays so: it is above them all.
    let days = |days: i32| u16::try_from(days).unwrap_or(u16::MAX);
    let payer = Payer {
        id,
        name: name.unwrap_or_default(),
        electronic_id: given.electronic_id.trim().to_owned(),
        filing: filing.unwrap_or(Filing::Other),
        windows: Windows {
            filing_days: days(given.filing_days),
            appeal_days: days(given.appeal_days),
            alert_days: days(given.alert_days),
        },
    };
    for fault in payer.faults() {
        findings.add(format!("payer.{}", field(fault.pointer)), fault.words);
    }
    findings.into_result(Some(payer))
}

/// The contract's name of what the domain calls by a pointer.
fn field(pointer: &'static str) -> &'static str {
    match pointer {
        "/electronicId" => "electronic_id",
        "/windows/filingDays" => "filing_days",
        "/windows/appealDays" => "appeal_days",
        "/windows/alertDays" => "alert_days",
        other => other,
    }
}

fn filing(given: ClaimFiling) -> Option<Filing> {
    Some(match given {
        ClaimFiling::Unspecified => return None,
        ClaimFiling::Commercial => Filing::Commercial,
        ClaimFiling::BlueCross => Filing::BlueCross,
        ClaimFiling::Hmo => Filing::Hmo,
        ClaimFiling::Ppo => Filing::Ppo,
        ClaimFiling::MedicareB => Filing::MedicareB,
        ClaimFiling::Medicaid => Filing::Medicaid,
        ClaimFiling::Tricare => Filing::Tricare,
        ClaimFiling::WorkersCompensation => Filing::WorkersCompensation,
        ClaimFiling::Other => Filing::Other,
    })
}
