//! `billing.v1.Claims`

mod content;

use access::Caller;
use contracts::billing::v1::{
    self as wire, AcknowledgeClaimRequest, AcknowledgeClaimResponse, AmendClaimRequest, AmendClaimResponse,
    AppealClaimRequest, AppealClaimResponse, CloseClaimRequest, CloseClaimResponse, CreateClaimRequest,
    CreateClaimResponse, EstimateClaimRequest, EstimateClaimResponse, GetClaimRequest, GetClaimResponse,
    ListClaimsRequest, ListClaimsResponse, PrepareClaimRequest, PrepareClaimResponse, ReviseClaimRequest,
    ReviseClaimResponse, SubmitClaimRequest, SubmitClaimResponse, WithdrawClaimRequest, WithdrawClaimResponse,
    claims_server,
};
use problem::{Problem, input::Findings};
use prost::Message;
use sidecar::origin::Sender;
use tonic::{Request, Response, Status};

use super::{
    admission::{Admission, Shown, keyed},
    invoices::{route, version},
    read,
};
use crate::{
    domain::{
        claim::{self, file::ClaimFile},
        coverage::PayerId,
        ids::{ClaimId, CoverageId, InvoiceId, PatientId},
        money::Amount,
    },
    outbound::{
        claim_messages as messages,
        claims::{ClaimPosition, DuePosition, WantedClaims},
        journal::Versioned,
        lists::{Page, Position},
    },
    service::{
        Books,
        act::{Act, ActError, Asked, Done},
        claim_act::{ClaimAct, NewClaim, PriorClaim},
        claims::SubmitError,
    },
};

/// The methods of the service.
pub const METHODS: [&str; 12] = [
    "billing.v1.Claims/CreateClaim",
    "billing.v1.Claims/GetClaim",
    "billing.v1.Claims/ListClaims",
    "billing.v1.Claims/EstimateClaim",
    "billing.v1.Claims/AmendClaim",
    "billing.v1.Claims/PrepareClaim",
    "billing.v1.Claims/ReviseClaim",
    "billing.v1.Claims/SubmitClaim",
    "billing.v1.Claims/AcknowledgeClaim",
    "billing.v1.Claims/AppealClaim",
    "billing.v1.Claims/WithdrawClaim",
    "billing.v1.Claims/CloseClaim",
];

const KIND: &str = "claim";

/// The service `billing.v1.Claims`.
#[derive(Clone, Debug)]
pub struct Claims {
    books: Books,
    admission: Admission,
}

/// A request of an act on a claim; the version that was seen, none where it does not matter.
trait OnClaim: Message {
    fn claim_id(&self) -> &str;
    fn expected_version(&self) -> Option<i64>;
}

macro_rules! on_claim {
    ($($name:ident),+) => {$(
        impl OnClaim for $name {
            fn claim_id(&self) -> &str {
                &self.claim_id
            }

            fn expected_version(&self) -> Option<i64> {
                Some(self.expected_version)
            }
        }
    )+};
}

on_claim!(
    AmendClaimRequest,
    PrepareClaimRequest,
    ReviseClaimRequest,
    AppealClaimRequest,
    WithdrawClaimRequest,
    CloseClaimRequest
);

/// A payer knows no versions.
impl OnClaim for AcknowledgeClaimRequest {
    fn claim_id(&self) -> &str {
        &self.claim_id
    }

    fn expected_version(&self) -> Option<i64> {
        None
    }
}

impl Claims {
    /// The service on these books.
    pub fn new(books: Books, admission: Admission) -> Self {
        Self { books, admission }
    }

    fn found(&self, caller: &Caller, id: &str) -> Result<ClaimId, Problem> {
        read::id(id).map(ClaimId).ok_or_else(|| self.admission.missed(caller, KIND, None))
    }

    fn told(&self, caller: &Caller, id: ClaimId, done: Result<Done, ActError>) -> Result<Option<wire::Claim>, Problem> {
        match done {
            Ok(Done::Claim(found)) => Ok(Some(one(&found))),
            Ok(Done::Invoice(_) | Done::Payment(_)) => Err(Problem::internal("an act on a claim answered none")),
            Err(ActError::Unknown) => Err(self.admission.missed(caller, KIND, Some(id.0))),
            Err(error) => Err(error.into()),
        }
    }

    /// What every act on a claim has in common: who, which, which version, and once.
    async fn act<R: OnClaim>(
        &self,
        request: Request<R>,
        method: &'static str,
        act: impl FnOnce(&R, &mut Findings) -> Option<ClaimAct>,
    ) -> Result<Option<wire::Claim>, Problem> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, method)?;
        let id = self.found(&caller, asked.claim_id())?;
        let key = keyed(&metadata, &caller, &route(method, id.0), "act", &asked)?;
        let mut findings = Findings::default();
        let act = act(&asked, &mut findings);
        let act = findings.into_result(act)?;
        let wanted = |patient| Asked {
            patient,
            act: Act::Claim(id, act),
            expected: asked.expected_version().map(version),
            request: key,
            caller: Some(caller.clone()),
            sender: Sender::current(),
        };
        let done = self.books.act_on_claim(id, wanted).await;
        self.told(&caller, id, done)
    }
}

fn one(found: &Versioned<ClaimFile>) -> wire::Claim {
    messages::claim(&found.item, found.version)
}

#[tonic::async_trait]
impl claims_server::Claims for Claims {
    async fn create_claim(
        &self,
        request: Request<CreateClaimRequest>,
    ) -> Result<Response<CreateClaimResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, "billing.v1.Claims/CreateClaim")?;
        let key = keyed(&metadata, &caller, "billing.v1.Claims/CreateClaim", KIND, &asked)?;
        let mut findings = Findings::default();
        let invoice = read::required_id(&asked.invoice_id, "invoice_id", &mut findings).map(InvoiceId);
        let coverage = read::required_id(&asked.coverage_id, "coverage_id", &mut findings).map(CoverageId);
        let prior = read::optional_id(asked.prior_claim_id.as_deref(), "prior_claim_id", &mut findings).map(ClaimId);
        let prior = match (asked.frequency(), prior) {
            (wire::ClaimFrequency::Unspecified | wire::ClaimFrequency::Original, None) => None,
            (wire::ClaimFrequency::Replacement, Some(prior)) => Some(PriorClaim::Replaced(prior)),
            (wire::ClaimFrequency::Void, Some(prior)) => Some(PriorClaim::Voided(prior)),
            (_, prior) => {
                let detail = if prior.is_some() { "is of no original claim" } else { "is required" };
                findings.add("prior_claim_id", detail);
                None
            }
        };
        let content = content::read(asked.content.as_ref(), &mut findings);
        let whole = (|| Some((invoice?, coverage?, content?)))();
        let (invoice, coverage, content) = findings.into_result(whole)?;
        let patient = self.books.patient_of(invoice).await.map_err(|error| match error {
            ActError::Refused(_) => Problem::new(problem::Kind::Conflict, "There is no such invoice.")
                .with_slug("unknown-invoice")
                .with_error("invoice_id", "is of no invoice"),
            error => error.into(),
        })?;
        let id = ClaimId(key.key);
        let asked = Asked {
            patient,
            act: Act::Claim(id, ClaimAct::Create(Box::new(NewClaim { invoice, coverage, prior, content }))),
            expected: None,
            request: key,
            caller: Some(caller.clone()),
            sender: Sender::current(),
        };
        let done = self.books.act(asked).await;
        Ok(Response::new(CreateClaimResponse { claim: self.told(&caller, id, done)? }))
    }

    async fn get_claim(&self, request: Request<GetClaimRequest>) -> Result<Response<GetClaimResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Claims/GetClaim")?;
        let id = self.found(&caller, &request.into_inner().claim_id)?;
        let found = self.books.claim(id).await.map_err(Problem::from)?;
        let found = found.ok_or_else(|| self.admission.missed(&caller, KIND, Some(id.0)))?;
        let patient = Some(found.item.claim.patient_id.0);
        self.admission.show(&caller, Shown { kind: KIND, id: Some(id.0), version: Some(found.version), patient })?;
        Ok(Response::new(GetClaimResponse { claim: Some(one(&found)) }))
    }

    async fn list_claims(&self, request: Request<ListClaimsRequest>) -> Result<Response<ListClaimsResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Claims/ListClaims")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let patient = read::optional_id(asked.patient_id.as_deref(), "patient_id", &mut findings);
        let invoice = read::optional_id(asked.invoice_id.as_deref(), "invoice_id", &mut findings);
        let payer = read::optional_id(asked.payer_id.as_deref(), "payer_id", &mut findings);
        let status = asked.status.and_then(|_| content::status(asked.status(), &mut findings));
        let due = read::optional_date(asked.due.as_deref(), "due", &mut findings);
        let after: Option<ClaimPosition> = read::cursor(asked.cursor.as_deref(), &mut findings);
        let limit = read::limit(asked.limit, 20, 100, &mut findings);
        let limit = findings.into_result(limit)?;
        let (after, after_due) = match after {
            Some(ClaimPosition::Newest(after)) => (Some(after), None),
            Some(ClaimPosition::Due(after)) => (None, Some(after)),
            None => (None, None),
        };
        let wanted = WantedClaims {
            patient_id: patient.map(PatientId),
            invoice_id: invoice.map(InvoiceId),
            payer_id: payer.map(PayerId),
            status,
            due,
            after_due,
            page: Page { after, limit: limit + 1 },
        };
        let found = self.books.claims.page(&wanted).await.map_err(Problem::from)?;
        self.admission.show(&caller, Shown::list(KIND, patient))?;
        let (found, next) = read::page(found, limit, |last| {
            let claim = &last.item.claim;
            match last.item.deadline.filter(|_| due.is_some()) {
                Some(deadline) => ClaimPosition::Due(DuePosition { due: deadline.due, id: claim.id.0 }),
                None => ClaimPosition::Newest(Position { at: claim.created, id: claim.id.0 }),
            }
        })?;
        Ok(Response::new(ListClaimsResponse { items: found.iter().map(one).collect(), next }))
    }

    async fn estimate_claim(
        &self,
        request: Request<EstimateClaimRequest>,
    ) -> Result<Response<EstimateClaimResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Claims/EstimateClaim")?;
        let id = self.found(&caller, &request.into_inner().claim_id)?;
        let found = self.books.estimate(id).await.map_err(Problem::from)?;
        let (file, lines) = (&found.claim, &found.adjudication.lines);
        let patient = Some(file.item.claim.patient_id.0);
        self.admission.show(&caller, Shown { kind: KIND, id: Some(id.0), version: Some(file.version), patient })?;
        let sum = |of: fn(&claim::adjudication::Outcome) -> Amount| lines.iter().map(of).sum::<Amount>().0;
        Ok(Response::new(EstimateClaimResponse {
            lines: lines.iter().map(messages::estimated).collect(),
            currency_code: file.item.claim.currency.code().to_owned(),
            paid: sum(|line| line.paid),
            patient: sum(claim::adjudication::Outcome::patient),
        }))
    }

    async fn amend_claim(&self, request: Request<AmendClaimRequest>) -> Result<Response<AmendClaimResponse>, Status> {
        let act = |asked: &AmendClaimRequest, findings: &mut Findings| {
            content::read(asked.content.as_ref(), findings).map(ClaimAct::Amend)
        };
        let claim = self.act(request, "billing.v1.Claims/AmendClaim", act).await?;
        Ok(Response::new(AmendClaimResponse { claim }))
    }

    async fn prepare_claim(
        &self,
        request: Request<PrepareClaimRequest>,
    ) -> Result<Response<PrepareClaimResponse>, Status> {
        let claim = self.act(request, "billing.v1.Claims/PrepareClaim", |_, _| Some(ClaimAct::Prepare)).await?;
        Ok(Response::new(PrepareClaimResponse { claim }))
    }

    async fn revise_claim(
        &self,
        request: Request<ReviseClaimRequest>,
    ) -> Result<Response<ReviseClaimResponse>, Status> {
        let claim = self.act(request, "billing.v1.Claims/ReviseClaim", |_, _| Some(ClaimAct::Revise)).await?;
        Ok(Response::new(ReviseClaimResponse { claim }))
    }

    async fn submit_claim(
        &self,
        request: Request<SubmitClaimRequest>,
    ) -> Result<Response<SubmitClaimResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, "billing.v1.Claims/SubmitClaim")?;
        let id = self.found(&caller, &asked.claim_id)?;
        let key = keyed(&metadata, &caller, &route("billing.v1.Claims/SubmitClaim", id.0), "act", &asked)?;
        let token = access::bearer(&metadata.into_headers())?.to_owned();
        let sent = self.books.submit_claim(&caller, id, version(asked.expected_version), key, &token).await;
        let sent = sent.map_err(|error| match error {
            SubmitError::Act(ActError::Unknown) => self.admission.missed(&caller, KIND, Some(id.0)),
            error => error.into(),
        })?;
        Ok(Response::new(SubmitClaimResponse { claim: Some(one(&sent)) }))
    }

    async fn acknowledge_claim(
        &self,
        request: Request<AcknowledgeClaimRequest>,
    ) -> Result<Response<AcknowledgeClaimResponse>, Status> {
        let claim = self.act(request, "billing.v1.Claims/AcknowledgeClaim", content::acknowledgement).await?;
        Ok(Response::new(AcknowledgeClaimResponse { claim }))
    }

    async fn appeal_claim(
        &self,
        request: Request<AppealClaimRequest>,
    ) -> Result<Response<AppealClaimResponse>, Status> {
        let act = |asked: &AppealClaimRequest, findings: &mut Findings| {
            read::reason(&asked.reason, findings).map(ClaimAct::Appeal)
        };
        let claim = self.act(request, "billing.v1.Claims/AppealClaim", act).await?;
        Ok(Response::new(AppealClaimResponse { claim }))
    }

    async fn withdraw_claim(
        &self,
        request: Request<WithdrawClaimRequest>,
    ) -> Result<Response<WithdrawClaimResponse>, Status> {
        let act = |asked: &WithdrawClaimRequest, findings: &mut Findings| {
            read::reason(&asked.reason, findings).map(ClaimAct::Withdraw)
        };
        let claim = self.act(request, "billing.v1.Claims/WithdrawClaim", act).await?;
        Ok(Response::new(WithdrawClaimResponse { claim }))
    }

    async fn close_claim(&self, request: Request<CloseClaimRequest>) -> Result<Response<CloseClaimResponse>, Status> {
        let act = |asked: &CloseClaimRequest, findings: &mut Findings| {
            read::reason(&asked.reason, findings).map(ClaimAct::Close)
        };
        let claim = self.act(request, "billing.v1.Claims/CloseClaim", act).await?;
        Ok(Response::new(CloseClaimResponse { claim }))
    }
}
