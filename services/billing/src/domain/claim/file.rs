//! A claim with what came of it: when it was sent, what the payer has answered, and what is still expected.

use jiff::{Timestamp, ToSpan as _, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    Claim, Frequency, Refusal, Status,
    adjudication::Delta,
    adjustment::{Adjustment, Group, PRIOR_PAYER},
    deadlines::{For, Windows},
    remittance::ClaimPayment,
    transitions::{Action, Reason, transition},
};
use crate::domain::{
    ids::{ClaimId, JournalId, RemittanceId},
    money::Amount,
};

/// A claim and its history.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimFile {
    /// The claim as it stands.
    #[serde(flatten)]
    pub claim: Claim,
    /// Whether it is the one that stands for its invoice and payer.
    pub live: bool,
    /// What the payer is expected to pay as things stand: what is open of the invoice by this claim.
    pub expected: Amount,
    /// What was given up when it was closed.
    #[serde(default)]
    pub given_up: Amount,
    /// How often the payer's front end sent it back.
    pub rejections: u32,
    /// The payer's own number of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_number: Option<String>,
    /// The claim that stands in its place, or took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<ClaimId>,
    /// How often it was sent.
    pub submissions: u32,
    /// When it was first sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// When the clearing house took it; none while it is on its way there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// Why it was sent back, or what the payer wants to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payer_reasons: Vec<String>,
    /// Why it was withdrawn, appealed or closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What somebody may have to do by when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Due>,
    /// The answer that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<StandingAnswer>,
    /// Every answer that was ever booked, also those that were taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answered>,
}

/// The last day for something, and from when on somebody is told.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Due {
    /// For what.
    pub what: For,
    /// The last day.
    pub due: Date,
    /// From this day on it is told.
    pub alert: Date,
}

/// An answer that was booked and not taken back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StandingAnswer {
    /// By which remittance.
    pub remittance_id: RemittanceId,
    /// The day of its payment.
    pub date: Date,
    /// What it said.
    pub payment: ClaimPayment,
    /// What it moved from the payer to the patient; below nothing where the payer took over what was the patient's.
    pub to_patient: Amount,
    /// What it added to what the member has used.
    pub used: Delta,
}

/// That a payer answered, for counting.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    /// The act that booked it.
    pub journal_id: JournalId,
    /// The day of the books.
    pub date: Date,
    /// What it came to.
    pub outcome: Outcome,
    /// Whether it is the first to this claim.
    pub first: bool,
    /// Whether it is the first, to an original claim that was never sent back, and denies nothing.
    pub first_pass: bool,
    /// What was asked for.
    pub billed: Amount,
    /// What was paid.
    pub paid: Amount,
    /// What was denied and may be appealed; none where an earlier release did not write it down and nothing says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<Amount>,
}

/// What an answer came to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing was denied.
    Paid,
    /// Some of it was.
    PartiallyPaid,
    /// All of it was.
    Denied,
}

impl Outcome {
    /// What an answer came to that does this to a claim; a reversal is none.
    pub const fn of(action: Action) -> Option<Self> {
        match action {
            Action::Pay => Some(Self::Paid),
            Action::PayPartially => Some(Self::PartiallyPaid),
            Action::Deny => Some(Self::Denied),
            _ => None,
        }
    }
}

/// Where what was billed went, by an answer: these add up to it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Parts {
    /// Paid by this payer.
    pub paid: Amount,
    /// By contract or law neither the payer's nor the patient's.
    pub contractual: Amount,
    /// Settled by the payers before.
    pub prior: Amount,
    /// The patient's.
    pub patient: Amount,
    /// Denied, and not the patient's: it may be appealed.
    pub denied: Amount,
}

impl Parts {
    /// The parts of an answer.
    pub fn of(payment: &ClaimPayment) -> Self {
        let mut parts = Self { paid: payment.paid, ..Self::default() };
        for adjustment in payment.all_adjustments() {
            *parts.of_adjustment(adjustment) += adjustment.amount;
        }
        parts
    }

    fn of_adjustment(&mut self, adjustment: &Adjustment) -> &mut Amount {
        match adjustment.group {
            Group::Patient => &mut self.patient,
            Group::Other if adjustment.reason == PRIOR_PAYER => &mut self.prior,
            _ if adjustment.denies() => &mut self.denied,
            _ => &mut self.contractual,
        }
    }

    /// Whether one of them is below nothing, which only a reversal may have.
    pub fn has_negative(&self) -> bool {
        [self.paid, self.contractual, self.prior, self.patient, self.denied].iter().any(|part| *part < Amount::ZERO)
    }
}

impl ClaimFile {
    /// The file of a fresh claim.
    pub fn of(claim: Claim) -> Self {
        Self {
            claim,
            live: false,
            expected: Amount::ZERO,
            given_up: Amount::ZERO,
            rejections: 0,
            control_number: None,
            successor: None,
            submissions: 0,
            submitted_at: None,
            sent_at: None,
            payer_reasons: Vec::new(),
            reason: None,
            deadline: None,
            standing: None,
            answers: Vec::new(),
        }
    }

    /// Brings what follows from the claim in line with it.
    pub fn refresh(&mut self, windows: Windows) {
        self.live = self.stands();
        // An answer that denies nothing may be appealed, too, but nobody waits for that.
        let deadline = self.claim.deadline(&windows).filter(|_| self.claim.status != Status::Paid);
        self.deadline = deadline.map(|deadline| Due {
            what: deadline.what,
            due: deadline.due,
            alert: deadline.due.saturating_sub(i64::from(windows.alert_days).days()),
        });
    }

    /// An original stands until another takes its place; a replacement once the payer has it; what takes back never.
    fn stands(&self) -> bool {
        match self.claim.frequency {
            Frequency::Original => !self.claim.status.is_final(),
            Frequency::Replacement => !self.claim.status.is_unfiled() && !self.claim.status.is_final(),
            Frequency::Void => false,
        }
    }

    /// Whether it can be written on.
    pub fn must_be_draft(&self) -> Result<(), Refusal> {
        let from = self.claim.status;
        // Whatever leads to a draft is what has to be done first.
        let why = |reason| Refusal::NotAllowed { from, action: Action::Revise, reason };
        if from == Status::Draft {
            Ok(())
        } else {
            Err(why(transition(Some(from), Action::Revise).err().unwrap_or(Reason::Written)))
        }
    }
}
