//! `billing.v1.Remittances`

mod reading;

use contracts::billing::v1::{
    self as wire, BookRemittanceRequest, BookRemittanceResponse, GetRemittanceRequest, GetRemittanceResponse,
    ListRemittancesRequest, ListRemittancesResponse, ReceiveRemittanceRequest, ReceiveRemittanceResponse,
    remittances_server,
};
use problem::{Problem, input::Findings};
use tonic::{Request, Response, Status};

use super::{
    admission::{Admission, Shown},
    read,
};
use crate::{
    domain::{coverage::PayerId, ids::RemittanceId},
    outbound::{
        claim_messages as messages,
        lists::{Page, Position},
        messages::time,
        remittances::{FoundRemittance, WantedRemittances},
    },
    service::{
        Books,
        remittances::{BookedRemittance, RemittanceError, Waiting},
    },
};

/// The methods of the service.
pub const METHODS: [&str; 4] = [
    "billing.v1.Remittances/ReceiveRemittance",
    "billing.v1.Remittances/GetRemittance",
    "billing.v1.Remittances/ListRemittances",
    "billing.v1.Remittances/BookRemittance",
];

const KIND: &str = "remittance";

/// The service `billing.v1.Remittances`.
#[derive(Clone, Debug)]
pub struct Remittances {
    books: Books,
    admission: Admission,
}

impl Remittances {
    /// The service on these books.
    pub fn new(books: Books, admission: Admission) -> Self {
        Self { books, admission }
    }
}

/// A remittance; `why` of what waits.
fn told(found: &FoundRemittance, why: impl Fn(usize) -> Vec<Waiting>) -> wire::Remittance {
    let remittance = &found.data.remittance;
    let claim = |(at, payment)| {
        let finding = |why: Waiting| wire::Finding {
            code: why.code.to_owned(),
            pointer: told_at(&why.pointer),
            detail: why.detail,
        };
        let findings = why(at).into_iter().map(finding).collect();
        wire::ClaimPayment { findings, ..messages::claim_payment(payment, found.booked.contains(&at)) }
    };
    let waiting = remittance.claims.len() - found.booked.len();
    wire::Remittance {
        remittance_id: found.id.to_string(),
        payer_id: remittance.payer_id.to_string(),
        trace: remittance.trace.clone(),
        paid_date: remittance.paid_on.to_string(),
        currency_code: remittance.currency.code().to_owned(),
        payment: remittance.payment.0,
        claims: remittance.claims.iter().enumerate().map(claim).collect(),
        provider_adjustments: remittance.provider_adjustments.iter().map(messages::provider_adjustment).collect(),
        received_time: Some(time(found.data.received_at)),
        waiting: i32::try_from(waiting).unwrap_or(i32::MAX),
    }
}

/// Where something stands in a remittance as it is told: the code of a claim's payment has a longer name there.
fn told_at(pointer: &str) -> String {
    pointer.strip_suffix("/status").map_or_else(|| pointer.to_owned(), |payment| format!("{payment}/statusCode"))
}

fn one(booked: &BookedRemittance) -> wire::Remittance {
    told(&booked.found, |at| booked.waiting.get(&at).cloned().unwrap_or_default())
}

#[tonic::async_trait]
impl remittances_server::Remittances for Remittances {
    async fn receive_remittance(
        &self,
        request: Request<ReceiveRemittanceRequest>,
    ) -> Result<Response<ReceiveRemittanceResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Remittances/ReceiveRemittance")?;
        let remittance = reading::remittance(&request.into_inner())?;
        let booked = self.books.receive_remittance(&caller, remittance).await.map_err(Problem::from)?;
        Ok(Response::new(ReceiveRemittanceResponse { remittance: Some(one(&booked)) }))
    }

    async fn get_remittance(
        &self,
        request: Request<GetRemittanceRequest>,
    ) -> Result<Response<GetRemittanceResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Remittances/GetRemittance")?;
        let id = read::id(&request.into_inner().remittance_id).map(RemittanceId);
        let id = id.ok_or_else(|| self.admission.missed(&caller, KIND, None))?;
        let found = self.books.remittance(id).await.map_err(Problem::from)?;
        let found = found.ok_or_else(|| self.admission.missed(&caller, KIND, Some(id.0)))?;
        self.admission.show(&caller, Shown { kind: KIND, id: Some(id.0), version: Some(1), patient: None })?;
        Ok(Response::new(GetRemittanceResponse { remittance: Some(one(&found)) }))
    }

    async fn list_remittances(
        &self,
        request: Request<ListRemittancesRequest>,
    ) -> Result<Response<ListRemittancesResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Remittances/ListRemittances")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let payer = read::optional_id(asked.payer_id.as_deref(), "payer_id", &mut findings);
        let after: Option<Position> = read::cursor(asked.cursor.as_deref(), &mut findings);
        let limit = read::limit(asked.limit, 20, 100, &mut findings);
        let limit = findings.into_result(limit)?;
        let wanted = WantedRemittances {
            payer_id: payer.map(PayerId),
            waiting: asked.waiting.then_some(true),
            page: Page { after, limit: limit + 1 },
        };
        let found = self.books.remittances.page(&wanted).await.map_err(Problem::from)?;
        self.admission.show(&caller, Shown::list(KIND, None))?;
        let (found, next) = read::page(found, limit, |last| Position { at: last.data.received_at, id: last.id.0 })?;
        let items = found.iter().map(|found| told(found, |_| Vec::new())).collect();
        Ok(Response::new(ListRemittancesResponse { items, next }))
    }

    async fn book_remittance(
        &self,
        request: Request<BookRemittanceRequest>,
    ) -> Result<Response<BookRemittanceResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Remittances/BookRemittance")?;
        let id = read::id(&request.into_inner().remittance_id).map(RemittanceId);
        let id = id.ok_or_else(|| self.admission.missed(&caller, KIND, None))?;
        let booked = self.books.book_remittance(Some(&caller), id).await.map_err(|error| match error {
            RemittanceError::Unknown => self.admission.missed(&caller, KIND, Some(id.0)),
            error => error.into(),
        })?;
        Ok(Response::new(BookRemittanceResponse { remittance: Some(one(&booked)) }))
    }
}
