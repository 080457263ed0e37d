//! `billing.v1.Invoices`

use access::Caller;
use contracts::billing::v1::{
    self as wire, AmendInvoiceRequest, AmendInvoiceResponse, CreateInvoiceRequest, CreateInvoiceResponse,
    CreditInvoiceRequest, CreditInvoiceResponse, EnterInvoiceInErrorRequest, EnterInvoiceInErrorResponse,
    GetInvoiceRequest, GetInvoiceResponse, IssueInvoiceRequest, IssueInvoiceResponse, ListInvoicesRequest,
    ListInvoicesResponse, ReviewInvoiceRequest, ReviewInvoiceResponse, VoidInvoiceRequest, VoidInvoiceResponse,
    WriteOffInvoiceRequest, WriteOffInvoiceResponse, invoices_server,
};
use problem::{Problem, input::Findings};
use sidecar::origin::Sender;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    admission::{Admission, Shown, keyed},
    lines, read,
};
use crate::{
    domain::{
        ids::{ClinicId, InvoiceId, PatientId},
        invoice::{self, CreditedLine, Invoice, WriteOffReason},
    },
    outbound::{
        journal::Versioned,
        lists::{Page, Position, WantedInvoices},
        messages,
    },
    service::{
        Books, Keyed,
        act::{Act, ActError, Asked, Done},
    },
};

/// The methods of the service.
pub const METHODS: [&str; 10] = [
    "billing.v1.Invoices/CreateInvoice",
    "billing.v1.Invoices/GetInvoice",
    "billing.v1.Invoices/ListInvoices",
    "billing.v1.Invoices/AmendInvoice",
    "billing.v1.Invoices/IssueInvoice",
    "billing.v1.Invoices/VoidInvoice",
    "billing.v1.Invoices/EnterInvoiceInError",
    "billing.v1.Invoices/WriteOffInvoice",
    "billing.v1.Invoices/CreditInvoice",
    "billing.v1.Invoices/ReviewInvoice",
];

const KIND: &str = "invoice";

/// The service `billing.v1.Invoices`.
#[derive(Clone, Debug)]
pub struct Invoices {
    books: Books,
    admission: Admission,
}

impl Invoices {
    /// The service on these books.
    pub fn new(books: Books, admission: Admission) -> Self {
        Self { books, admission }
    }

    fn found(&self, caller: &Caller, id: &str) -> Result<InvoiceId, Problem> {
        read::id(id).map(InvoiceId).ok_or_else(|| self.admission.missed(caller, KIND, None))
    }

    async fn act(
        &self,
        caller: Caller,
        id: InvoiceId,
        expected: i64,
        request: Keyed,
        act: Act,
    ) -> Result<Option<wire::Invoice>, Problem> {
        let missed = || self.admission.missed(&caller, KIND, Some(id.0));
        let asked = |patient| Asked {
            patient,
            act,
            expected: Some(version(expected)),
            request,
            caller: Some(caller.clone()),
            sender: Sender::current(),
        };
        match self.books.act_on_invoice(id, asked).await {
            Ok(Done::Invoice(done)) => Ok(Some(told(&done))),
            Ok(Done::Payment(_) | Done::Claim(_)) => Err(Problem::internal("an act on an invoice answered none")),
            Err(ActError::Unknown) => Err(missed()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A version as the domain has it; none is below nothing.
pub(super) fn version(version: i64) -> u64 {
    u64::try_from(version).unwrap_or(0)
}

fn told(found: &Versioned<Invoice>) -> wire::Invoice {
    messages::invoice(&found.item, found.version)
}

#[tonic::async_trait]
impl invoices_server::Invoices for Invoices {
    async fn create_invoice(
        &self,
        request: Request<CreateInvoiceRequest>,
    ) -> Result<Response<CreateInvoiceResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, "billing.v1.Invoices/CreateInvoice")?;
        let key = keyed(&metadata, &caller, "billing.v1.Invoices/CreateInvoice", KIND, &asked)?;
        let mut findings = Findings::default();
        let patient = read::required_id(&asked.patient_id, "patient_id", &mut findings);
        let clinic = read::required_id(&asked.clinic_id, "clinic_id", &mut findings);
        let lines = lines::read(&asked.lines, &mut findings);
        let diagnoses = lines::diagnoses(&asked.diagnoses, &mut findings);
        let whole = (|| Some((PatientId(patient?), ClinicId(clinic?), lines?, diagnoses?)))();
        let (patient, clinic, lines, diagnoses) = findings.into_result(whole)?;
        let drafted = self.books.draft(&caller, patient, clinic, lines, diagnoses, key).await.map_err(Problem::from)?;
        Ok(Response::new(CreateInvoiceResponse { invoice: Some(told(&drafted)) }))
    }

    async fn get_invoice(&self, request: Request<GetInvoiceRequest>) -> Result<Response<GetInvoiceResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Invoices/GetInvoice")?;
        let id = self.found(&caller, &request.into_inner().invoice_id)?;
        let found = self.books.invoice(id).await.map_err(Problem::from)?;
        let found = found.ok_or_else(|| self.admission.missed(&caller, KIND, Some(id.0)))?;
        let patient = Some(found.item.patient_id.0);
        self.admission.show(&caller, Shown { kind: KIND, id: Some(id.0), version: Some(found.version), patient })?;
        Ok(Response::new(GetInvoiceResponse { invoice: Some(told(&found)) }))
    }

    async fn list_invoices(
        &self,
        request: Request<ListInvoicesRequest>,
    ) -> Result<Response<ListInvoicesResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Invoices/ListInvoices")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let patient = read::optional_id(asked.patient_id.as_deref(), "patient_id", &mut findings);
        let status = asked.status.and_then(|_| status(asked.status(), &mut findings));
        let limit = read::limit(asked.limit, 20, 100, &mut findings);
        let after: Option<Position> = read::cursor(asked.cursor.as_deref(), &mut findings);
        let limit = findings.into_result(limit)?;
        let wanted = WantedInvoices {
            patient_id: patient.map(PatientId),
            status,
            review: asked.in_review.then_some(true),
            page: Page { after, limit: limit + 1 },
        };
        let found = self.books.lists.invoices(&wanted).await.map_err(Problem::from)?;
        self.admission.show(&caller, Shown::list(KIND, patient))?;
        let (found, next) = read::page(found, limit, |last| Position { at: last.item.created_at, id: last.item.id.0 })?;
        Ok(Response::new(ListInvoicesResponse { items: found.iter().map(told).collect(), next }))
    }

    async fn amend_invoice(
        &self,
        request: Request<AmendInvoiceRequest>,
    ) -> Result<Response<AmendInvoiceResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Invoices/AmendInvoice")?;
        let asked = request.into_inner();
        let id = self.found(&caller, &asked.invoice_id)?;
        let mut findings = Findings::default();
        let lines = lines::read(&asked.lines, &mut findings);
        let diagnoses = lines::diagnoses(&asked.diagnoses, &mut findings);
        if asked.lines.is_empty() {
            findings.add("lines", "is required");
        }
        let (lines, diagnoses) = findings.into_result(lines.zip(diagnoses))?;
        let amended = self.books.amend(&caller, id, version(asked.expected_version), lines, diagnoses).await;
        Ok(Response::new(AmendInvoiceResponse { invoice: Some(told(&amended.map_err(Problem::from)?)) }))
    }

    async fn review_invoice(
        &self,
        request: Request<ReviewInvoiceRequest>,
    ) -> Result<Response<ReviewInvoiceResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Invoices/ReviewInvoice")?;
        let asked = request.into_inner();
        let id = self.found(&caller, &asked.invoice_id)?;
        let reviewed = self.books.review(&caller, id, version(asked.expected_version)).await;
        Ok(Response::new(ReviewInvoiceResponse { invoice: Some(told(&reviewed.map_err(Problem::from)?)) }))
    }

    async fn issue_invoice(
        &self,
        request: Request<IssueInvoiceRequest>,
    ) -> Result<Response<IssueInvoiceResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, "billing.v1.Invoices/IssueInvoice")?;
        let id = self.found(&caller, &asked.invoice_id)?;
        let key = keyed(&metadata, &caller, &route("billing.v1.Invoices/IssueInvoice", id.0), "act", &asked)?;
        let token = access::bearer(&metadata.into_headers())?.to_owned();
        let issued = self.books.issue(id, version(asked.expected_version), key, &caller, &token).await;
        let Done::Invoice(issued) = issued.map_err(Problem::from)? else {
            return Err(Problem::internal("an issue answered a payment").into());
        };
        Ok(Response::new(IssueInvoiceResponse { invoice: Some(told(&issued)) }))
    }

    async fn void_invoice(
        &self,
        request: Request<VoidInvoiceRequest>,
    ) -> Result<Response<VoidInvoiceResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, "billing.v1.Invoices/VoidInvoice")?;
        let id = self.found(&caller, &asked.invoice_id)?;
        let key = keyed(&metadata, &caller, &route("billing.v1.Invoices/VoidInvoice", id.0), "act", &asked)?;
        let mut findings = Findings::default();
        let reason = read::reason(&asked.reason, &mut findings);
        let act = Act::VoidInvoice(id, findings.into_result(reason)?);
        let invoice = self.act(caller, id, asked.expected_version, key, act).await?;
        Ok(Response::new(VoidInvoiceResponse { invoice }))
    }

    async fn enter_invoice_in_error(
        &self,
        request: Request<EnterInvoiceInErrorRequest>,
    ) -> Result<Response<EnterInvoiceInErrorResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Invoices/EnterInvoiceInError")?;
        let asked = request.into_inner();
        let id = self.found(&caller, &asked.invoice_id)?;
        let mut findings = Findings::default();
        let reason = read::reason(&asked.reason, &mut findings);
        let reason = findings.into_result(reason)?;
        let entered = self.books.enter_in_error(&caller, id, version(asked.expected_version), reason).await;
        Ok(Response::new(EnterInvoiceInErrorResponse { invoice: Some(told(&entered.map_err(Problem::from)?)) }))
    }

    async fn write_off_invoice(
        &self,
        request: Request<WriteOffInvoiceRequest>,
    ) -> Result<Response<WriteOffInvoiceResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, "billing.v1.Invoices/WriteOffInvoice")?;
        let id = self.found(&caller, &asked.invoice_id)?;
        let key = keyed(&metadata, &caller, &route("billing.v1.Invoices/WriteOffInvoice", id.0), "act", &asked)?;
        let mut findings = Findings::default();
        let amount = asked.amount.map(|amount| read::positive(amount, "amount", &mut findings));
        let reason = match asked.reason() {
            wire::WriteOffReason::SmallBalance => Some(WriteOffReason::SmallBalance),
            wire::WriteOffReason::BadDebt => Some(WriteOffReason::BadDebt),
            wire::WriteOffReason::Courtesy => Some(WriteOffReason::Courtesy),
            wire::WriteOffReason::Unspecified => {
                findings.add("reason", "is required: small-balance, bad-debt or courtesy");
                None
            }
        };
        let act = Act::WriteOff(id, amount.flatten(), findings.into_result(reason)?);
        let invoice = self.act(caller, id, asked.expected_version, key, act).await?;
        Ok(Response::new(WriteOffInvoiceResponse { invoice }))
    }

    async fn credit_invoice(
        &self,
        request: Request<CreditInvoiceRequest>,
    ) -> Result<Response<CreditInvoiceResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, "billing.v1.Invoices/CreditInvoice")?;
        let id = self.found(&caller, &asked.invoice_id)?;
        let key = keyed(&metadata, &caller, &route("billing.v1.Invoices/CreditInvoice", id.0), "act", &asked)?;
        let mut findings = Findings::default();
        let reason = read::reason(&asked.reason, &mut findings);
        let mut lines = Vec::new();
        for (at, line) in asked.lines.iter().enumerate() {
            let amount = read::positive(line.amount, &format!("lines[{at}].amount"), &mut findings);
            let sequence = read::count(line.sequence, &format!("lines[{at}].sequence"), &mut findings);
            lines.extend(sequence.zip(amount).map(|(sequence, amount)| CreditedLine { sequence, amount }));
        }
        if asked.lines.is_empty() {
            findings.add("lines", "is required");
        }
        let act = Act::Credit(id, lines, findings.into_result(reason)?);
        let invoice = self.act(caller, id, asked.expected_version, key, act).await?;
        Ok(Response::new(CreditInvoiceResponse { invoice }))
    }
}

/// What a key is used for: the same one on another thing is another request.
pub(super) fn route(method: &str, id: Uuid) -> String {
    format!("{method} {id}")
}

fn status(status: wire::InvoiceStatus, findings: &mut Findings) -> Option<invoice::Status> {
    use invoice::Status;
    match status {
        wire::InvoiceStatus::Unspecified => {
            findings.add("status", "is no state of an invoice");
            None
        }
        wire::InvoiceStatus::Draft => Some(Status::Draft),
        wire::InvoiceStatus::Issued => Some(Status::Issued),
        wire::InvoiceStatus::PartiallyPaid => Some(Status::PartiallyPaid),
        wire::InvoiceStatus::Paid => Some(Status::Paid),
        wire::InvoiceStatus::WrittenOff => Some(Status::WrittenOff),
        wire::InvoiceStatus::Void => Some(Status::Void),
        wire::InvoiceStatus::EnteredInError => Some(Status::EnteredInError),
    }
}
