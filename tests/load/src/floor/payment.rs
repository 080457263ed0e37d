//! What a payment comes down to: one transaction of three documents as large as billing's own.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use contracts::billing::v1::{
    self as wire, RecordPaymentRequest, RecordPaymentResponse,
    payments_client::PaymentsClient,
    payments_server::{Payments, PaymentsServer},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sidecar::{
    Sidecar,
    documents::{Document, Documents, KeyedRequest, Kind, Stored, Write},
    event::Event,
    failure::Failure,
    invoke::AppChannel,
    outbox::Relay,
};
use tonic::{Request, Status, service::Routes};
use uuid::Uuid;

/// How many documents are made ready at once.
const AT_ONCE: usize = 50;

const PAYMENTS: &str = "/floor/payments";
const ASKED: &str = "/floor/payments/asked";
/// Not at the gateway: it is asked at the app's own port, before what is measured.
const INVOICES: &str = "/floor/invoices";

macro_rules! kinds {
    ($($kind:ident $name:literal,)+) => {$(
        #[derive(Clone, Deserialize, Serialize)]
        #[serde(transparent)]
        struct $kind(Value);

        impl Kind for $kind {
            const NAME: &'static str = $name;
            const SCHEMA: u32 = 1;
        }
    )+};
}

kinds! {
    Payment "payment",
    Journal "journal",
    Invoice "invoice",
}

/// Documents of billing's, with all that stands in them.
#[derive(Clone, Deserialize)]
struct Templates {
    payment: Template,
    journal: Template,
    invoice: Template,
    /// How many invoices are to be ready.
    count: usize,
}

#[derive(Clone, Deserialize)]
struct Template {
    #[serde(default)]
    events: Vec<Event>,
    #[serde(default)]
    audit: Vec<Value>,
    #[serde(default)]
    requests: Vec<KeyedRequest>,
    data: Value,
}

/// Invoices with their tags, one for each payment, and what the documents look like.
#[derive(Default)]
struct Ready {
    invoices: Vec<(Uuid, Stored<Invoice>)>,
    templates: Option<Arc<Templates>>,
}

struct Desk {
    sidecar: Sidecar,
    documents: Documents,
    ready: Mutex<Ready>,
}

/// One call of the method that a payment is recorded by.
pub(crate) fn gateway(sidecar: &Sidecar) -> Router {
    async fn pass(client: PaymentsClient<AppChannel>, asks: bool) -> Response {
        let request = RecordPaymentRequest {
            patient_id: Uuid::nil().to_string(),
            amount: 25,
            currency_code: "EUR".to_owned(),
            reference: Some("T-20261130-000042".to_owned()),
            pending: asks,
            ..RecordPaymentRequest::default()
        };
        match client.clone().record_payment(request).await {
            Ok(_) => (StatusCode::CREATED, "{}").into_response(),
            Err(status) => (StatusCode::SERVICE_UNAVAILABLE, status.to_string()).into_response(),
        }
    }
    Router::new()
        .route(PAYMENTS, post(async |State(client)| pass(client, false).await))
        .route(ASKED, post(async |State(client)| pass(client, true).await))
        .with_state(PaymentsClient::new(sidecar.app("billing")))
}

/// One transaction, and a question before it where it is asked for.
pub(crate) fn billing(sidecar: &Sidecar) -> Router {
    let documents = Documents::new(sidecar.clone(), Relay::spawn(sidecar, Uuid::now_v7()));
    let desk = Arc::new(Desk { sidecar: sidecar.clone(), documents, ready: Mutex::default() });
    let grpc = Routes::new(PaymentsServer::from_arc(Arc::clone(&desk))).prepare().into_axum_router().reset_fallback();
    Router::new().route(INVOICES, post(make_ready)).with_state(desk).merge(grpc)
}

async fn make_ready(State(desk): State<Arc<Desk>>, Json(templates): Json<Templates>) -> Response {
    match desk.make_ready(templates).await {
        Ok(()) => (StatusCode::CREATED, "{}").into_response(),
        Err(failure) => (StatusCode::SERVICE_UNAVAILABLE, failure.to_string()).into_response(),
    }
}

macro_rules! payments {
    ($($unasked:ident $request:ident $response:ident,)+) => {
        #[tonic::async_trait]
        impl Payments for Desk {
            async fn record_payment(
                &self,
                request: Request<RecordPaymentRequest>,
            ) -> Result<tonic::Response<RecordPaymentResponse>, Status> {
                let done = self.pay(request.into_inner().pending).await;
                done.map_err(|failure| Status::unavailable(failure.to_string()))?;
                Ok(tonic::Response::new(RecordPaymentResponse::default()))
            }

            $(async fn $unasked(
                &self,
                _: Request<wire::$request>,
            ) -> Result<tonic::Response<wire::$response>, Status> {
                Err(Status::unimplemented("the floor is not asked this"))
            })+
        }
    };
}

payments! {
    get_payment GetPaymentRequest GetPaymentResponse,
    list_payments ListPaymentsRequest ListPaymentsResponse,
    authorise_payment AuthorisePaymentRequest AuthorisePaymentResponse,
    capture_payment CapturePaymentRequest CapturePaymentResponse,
    fail_payment FailPaymentRequest FailPaymentResponse,
    void_payment VoidPaymentRequest VoidPaymentResponse,
    allocate_payment AllocatePaymentRequest AllocatePaymentResponse,
    refund_payment RefundPaymentRequest RefundPaymentResponse,
    approve_refund ApproveRefundRequest ApproveRefundResponse,
    reject_refund RejectRefundRequest RejectRefundResponse,
    charge_back_payment ChargeBackPaymentRequest ChargeBackPaymentResponse,
}

impl Desk {
    async fn make_ready(&self, templates: Templates) -> Result<(), Failure> {
        let missing = templates.count.saturating_sub(self.lock().invoices.len());
        let templates = Arc::new(templates);
        for first in (0..missing).step_by(AT_ONCE) {
            let ids: Vec<_> = (first..missing.min(first + AT_ONCE)).map(|_| Uuid::now_v7()).collect();
            let first =
                |id: &Uuid| Write::create(*id, Document::first(Invoice(templates.invoice.data.clone()), vec![]));
            self.documents.save(ids.iter().map(first).collect::<Result<_, _>>()?).await?;
            let stored = self.documents.get_many::<Invoice>(&ids).await?;
            self.lock().invoices.extend(ids.into_iter().zip(stored).filter_map(|(id, stored)| Some((id, stored?))));
        }
        self.lock().templates = Some(templates);
        Ok(())
    }

    async fn pay(&self, asks: bool) -> Result<(), Failure> {
        let (taken, templates) = {
            let mut ready = self.lock();
            (ready.invoices.pop(), ready.templates.clone())
        };
        let Some(((invoice, stored), templates)) = taken.zip(templates) else {
            return Err(Failure::Bug("no invoice is ready".to_owned()));
        };
        let [payment, journal] = [Uuid::now_v7(), Uuid::now_v7()];
        if asks {
            let wanted = json!({ "patientId": payment, "open": true, "invoices": [], "directed": [], "payments": [payment],
                                 "acts": [journal] });
            let _: Value = self.sidecar.query("patient_books", &wanted).await?;
        }
        let Templates { payment: of_payment, journal: of_journal, invoice: of_invoice, .. } = templates.as_ref();
        let next = stored.document.next(Invoice(of_invoice.data.clone()), of_invoice.events_of(invoice));
        let mut entry = Document::first(Journal(of_journal.data.clone()), of_journal.events_of(journal));
        of_journal.requests.iter().cloned().for_each(|request| entry.remember(request));
        let money = Document::first(Payment(of_payment.data.clone()), of_payment.events_of(payment));
        let writes = vec![
            Write::replace(invoice, &stored, of_invoice.audited(next)?)?,
            Write::create(journal, entry)?,
            Write::create(payment, of_payment.audited(money)?)?,
        ];
        self.documents.save_in_order(writes).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Template {
    /// The same events of another document, now.
    fn events_of(&self, id: Uuid) -> Vec<Event> {
        let now = Timestamp::now().to_string();
        let mut events = self.events.clone();
        for event in &mut events {
            event.partition_key = id.to_string();
            event.event.id = Uuid::now_v7().to_string();
            event.event.time = Some(now.clone());
        }
        events
    }

    fn audited<T: Kind>(&self, document: Document<T>) -> Result<Document<T>, Failure> {
        self.audit.iter().try_fold(document, |document, entry| {
            let mut entry = entry.clone();
            entry["id"] = json!(Uuid::now_v7());
            document.audited(&entry)
        })
    }
}
