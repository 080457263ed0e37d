//! Claims and remittances as the contract tells them.

use contracts::billing::v1;
use jiff::Timestamp;

use super::{
    coverage_messages::filing,
    messages::{small, time, version},
};
use crate::domain::{
    claim::{
        Frequency, Status,
        adjudication::Outcome as Estimated,
        adjustment::{Adjustment, words},
        file::{Answered, ClaimFile, Due, Outcome, Parts, StandingAnswer},
        remittance::{ClaimPayment, LinePayment, ProviderAdjustment},
        transitions::allowed,
    },
    invoice::Invoice,
};

/// A claim.
pub fn claim(file: &ClaimFile, at: u64) -> v1::Claim {
    let claim = &file.claim;
    v1::Claim {
        claim_id: claim.id.to_string(),
        version: version(at),
        status: status(claim.status).into(),
        patient_id: claim.patient_id.to_string(),
        invoice_id: claim.invoice_id.to_string(),
        coverage_id: claim.coverage_id.to_string(),
        payer_id: claim.payer_id.to_string(),
        filing: filing(claim.filing).into(),
        frequency: frequency(claim.frequency).into(),
        prior_claim_id: claim.prior.as_ref().map(|prior| prior.claim_id.to_string()),
        successor_claim_id: file.successor.map(|id| id.to_string()),
        control_number: file.control_number.clone(),
        currency_code: claim.currency.code().to_owned(),
        content: Some(v1::ClaimContent {
            billing_provider: claim.billing_provider.as_ref().map(|npi| npi.0.clone()),
            rendering_provider: claim.rendering_provider.as_ref().map(|npi| npi.0.clone()),
            place_of_service: claim.lines.first().map(|line| line.place_of_service.clone()),
            diagnoses: claim.diagnoses.clone(),
            lines: claim
                .lines
                .iter()
                .zip(1_usize..)
                .map(|(line, number)| v1::ClaimLineContent {
                    line: small(number),
                    modifiers: line.modifiers.clone(),
                    diagnosis_pointers: line.pointers.iter().map(|&pointer| pointer.into()).collect(),
                })
                .collect(),
        }),
        lines: claim
            .lines
            .iter()
            .zip(1_usize..)
            .map(|(line, number)| v1::ClaimLine {
                line: small(number),
                procedure: line.procedure.clone(),
                modifiers: line.modifiers.clone(),
                units: small(line.units),
                date: line.date.to_string(),
                place_of_service: line.place_of_service.clone(),
                charge: line.charge.0,
                diagnosis_pointers: line.pointers.iter().map(|&pointer| pointer.into()).collect(),
            })
            .collect(),
        total: claim.total().0,
        expected: file.expected.0,
        answer: file.standing.as_ref().map(answer),
        payer_reasons: file.payer_reasons.clone(),
        deadline: file.deadline.as_ref().map(deadline),
        created_time: Some(time(claim.created)),
        submitted_time: file.submitted_at.map(time),
        sent_time: file.sent_at.map(time),
        reason: file.reason.clone(),
        actions: allowed(claim.status).into_iter().map(str::to_owned).collect(),
    }
}

fn deadline(due: &Due) -> v1::ClaimDeadline {
    v1::ClaimDeadline {
        what: due.what.code().to_owned(),
        due_date: due.due.to_string(),
        alert_date: due.alert.to_string(),
    }
}

fn answer(standing: &StandingAnswer) -> v1::ClaimAnswer {
    let parts = Parts::of(&standing.payment);
    v1::ClaimAnswer {
        remittance_id: standing.remittance_id.to_string(),
        adjudicated_date: standing.date.to_string(),
        billed: standing.payment.billed.0,
        paid: parts.paid.0,
        adjusted: parts.contractual.0,
        prior_payers: parts.prior.0,
        patient: parts.patient.0,
        denied: parts.denied.0,
        adjustments: adjustments(&standing.payment.adjustments),
        lines: standing.payment.lines.iter().map(line).collect(),
    }
}

fn line(line: &LinePayment) -> v1::AnsweredLine {
    v1::AnsweredLine {
        line: small(line.line),
        billed: line.billed.0,
        paid: line.paid.0,
        adjustments: adjustments(&line.adjustments),
    }
}

fn adjustments(adjustments: &[Adjustment]) -> Vec<v1::ClaimAdjustment> {
    let told = |adjustment: &Adjustment| v1::ClaimAdjustment {
        group: adjustment.group.code().to_owned(),
        reason: adjustment.reason.clone(),
        remark: adjustment.remark.clone(),
        amount: adjustment.amount.0,
        text: words(&adjustment.reason).map(str::to_owned),
    };
    adjustments.iter().map(told).collect()
}

/// A line of an estimate.
pub fn estimated(line: &Estimated) -> v1::EstimatedLine {
    v1::EstimatedLine {
        line: small(line.line),
        billed: line.billed.0,
        allowed: line.allowed.0,
        copay: line.copay.0,
        deductible: line.deductible.0,
        coinsurance: line.coinsurance.0,
        paid: line.paid.0,
        patient: line.patient().0,
        adjustments: adjustments(&line.adjustments),
    }
}

/// What a remittance says of a claim.
pub fn claim_payment(payment: &ClaimPayment, booked: bool) -> v1::ClaimPayment {
    v1::ClaimPayment {
        claim_id: payment.claim_id.to_string(),
        control_number: payment.control_number.clone(),
        status_code: payment.status.code().to_owned(),
        billed: payment.billed.0,
        paid: payment.paid.0,
        adjustments: adjustments(&payment.adjustments),
        lines: payment.lines.iter().map(line).collect(),
        booked,
        findings: Vec::new(),
    }
}

/// What a payment is changed by apart from claims.
pub fn provider_adjustment(adjustment: &ProviderAdjustment) -> v1::ProviderAdjustment {
    v1::ProviderAdjustment {
        reason: adjustment.reason.clone(),
        reference: adjustment.reference.clone(),
        amount: adjustment.amount.0,
    }
}

/// The public state of a claim, for its events.
pub fn snapshot(file: &ClaimFile, invoice: &Invoice, at: u64, now: Timestamp) -> v1::ClaimSnapshot {
    let claim = &file.claim;
    let practitioner = invoice.source.as_ref().and_then(|source| source.practitioner_id);
    let parts = file.standing.as_ref().map(|standing| Parts::of(&standing.payment)).unwrap_or_default();
    v1::ClaimSnapshot {
        claim_id: claim.id.to_string(),
        version: version(at),
        patient_id: claim.patient_id.to_string(),
        invoice_id: claim.invoice_id.to_string(),
        payer_id: claim.payer_id.to_string(),
        status: status(claim.status).into(),
        frequency: frequency(claim.frequency).into(),
        currency_code: claim.currency.code().to_owned(),
        total: claim.total().0,
        expected: file.expected.0,
        paid: parts.paid.0,
        adjusted: parts.contractual.0,
        patient: parts.patient.0,
        denied: parts.denied.0,
        created_time: Some(time(claim.created)),
        submitted_time: file.submitted_at.map(time),
        adjudicated_date: claim.adjudicated_on.map(|date| date.to_string()).unwrap_or_default(),
        changed_time: Some(time(now)),
        first_answer: file.answers.iter().find(|answer| answer.first).map(first_answer),
        clinic_id: invoice.clinic_id.to_string(),
        practitioner_id: practitioner.map(|id| id.to_string()).unwrap_or_default(),
    }
}

fn first_answer(answer: &Answered) -> v1::ClaimFirstAnswer {
    v1::ClaimFirstAnswer {
        date: answer.date.to_string(),
        outcome: outcome(answer.outcome).into(),
        first_pass: answer.first_pass,
        billed: answer.billed.0,
        paid: answer.paid.0,
        denied: answer.denied.map(|denied| denied.0),
    }
}

/// What an answer came to.
pub const fn outcome(outcome: Outcome) -> v1::ClaimOutcome {
    match outcome {
        Outcome::Paid => v1::ClaimOutcome::Paid,
        Outcome::PartiallyPaid => v1::ClaimOutcome::PartiallyPaid,
        Outcome::Denied => v1::ClaimOutcome::Denied,
    }
}

/// A status.
pub const fn status(status: Status) -> v1::ClaimStatus {
    match status {
        Status::Draft => v1::ClaimStatus::Draft,
        Status::Ready => v1::ClaimStatus::Ready,
        Status::Submitted => v1::ClaimStatus::Submitted,
        Status::Accepted => v1::ClaimStatus::Accepted,
        Status::Rejected => v1::ClaimStatus::Rejected,
        Status::Pended => v1::ClaimStatus::Pended,
        Status::Paid => v1::ClaimStatus::AdjudicatedPaid,
        Status::PartiallyPaid => v1::ClaimStatus::PartiallyPaid,
        Status::Denied => v1::ClaimStatus::Denied,
        Status::Appealed => v1::ClaimStatus::Appealed,
        Status::Corrected => v1::ClaimStatus::Corrected,
        Status::Voided => v1::ClaimStatus::Voided,
        Status::Closed => v1::ClaimStatus::Closed,
    }
}

const fn frequency(frequency: Frequency) -> v1::ClaimFrequency {
    match frequency {
        Frequency::Original => v1::ClaimFrequency::Original,
        Frequency::Replacement => v1::ClaimFrequency::Replacement,
        Frequency::Void => v1::ClaimFrequency::Void,
    }
}
