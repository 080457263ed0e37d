//! `billing.v1.Payments`

use access::Caller;
use contracts::billing::v1::{
    self as wire, AllocatePaymentRequest, AllocatePaymentResponse, ApproveRefundRequest, ApproveRefundResponse,
    AuthorisePaymentRequest, AuthorisePaymentResponse, CapturePaymentRequest, CapturePaymentResponse,
    ChargeBackPaymentRequest, ChargeBackPaymentResponse, FailPaymentRequest, FailPaymentResponse, GetPaymentRequest,
    GetPaymentResponse, ListPaymentsRequest, ListPaymentsResponse, RecordPaymentRequest, RecordPaymentResponse,
    RefundPaymentRequest, RefundPaymentResponse, RejectRefundRequest, RejectRefundResponse, VoidPaymentRequest,
    VoidPaymentResponse, payments_server,
};
use jiff::Timestamp;
use problem::{Problem, input::Findings};
use prost::Message;
use sidecar::origin::Sender;
use tonic::{Request, Response, Status, metadata::MetadataMap};
use uuid::Uuid;

use super::{
    admission::{Admission, Shown, keyed},
    invoices::{route, version},
    read, refusals,
};
use crate::{
    domain::{
        books::Direction,
        ids::{InvoiceId, PatientId, PaymentId, RefundId},
        money::Amount,
        payment::{Allocation, Method, Payment, Status as State, has_card_number},
    },
    outbound::{
        journal::Versioned,
        lists::{Page, Position, WantedPayments},
        messages,
    },
    service::{
        Books,
        act::{Act, ActError, Asked, Done},
    },
};

/// The methods of the service.
pub const METHODS: [&str; 12] = [
    "billing.v1.Payments/RecordPayment",
    "billing.v1.Payments/GetPayment",
    "billing.v1.Payments/ListPayments",
    "billing.v1.Payments/AuthorisePayment",
    "billing.v1.Payments/CapturePayment",
    "billing.v1.Payments/FailPayment",
    "billing.v1.Payments/VoidPayment",
    "billing.v1.Payments/AllocatePayment",
    "billing.v1.Payments/RefundPayment",
    "billing.v1.Payments/ApproveRefund",
    "billing.v1.Payments/RejectRefund",
    "billing.v1.Payments/ChargeBackPayment",
];

const KIND: &str = "payment";
const LONGEST_REFERENCE: usize = 100;
const MOST_ALLOCATIONS: usize = 100;

/// The service `billing.v1.Payments`.
#[derive(Clone, Debug)]
pub struct Payments {
    books: Books,
    admission: Admission,
}

/// A request of an act on a payment.
trait OnPayment: Message {
    fn payment_id(&self) -> &str;
    fn expected_version(&self) -> i64;
}

macro_rules! on_payment {
    ($($name:ident),+) => {$(
        impl OnPayment for $name {
            fn payment_id(&self) -> &str {
                &self.payment_id
            }

            fn expected_version(&self) -> i64 {
                self.expected_version
            }
        }
    )+};
}

on_payment!(
    AuthorisePaymentRequest,
    CapturePaymentRequest,
    FailPaymentRequest,
    VoidPaymentRequest,
    AllocatePaymentRequest,
    RefundPaymentRequest,
    ApproveRefundRequest,
    RejectRefundRequest,
    ChargeBackPaymentRequest
);

impl Payments {
    /// The service on these books.
    pub fn new(books: Books, admission: Admission) -> Self {
        Self { books, admission }
    }

    fn found(&self, caller: &Caller, id: &str) -> Result<PaymentId, Problem> {
        read::id(id).map(PaymentId).ok_or_else(|| self.admission.missed(caller, KIND, None))
    }

    /// What every act on a payment has in common: who, which, which version, and once.
    async fn act<R: OnPayment>(
        &self,
        request: Request<R>,
        method: &'static str,
        act: impl FnOnce(PaymentId, &R, &mut Findings) -> Option<Act>,
    ) -> Result<Option<wire::Payment>, Problem> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, method)?;
        let id = self.found(&caller, asked.payment_id())?;
        let key = keyed(&metadata, &caller, &route(method, id.0), "act", &asked)?;
        let mut findings = Findings::default();
        let act = act(id, &asked, &mut findings);
        let act = findings.into_result(act)?;
        let wanted = |patient| Asked {
            patient,
            act,
            expected: Some(version(asked.expected_version())),
            request: key,
            caller: Some(caller.clone()),
            sender: Sender::current(),
        };
        match self.books.act_on_payment(id, wanted).await {
            Ok(done) => told(done).map(Some),
            Err(ActError::Unknown) => Err(self.admission.missed(&caller, KIND, Some(id.0))),
            Err(error) => Err(error.into()),
        }
    }

    /// The payment that is to be written down, and what it is for.
    fn payment(&self, id: Uuid, asked: &RecordPaymentRequest, now: Timestamp) -> Result<(Payment, Direction), Problem> {
        let mut findings = Findings::default();
        let patient = read::required_id(&asked.patient_id, "patient_id", &mut findings);
        let method = method(asked.method(), &mut findings);
        let amount = read::positive(asked.amount, "amount", &mut findings);
        let currency = read::currency(&asked.currency_code, "currency_code", &mut findings);
        let reference = read::optional_text(asked.reference.as_deref(), LONGEST_REFERENCE, "reference", &mut findings);
        if reference.as_deref().is_some_and(has_card_number) {
            findings.add("reference", "must not be the number of a card: give the terminal's reference");
        }
        let is_last4 = |text: &String| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        if asked.card_last4.as_ref().is_some_and(|last4| !is_last4(last4)) {
            findings.add("card_last4", "must be four digits");
        }
        if asked.card_last4.is_some() && method.is_some_and(|method| method != Method::Card) {
            findings.add("card_last4", "is of a card alone");
        }
        let direction = direction(&asked.allocations, &mut findings);
        if asked.pending && method.is_some_and(|method| method != Method::Card) {
            findings.add("pending", "is of a card alone: what comes otherwise is written down when it is there");
        }
        if asked.pending && !asked.allocations.is_empty() {
            findings.add("allocations", "are said when the payment is captured");
        }
        let whole = (|| Some((patient?, method?, amount?, currency?, direction?)))();
        let (patient, method, amount, currency, direction) = findings.into_result(whole)?;
        if currency != self.books.settings.currency {
            return Err(refusals::wrong_currency("currency_code", self.books.settings.currency));
        }
        let payment = Payment {
            id: PaymentId(id),
            patient_id: PatientId(patient),
            method,
            status: State::Pending,
            currency,
            amount,
            reference,
            card_last4: asked.card_last4.clone(),
            recorded_at: now,
            captured_at: None,
            allocations: Vec::new(),
            refunds: Vec::new(),
            unapplied: Amount::ZERO,
            refunded: Amount::ZERO,
            reason: None,
        };
        Ok((payment, direction))
    }
}

fn told(done: Done) -> Result<wire::Payment, Problem> {
    match done {
        Done::Payment(found) => Ok(one(&found)),
        Done::Invoice(_) | Done::Claim(_) => Err(Problem::internal("an act on a payment answered none")),
    }
}

fn one(found: &Versioned<Payment>) -> wire::Payment {
    messages::payment(&found.item, found.version)
}

#[tonic::async_trait]
impl payments_server::Payments for Payments {
    async fn record_payment(
        &self,
        request: Request<RecordPaymentRequest>,
    ) -> Result<Response<RecordPaymentResponse>, Status> {
        let (metadata, _, asked): (MetadataMap, _, _) = request.into_parts();
        let caller = self.admission.admit(&metadata, "billing.v1.Payments/RecordPayment")?;
        let key = keyed(&metadata, &caller, "billing.v1.Payments/RecordPayment", KIND, &asked)?;
        let (payment, direction) = self.payment(key.key, &asked, Timestamp::now())?;
        let patient = payment.patient_id;
        let act = if asked.pending { Act::Announce(payment) } else { Act::Record(payment, direction) };
        let asked =
            Asked { patient, act, expected: None, request: key, caller: Some(caller), sender: Sender::current() };
        let payment = Some(told(self.books.act(asked).await.map_err(Problem::from)?)?);
        Ok(Response::new(RecordPaymentResponse { payment }))
    }

    async fn get_payment(&self, request: Request<GetPaymentRequest>) -> Result<Response<GetPaymentResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Payments/GetPayment")?;
        let id = self.found(&caller, &request.into_inner().payment_id)?;
        let found = self.books.payment(id).await.map_err(Problem::from)?;
        let found = found.ok_or_else(|| self.admission.missed(&caller, KIND, Some(id.0)))?;
        let patient = Some(found.item.patient_id.0);
        self.admission.show(&caller, Shown { kind: KIND, id: Some(id.0), version: Some(found.version), patient })?;
        Ok(Response::new(GetPaymentResponse { payment: Some(one(&found)) }))
    }

    async fn list_payments(
        &self,
        request: Request<ListPaymentsRequest>,
    ) -> Result<Response<ListPaymentsResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Payments/ListPayments")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let patient = read::optional_id(asked.patient_id.as_deref(), "patient_id", &mut findings);
        let limit = read::limit(asked.limit, 20, 100, &mut findings);
        let after: Option<Position> = read::cursor(asked.cursor.as_deref(), &mut findings);
        let limit = findings.into_result(limit)?;
        let wanted = WantedPayments {
            patient_id: patient.map(PatientId),
            awaiting_approval: asked.awaiting_approval.then_some(true),
            page: Page { after, limit: limit + 1 },
        };
        let found = self.books.lists.payments(&wanted).await.map_err(Problem::from)?;
        self.admission.show(&caller, Shown::list(KIND, patient))?;
        let (found, next) =
            read::page(found, limit, |last| Position { at: last.item.recorded_at, id: last.item.id.0 })?;
        Ok(Response::new(ListPaymentsResponse { items: found.iter().map(one).collect(), next }))
    }

    async fn authorise_payment(
        &self,
        request: Request<AuthorisePaymentRequest>,
    ) -> Result<Response<AuthorisePaymentResponse>, Status> {
        let payment =
            self.act(request, "billing.v1.Payments/AuthorisePayment", |id, _, _| Some(Act::Authorise(id))).await?;
        Ok(Response::new(AuthorisePaymentResponse { payment }))
    }

    async fn capture_payment(
        &self,
        request: Request<CapturePaymentRequest>,
    ) -> Result<Response<CapturePaymentResponse>, Status> {
        let act = |id, asked: &CapturePaymentRequest, findings: &mut Findings| {
            Some(Act::Capture(id, direction(&asked.allocations, findings)?))
        };
        Ok(Response::new(CapturePaymentResponse {
            payment: self.act(request, "billing.v1.Payments/CapturePayment", act).await?,
        }))
    }

    async fn fail_payment(
        &self,
        request: Request<FailPaymentRequest>,
    ) -> Result<Response<FailPaymentResponse>, Status> {
        let act = |id, asked: &FailPaymentRequest, findings: &mut Findings| {
            Some(Act::Fail(id, read::reason(&asked.reason, findings)?))
        };
        Ok(Response::new(FailPaymentResponse {
            payment: self.act(request, "billing.v1.Payments/FailPayment", act).await?,
        }))
    }

    async fn void_payment(
        &self,
        request: Request<VoidPaymentRequest>,
    ) -> Result<Response<VoidPaymentResponse>, Status> {
        let act = |id, asked: &VoidPaymentRequest, findings: &mut Findings| {
            Some(Act::VoidPayment(id, read::reason(&asked.reason, findings)?))
        };
        Ok(Response::new(VoidPaymentResponse {
            payment: self.act(request, "billing.v1.Payments/VoidPayment", act).await?,
        }))
    }

    async fn allocate_payment(
        &self,
        request: Request<AllocatePaymentRequest>,
    ) -> Result<Response<AllocatePaymentResponse>, Status> {
        let act = |id, asked: &AllocatePaymentRequest, findings: &mut Findings| {
            Some(Act::Allocate(id, direction(&asked.allocations, findings)?))
        };
        Ok(Response::new(AllocatePaymentResponse {
            payment: self.act(request, "billing.v1.Payments/AllocatePayment", act).await?,
        }))
    }

    async fn refund_payment(
        &self,
        request: Request<RefundPaymentRequest>,
    ) -> Result<Response<RefundPaymentResponse>, Status> {
        let act = |id, asked: &RefundPaymentRequest, findings: &mut Findings| {
            let amount = read::positive(asked.amount, "amount", findings);
            let reason = read::reason(&asked.reason, findings);
            Some(Act::Refund(id, amount?, reason?))
        };
        Ok(Response::new(RefundPaymentResponse {
            payment: self.act(request, "billing.v1.Payments/RefundPayment", act).await?,
        }))
    }

    async fn approve_refund(
        &self,
        request: Request<ApproveRefundRequest>,
    ) -> Result<Response<ApproveRefundResponse>, Status> {
        let act = |id, asked: &ApproveRefundRequest, _: &mut Findings| {
            Some(Act::ApproveRefund(id, refund_id(&asked.refund_id)))
        };
        Ok(Response::new(ApproveRefundResponse {
            payment: self.act(request, "billing.v1.Payments/ApproveRefund", act).await?,
        }))
    }

    async fn reject_refund(
        &self,
        request: Request<RejectRefundRequest>,
    ) -> Result<Response<RejectRefundResponse>, Status> {
        let act = |id, asked: &RejectRefundRequest, findings: &mut Findings| {
            Some(Act::RejectRefund(id, refund_id(&asked.refund_id), read::reason(&asked.reason, findings)?))
        };
        Ok(Response::new(RejectRefundResponse {
            payment: self.act(request, "billing.v1.Payments/RejectRefund", act).await?,
        }))
    }

    async fn charge_back_payment(
        &self,
        request: Request<ChargeBackPaymentRequest>,
    ) -> Result<Response<ChargeBackPaymentResponse>, Status> {
        let act = |id, asked: &ChargeBackPaymentRequest, findings: &mut Findings| {
            Some(Act::ChargeBack(id, read::reason(&asked.reason, findings)?))
        };
        Ok(Response::new(ChargeBackPaymentResponse {
            payment: self.act(request, "billing.v1.Payments/ChargeBackPayment", act).await?,
        }))
    }
}

/// What is no UUID names no refund, and neither does this.
fn refund_id(text: &str) -> RefundId {
    RefundId(read::id(text).unwrap_or_default())
}

fn direction(given: &[wire::Allocation], findings: &mut Findings) -> Option<Direction> {
    if given.is_empty() {
        return Some(Direction::OldestFirst);
    }
    if given.len() > MOST_ALLOCATIONS {
        findings.add("allocations", format!("must have at most {MOST_ALLOCATIONS} items"));
        return None;
    }
    let read = |(at, one): (usize, &wire::Allocation)| {
        let invoice = read::required_id(&one.invoice_id, &format!("allocations[{at}].invoice_id"), findings);
        let amount = read::positive(one.amount, &format!("allocations[{at}].amount"), findings);
        Some(Allocation { invoice_id: InvoiceId(invoice?), amount: amount? })
    };
    let read: Vec<_> = given.iter().enumerate().map(read).collect();
    read.into_iter().collect::<Option<_>>().map(Direction::To)
}

fn method(method: wire::PaymentMethod, findings: &mut Findings) -> Option<Method> {
    match method {
        wire::PaymentMethod::Unspecified => {
            findings.add("method", "is required: cash, card, transfer or check");
            None
        }
        wire::PaymentMethod::Cash => Some(Method::Cash),
        wire::PaymentMethod::Card => Some(Method::Card),
        wire::PaymentMethod::Transfer => Some(Method::Transfer),
        wire::PaymentMethod::Check => Some(Method::Check),
    }
}
