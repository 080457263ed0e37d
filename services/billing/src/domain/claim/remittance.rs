//! Remittances: what a payer answers, in the structure of X12 835, and whether it can be booked.

mod check;
#[cfg(test)]
mod tests;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::check::{Code, Known, check_claim, in_order, whole};
use super::{ClaimId, adjustment::Adjustment, transitions::Action};
use crate::domain::{
    coverage::PayerId,
    money::{Amount, Currency},
};

/// What the payer says that it did with a claim, CLP02.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimStatusCode {
    /// Processed as the first payer.
    Primary,
    /// As the second.
    Secondary,
    /// As the third.
    Tertiary,
    /// Denied; of what is denied in whole, payers also say that it is processed.
    Denied,
    /// As the first, and passed on.
    PrimaryForwarded,
    /// As the second, and passed on.
    SecondaryForwarded,
    /// As the third, and passed on.
    TertiaryForwarded,
    /// Takes back what was paid before.
    Reversal,
}

impl ClaimStatusCode {
    /// Every one that is booked. Of another payer's claim (23) and of a price that is only asked for (25) nothing is.
    pub const ALL: [Self; 8] = [
        Self::Primary,
        Self::Secondary,
        Self::Tertiary,
        Self::Denied,
        Self::PrimaryForwarded,
        Self::SecondaryForwarded,
        Self::TertiaryForwarded,
        Self::Reversal,
    ];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Primary => "1",
            Self::Secondary => "2",
            Self::Tertiary => "3",
            Self::Denied => "4",
            Self::PrimaryForwarded => "19",
            Self::SecondaryForwarded => "20",
            Self::TertiaryForwarded => "21",
            Self::Reversal => "22",
        }
    }

    /// Reads a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }
}

/// What a payer answers for a line, loop 2110.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LinePayment {
    /// The number of the line, which the payer gives back (REF*6R). A payer may answer a line in parts.
    pub line: usize,
    /// What was asked for.
    pub billed: Amount,
    /// What is paid.
    pub paid: Amount,
    /// Where the rest went.
    pub adjustments: Vec<Adjustment>,
}

/// What a payer answers for a claim, loop 2100.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimPayment {
    /// Which claim.
    pub claim_id: ClaimId,
    /// The payer's own number of it (CLP07).
    pub control_number: String,
    /// What it says that it did.
    pub status: ClaimStatusCode,
    /// What was asked for.
    pub billed: Amount,
    /// What is paid.
    pub paid: Amount,
    /// What is adjusted of the claim as a whole, beside its lines.
    pub adjustments: Vec<Adjustment>,
    /// What it answers for the lines; nothing when it answers for the whole.
    pub lines: Vec<LinePayment>,
}

impl ClaimPayment {
    /// Every adjustment, of the claim and its lines.
    pub fn all_adjustments(&self) -> impl Iterator<Item = &Adjustment> {
        self.adjustments.iter().chain(self.lines.iter().flat_map(|line| &line.adjustments))
    }

    /// What it comes to: nothing denied, some of it, or all of it. What is all deductible is not denied.
    ///
    /// All of it is denied when nothing is paid, the patient shares nothing, and something is denied.
    pub fn action(&self) -> Action {
        if self.status == ClaimStatusCode::Reversal {
            return Action::Reverse;
        }
        let denies = self.all_adjustments().any(Adjustment::denies);
        let covers = self.all_adjustments().any(|part| part.shares_costs() && part.amount.is_positive());
        match (denies, self.paid.is_zero() && !covers) {
            (false, _) => Action::Pay,
            (true, false) => Action::PayPartially,
            (true, true) => Action::Deny,
        }
    }
}

/// What a payment is changed by apart from claims, segment PLB: interest, or money that is taken back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ProviderAdjustment {
    /// Why, PLB03-1: `WO` takes back what was paid too much, `FB` carries a balance forward, `L6` is interest.
    pub reason: String,
    /// What it is for, PLB03-2; the payer's number of a claim, if it is for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// By how much less is paid, as X12 counts it: interest is negative, what is taken back positive.
    pub amount: Amount,
}

/// One payment with what it is for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remittance {
    /// Who pays.
    pub payer_id: PayerId,
    /// The payer's number of the payment (TRN02), by which one that comes twice is known.
    pub trace: String,
    /// The day of the payment.
    pub paid_on: Date,
    /// What the amounts are in.
    pub currency: Currency,
    /// What is paid in all (BPR02).
    pub payment: Amount,
    /// What for.
    pub claims: Vec<ClaimPayment>,
    /// What else.
    pub provider_adjustments: Vec<ProviderAdjustment>,
}
