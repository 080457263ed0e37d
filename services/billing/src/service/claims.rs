//! Claims: what is asked of payers, sent, and estimated beforehand.

use access::Caller;
use jiff::Timestamp;
use problem::Problem;
use sidecar::{failure::Failure, origin::Sender};
use uuid::Uuid;

use super::{
    Books, Keyed,
    act::{Act, ActError, Answer, Asked, Done},
    claim_act::ClaimAct,
};
use crate::{
    domain::{
        books::{self, PatientBooks, claims::Acknowledgement},
        claim::{
            Claim, Status,
            adjudication::{Accumulators, Adjudication, Benefit, Decision, Earlier, adjudicate},
            file::ClaimFile,
        },
        coverage::Coverage,
        ids::{ClaimId, InvoiceId, PatientId},
        invoice::Line,
        money::Amount,
    },
    outbound::{
        claims::{LeftOver, PatientData},
        clearinghouse::{EarlierLine, Taken},
        demographics::RecipientData,
        fees::{AskedFee, FoundFee},
        journal::{LoadedBooks, Versioned, Wanted},
    },
};

/// Makes the keys of what the service itself does to claims.
const DEEDS: Uuid = Uuid::from_u128(0x90d3_6e1c_47ba_4258_ac0e_b2f9_138d_5c67);

/// Why a claim is not sent.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// It is not a claim that could be.
    #[error(transparent)]
    Act(#[from] ActError),
    /// Nobody says who the patient is.
    #[error("nobody says who the patient is")]
    Demographics(Problem),
}

/// What a plan should pay.
#[derive(Clone, Debug)]
pub struct Estimate {
    /// The claim.
    pub claim: Versioned<ClaimFile>,
    /// Line by line.
    pub adjudication: Adjudication,
}

/// Why there is no estimate.
#[derive(Debug, thiserror::Error)]
pub enum EstimateError {
    /// There is no such claim.
    #[error("there is no such claim")]
    Unknown,
    /// The plan's terms do not fit the claim.
    #[error("the plan's terms do not fit the claim")]
    Unfit,
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl Books {
    /// A claim.
    pub async fn claim(&self, id: ClaimId) -> Result<Option<Versioned<ClaimFile>>, Failure> {
        let stored = self.journal.claim(id).await?;
        Ok(stored.map(|stored| Versioned { version: stored.document.version, item: stored.document.data }))
    }

    /// Does something to a claim, whoever's it is.
    pub async fn act_on_claim(&self, id: ClaimId, ask: impl FnOnce(PatientId) -> Asked) -> Answer {
        let claim = self.journal.claim(id).await?.ok_or(ActError::Unknown)?;
        self.act(ask(claim.document.data.claim.patient_id)).await
    }

    /// Whose an invoice is.
    pub async fn patient_of(&self, id: InvoiceId) -> Result<PatientId, ActError> {
        let invoice = self.journal.invoice(id).await?;
        Ok(invoice.ok_or(books::Refusal::NoInvoice { at: 0 })?.document.data.patient_id)
    }

    /// Sends version `expected` of a claim. It is submitted when this is saved; when the clearing house does not take it
    /// at once, it is sent again until it does.
    pub async fn submit_claim(
        &self,
        caller: &Caller,
        id: ClaimId,
        expected: u64,
        request: Keyed,
        access_token: &str,
    ) -> Result<Versioned<ClaimFile>, SubmitError> {
        let claim = self.journal.claim(id).await.map_err(ActError::from)?.ok_or(ActError::Unknown)?;
        let patient = claim.document.data.claim.patient_id;
        let told = self.demographics.of(patient, access_token).await.map_err(SubmitError::Demographics)?;
        let asked = Asked {
            patient,
            act: Act::Claim(id, ClaimAct::Submit(Box::new(PatientData(told.clone())))),
            expected: Some(expected),
            request,
            caller: Some(caller.clone()),
            sender: Sender::current(),
        };
        let submitted = of_claim(self.act(asked).await?)?;
        match self.send(patient, id, Some(told)).await {
            Ok(Some(sent)) => Ok(sent),
            Ok(None) => Ok(submitted),
            Err(problem) => {
                tracing::warn!(%problem, claim = %id, "a claim is submitted and not sent yet");
                Ok(submitted)
            }
        }
    }

    /// Hands a claim that is submitted to the clearing house, unless that is done; answers the claim as it is then. Who the
    /// patient is, is what was written down when it was submitted, if it is not at hand.
    async fn send(
        &self,
        patient: PatientId,
        id: ClaimId,
        told: Option<RecipientData>,
    ) -> Result<Option<Versioned<ClaimFile>>, Problem> {
        let loaded = self.load_claim(patient, id).await?;
        let Ok(file) = loaded.books.claim(id) else { return Ok(None) };
        if file.sent_at.is_some() || file.claim.status != Status::Submitted {
            return Ok(None);
        }
        let coverage = loaded.coverages.get(&file.claim.coverage_id);
        let payer = loaded.payers.get(&file.claim.payer_id);
        let told = match told {
            Some(told) => Some(told),
            None => self.claims.patient(id, file.submissions).await?,
        };
        let (Some(coverage), Some(payer), Some(told)) = (coverage, payer, told) else {
            return Err(Problem::internal(format!("claim {id} has lost what is to be sent with it")));
        };
        let earlier = earlier_lines(&loaded, file);
        // Who refuses it at the door does what the payer's own front end would do.
        let act = match self.clearinghouse.send(file, (coverage, payer), &told, &earlier).await? {
            Taken::Yes => ClaimAct::Sent(file.submissions),
            Taken::No(status) => ClaimAct::Acknowledge {
                said: Acknowledgement::Rejected,
                control_number: None,
                reasons: vec![format!("the clearing house refuses it with status {status}")],
            },
        };
        let key = Uuid::new_v5(&DEEDS, format!("{id}/sent/{}", file.submissions).as_bytes());
        let asked = Asked {
            patient,
            act: Act::Claim(id, act),
            expected: None,
            request: Keyed { key, hash: key },
            caller: None,
            sender: Sender::current(),
        };
        Ok(Some(of_claim(self.act(asked).await?)?))
    }

    /// What the plan should pay of a claim.
    pub async fn estimate(&self, id: ClaimId) -> Result<Estimate, EstimateError> {
        let found = self.claim(id).await?.ok_or(EstimateError::Unknown)?;
        let loaded = self.load_claim(found.item.claim.patient_id, id).await?;
        let (file, coverage) = match loaded.books.claim(id) {
            Ok(file) => (file, loaded.coverages.get(&file.claim.coverage_id).ok_or(EstimateError::Unfit)?),
            Err(_) => return Err(EstimateError::Unknown),
        };
        let contracts = self.contracts(&file.claim).await?;
        let earlier = earlier(&loaded, file);
        let decisions: Vec<_> = contracts
            .into_iter()
            .zip(earlier)
            .map(|(contract, earlier)| Decision { contract, benefit: Benefit::Covered, earlier })
            .collect();
        let used = used_by_others(&loaded.books, file, coverage);
        let adjudication = adjudicate(&file.claim, coverage, &decisions, &used).map_err(|_| EstimateError::Unfit)?;
        Ok(Estimate { claim: found, adjudication })
    }

    /// What payer and clinic have agreed on for each line, by the payer's own fee schedule.
    async fn contracts(&self, claim: &Claim) -> Result<Vec<Option<Amount>>, Failure> {
        let invoice = self.journal.invoice(claim.invoice_id).await?;
        let lines = invoice.map(|stored| stored.document.data.lines).unwrap_or_default();
        let asked = |line: &Line| AskedFee {
            code: line.code.clone(),
            modifiers: line.modifiers.clone(),
            payer_id: Some(claim.payer_id),
            date: line.date,
        };
        let asked: Vec<_> = lines.iter().map(asked).collect();
        let found = self.fees.find_of_payer(&asked).await?;
        let price = |(line, found): (&Line, Option<FoundFee>)| {
            let fee = found.filter(|found| found.currency == claim.currency)?.fee;
            fee.unit_price.times(line.units)
        };
        Ok(lines.iter().zip(found).map(price).collect())
    }

    async fn load_claim(&self, patient: PatientId, id: ClaimId) -> Result<LoadedBooks, Failure> {
        let mut wanted = Wanted::of(patient);
        wanted.claims.push(id);
        self.journal.load(&wanted).await
    }

    /// Finishes what a process that ended, or somebody who did not answer, left over for longer than a moment; answers
    /// what there was of it.
    pub async fn finish_claims(&self, before: Timestamp) -> Result<LeftOver, Failure> {
        const AT_ONCE: usize = 50;
        let left = self.claims.left_over(before, self.settings.day(before), AT_ONCE).await?;
        // The own books first, since a clearing house that is silent takes its time to be so.
        for &id in &left.waiting {
            if let Err(error) = self.book_remittance(None, id).await {
                tracing::warn!(%error, remittance = %id, "a remittance could not be booked");
            }
        }
        for unsent in &left.unsent {
            if let Err(problem) = self.send(unsent.patient_id, unsent.claim_id, None).await {
                tracing::warn!(%problem, claim = %unsent.claim_id, "a claim could not be sent");
                // The next most likely neither, and the next time begins with another.
                break;
            }
        }
        Ok(left)
    }
}

/// The claim that an act on one has made.
pub(super) fn of_claim(done: Done) -> Result<Versioned<ClaimFile>, ActError> {
    match done {
        Done::Claim(found) => Ok(*found),
        Done::Invoice(_) | Done::Payment(_) => Err(Failure::Bug("an act on a claim answered none".to_owned()).into()),
    }
}

/// What payers before this one have done about each line: by the claims of the invoice whose coverages pay first.
fn earlier(loaded: &LoadedBooks, file: &ClaimFile) -> Vec<Option<Earlier>> {
    let order = |file: &ClaimFile| loaded.coverages.get(&file.claim.coverage_id).map(|coverage| coverage.order);
    let own = order(file);
    let mut before: Vec<_> = loaded
        .books
        .claims
        .values()
        .filter(|other| other.claim.invoice_id == file.claim.invoice_id && order(other) < own)
        .filter_map(|other| Some((order(other), other.standing.as_ref()?)))
        .collect();
    before.sort_by_key(|(order, _)| *order);
    let lines = 1..=file.claim.lines.len();
    lines
        .map(|number| {
            before.iter().fold(None, |earlier, (_, standing)| {
                let line = standing.payment.lines.iter().find(|line| line.line == number);
                line.map_or(earlier, |line| Some(Earlier::answered(line, earlier.as_ref())))
            })
        })
        .collect()
}

fn earlier_lines(loaded: &LoadedBooks, file: &ClaimFile) -> Vec<EarlierLine> {
    let lines = earlier(loaded, file).into_iter().zip(1..);
    let told = |(earlier, line): (Option<Earlier>, usize)| {
        earlier.map(|earlier| EarlierLine { line, paid: earlier.paid.0, patient: earlier.patient.0 })
    };
    lines.filter_map(told).collect()
}

/// What the member has used without this claim.
fn used_by_others(books: &PatientBooks, file: &ClaimFile, coverage: &Coverage) -> Accumulators {
    let used = books.accumulators.get(&coverage.id).cloned().unwrap_or_else(|| Accumulators::empty(coverage.id));
    match used.counted(file.claim.id).cloned() {
        Some(delta) => used.reverse(file.claim.id, &delta).unwrap_or(used),
        None => used,
    }
}
