//! Claims: written, scrubbed, sent, answered, and what each does to the books.

mod answering;
mod estimating;
mod odd;
mod rates;
mod sending;
mod states;
mod telling;

use access::Role;
use anyhow::Context as _;
use contracts::billing::v1::{
    self as wire, Acknowledgement, Claim, ClaimAdjustment, ClaimContent, ClaimPayment, Coverage, Invoice, InvoiceLine,
    Payer, ReceiveRemittanceRequest, Remittance,
};
use libtest_mimic::Trial;
use testkit::{Parts, Result};
use tonic::Status;
use uuid::Uuid;

use super::{
    closing::today,
    covering::{coverage, insured, payer, written},
    desk::{Desk, There as _, keyed, line},
};

const NPI: &str = "1234567893";

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    let mut trials = sending::tests(parts);
    trials.extend(states::tests(parts));
    trials.extend(answering::tests(parts));
    trials.extend(odd::tests(parts));
    trials.extend(estimating::tests(parts));
    trials.extend(rates::tests(parts));
    trials.extend(telling::tests(parts));
    trials
}

/// An issued invoice of an insured patient, and who works on it.
#[derive(Clone)]
struct Visit {
    biller: Desk,
    payer: Payer,
    coverage: Coverage,
    patient: Uuid,
    invoice: Invoice,
}

fn service(code: &str, price: i64) -> InvoiceLine {
    InvoiceLine { date: today().to_string(), diagnoses: vec![1], ..line(code, 1, Some(price)) }
}

impl Visit {
    /// Of one service.
    async fn of(parts: &Parts, price: i64) -> Result<Self> {
        Self::with(parts, "W123456789", vec![service("99213", price)]).await
    }

    /// Of these services, by a member with this number.
    async fn with(parts: &Parts, member: &str, lines: Vec<InvoiceLine>) -> Result<Self> {
        let (patient, biller) = (Uuid::now_v7(), Desk::of(parts, Role::Biller).await?);
        biller.open(patient).await?;
        let payer = written(&biller, payer("Cascade Mutual"), Uuid::now_v7()).await?;
        let held = Coverage { member_id: Some(member.to_owned()), ..coverage(patient, &payer, 1) };
        let coverage = insured(&biller, held, Uuid::now_v7()).await?;
        let invoice = Self::issued(&biller, patient, lines).await?;
        Ok(Self { biller, payer, coverage, patient, invoice })
    }

    async fn issued(biller: &Desk, patient: Uuid, lines: Vec<InvoiceLine>) -> Result<Invoice> {
        let asked = wire::CreateInvoiceRequest {
            patient_id: patient.to_string(),
            clinic_id: Uuid::now_v7().to_string(),
            lines,
            diagnoses: vec![wire::Diagnosis { system: "icd-10-cm".to_owned(), code: "E11.9".to_owned() }],
        };
        let draft =
            biller.invoices().create_invoice(keyed(asked, Uuid::now_v7())).await?.into_inner().invoice.there()?;
        Ok(biller.issue(&draft).await?)
    }

    fn create(&self) -> wire::CreateClaimRequest {
        wire::CreateClaimRequest {
            invoice_id: self.invoice.invoice_id.clone(),
            coverage_id: self.coverage.coverage_id.clone(),
            content: Some(content()),
            ..wire::CreateClaimRequest::default()
        }
    }

    async fn written(&self, asked: wire::CreateClaimRequest) -> std::result::Result<Claim, Status> {
        let answer = self.biller.claims().create_claim(keyed(asked, Uuid::now_v7())).await?;
        Ok(answer.into_inner().claim.unwrap_or_default())
    }

    /// A draft.
    async fn draft(&self) -> Result<Claim> {
        Ok(self.written(self.create()).await?)
    }

    async fn prepare(&self, claim: &Claim) -> std::result::Result<Claim, Status> {
        let asked = wire::PrepareClaimRequest { claim_id: claim.claim_id.clone(), expected_version: claim.version };
        Ok(self
            .biller
            .claims()
            .prepare_claim(keyed(asked, Uuid::now_v7()))
            .await?
            .into_inner()
            .claim
            .unwrap_or_default())
    }

    async fn submit(&self, claim: &Claim) -> std::result::Result<Claim, Status> {
        let asked = wire::SubmitClaimRequest { claim_id: claim.claim_id.clone(), expected_version: claim.version };
        Ok(self
            .biller
            .claims()
            .submit_claim(keyed(asked, Uuid::now_v7()))
            .await?
            .into_inner()
            .claim
            .unwrap_or_default())
    }

    /// A claim that was sent.
    async fn submitted(&self) -> Result<Claim> {
        let ready = self.prepare(&self.draft().await?).await?;
        Ok(self.submit(&ready).await?)
    }

    /// A claim that its payer has.
    async fn accepted(&self) -> Result<Claim> {
        let claim = self.submitted().await?;
        Ok(self.acknowledge(&claim, Acknowledgement::Accepted).await?)
    }

    async fn acknowledge(&self, claim: &Claim, said: Acknowledgement) -> std::result::Result<Claim, Status> {
        let asked = wire::AcknowledgeClaimRequest {
            claim_id: claim.claim_id.clone(),
            acknowledgement: said.into(),
            control_number: Some("ICN-1".to_owned()),
            reasons: Vec::new(),
        };
        let answer = self.biller.claims().acknowledge_claim(keyed(asked, Uuid::now_v7())).await?;
        Ok(answer.into_inner().claim.unwrap_or_default())
    }

    async fn close(&self, claim: &Claim) -> std::result::Result<Claim, Status> {
        let asked = wire::CloseClaimRequest {
            claim_id: claim.claim_id.clone(),
            expected_version: claim.version,
            reason: "nobody waits".to_owned(),
        };
        Ok(self.biller.claims().close_claim(keyed(asked, Uuid::now_v7())).await?.into_inner().claim.unwrap_or_default())
    }

    async fn claim(&self, id: &str) -> Result<Claim> {
        let asked = wire::GetClaimRequest { claim_id: id.to_owned() };
        self.biller.claims().get_claim(asked).await?.into_inner().claim.there()
    }

    /// A remittance for these claims, which adds up.
    fn remittance(&self, claims: Vec<ClaimPayment>) -> ReceiveRemittanceRequest {
        ReceiveRemittanceRequest {
            payer_id: self.payer.payer_id.clone(),
            trace: Uuid::now_v7().to_string(),
            paid_date: today().to_string(),
            currency_code: "EUR".to_owned(),
            payment: claims.iter().map(|claim| claim.paid).sum(),
            claims,
            provider_adjustments: Vec::new(),
        }
    }

    async fn receive(&self, asked: ReceiveRemittanceRequest) -> std::result::Result<Remittance, Status> {
        let answer = self.biller.remittances().receive_remittance(asked).await?;
        Ok(answer.into_inner().remittance.unwrap_or_default())
    }

    /// Has this answer booked.
    async fn answered(&self, payment: ClaimPayment) -> Result<Remittance> {
        let remittance = self.receive(self.remittance(vec![payment])).await?;
        anyhow::ensure!(remittance.waiting == 0, "it waits: {:?}", remittance.claims);
        Ok(remittance)
    }

    /// What is posted of the invoice, by account.
    async fn ledger(&self, parts: &Parts) -> Result<Vec<(String, i64)>> {
        ledger(parts, &format!("invoice_id = '{}'", self.invoice.invoice_id)).await
    }

    /// What is posted of the payer beside claims, by account.
    async fn ledger_of_payer(&self, parts: &Parts) -> Result<Vec<(String, i64)>> {
        ledger(parts, &format!("payer_id = '{}'", self.payer.payer_id)).await
    }
}

/// Somebody's claim that its payer has.
pub(super) async fn accepted(parts: &Parts) -> Result<Claim> {
    Visit::of(parts, 10_000).await?.accepted().await
}

async fn ledger(parts: &Parts, what: &str) -> Result<Vec<(String, i64)>> {
    let sums = format!(
        "select account, sum(amount)::bigint as amount from projection.postings where {what} group by account \
         having sum(amount) <> 0 order by account"
    );
    let rows = parts.sql(&sums).await?;
    let read = |row: &serde_json::Value| Some((row["account"].as_str()?.to_owned(), row["amount"].as_i64()?));
    rows.iter().map(|row| read(row).context("no sum")).collect()
}

fn sums(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(account, amount)| ((*account).to_owned(), *amount)).collect()
}

fn content() -> ClaimContent {
    ClaimContent {
        billing_provider: Some(NPI.to_owned()),
        rendering_provider: Some(NPI.to_owned()),
        ..ClaimContent::default()
    }
}

fn adjusted(group: &str, reason: &str, amount: i64) -> ClaimAdjustment {
    ClaimAdjustment { group: group.to_owned(), reason: reason.to_owned(), amount, ..ClaimAdjustment::default() }
}

/// A payer's answer to the whole of a claim.
fn answer(claim: &Claim, paid: i64, adjustments: Vec<ClaimAdjustment>) -> ClaimPayment {
    ClaimPayment {
        claim_id: claim.claim_id.clone(),
        control_number: "ICN-1".to_owned(),
        status_code: "1".to_owned(),
        billed: claim.total,
        paid,
        adjustments,
        ..ClaimPayment::default()
    }
}

/// The answer that takes another back.
fn reversal(of: &ClaimPayment) -> ClaimPayment {
    let turned = |adjustments: &[ClaimAdjustment]| -> Vec<_> {
        adjustments.iter().map(|one| ClaimAdjustment { amount: -one.amount, ..one.clone() }).collect()
    };
    ClaimPayment {
        status_code: "22".to_owned(),
        billed: -of.billed,
        paid: -of.paid,
        adjustments: turned(&of.adjustments),
        lines: of
            .lines
            .iter()
            .map(|line| wire::AnsweredLine {
                billed: -line.billed,
                paid: -line.paid,
                adjustments: turned(&line.adjustments),
                ..line.clone()
            })
            .collect(),
        ..of.clone()
    }
}
