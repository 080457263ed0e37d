//! Why an act is refused.

use crate::domain::{
    claim::{self, Finding, remittance},
    ids::ClaimId,
    invoice,
    money::Amount,
    payment,
};

/// Why an act is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The patient has no account, so nobody is known by that id.
    #[error("the patient has no billing account")]
    NoAccount,
    /// The patient has no such invoice.
    #[error("the patient has no such invoice")]
    NoInvoice {
        /// The index of the allocation that names it.
        at: usize,
    },
    /// The patient has no such payment.
    #[error("the patient has no such payment")]
    NoPayment,
    /// For a reason of an invoice.
    #[error(transparent)]
    Invoice(#[from] invoice::Refusal),
    /// For a reason of the invoice that an allocation names.
    #[error("{source}")]
    Allocation {
        /// The index of the allocation.
        at: usize,
        /// The reason.
        source: invoice::Refusal,
    },
    /// For a reason of a payment.
    #[error(transparent)]
    Payment(#[from] payment::Refusal),
    /// The patient has no such claim.
    #[error("the patient has no such claim")]
    NoClaim,
    /// The patient has no such coverage.
    #[error("the patient has no such coverage")]
    NoCoverage,
    /// The content of a claim names lines that its invoice has not, at these places.
    #[error("the invoice has no such line")]
    NoLines(Vec<usize>),
    /// For a reason of a claim.
    #[error(transparent)]
    Claim(#[from] claim::Refusal),
    /// Another claim asks the same payer for the same invoice.
    #[error("another claim asks this payer for this invoice")]
    ClaimExists(ClaimId),
    /// The claim that is named is not one that can be corrected or taken back by this one.
    #[error("the claim before is of another invoice or coverage, or its payer has not taken it")]
    NotPrior,
    /// What a remittance says of a claim cannot be booked.
    #[error("what the remittance says of the claim cannot be booked")]
    Unbookable(Vec<Finding<remittance::Code>>),
    /// What the payer answered to the claim before was not taken back.
    #[error("what the payer answered to the claim before is not taken back")]
    PriorStands(ClaimId),
    /// An answer has a part below nothing.
    #[error("the adjustments of a kind come to less than nothing")]
    NegativePart {
        /// Where the answer stands in its remittance.
        at: usize,
    },
    /// The answer comes to more than is left of the invoice.
    #[error("the answer comes to more than is left of the invoice")]
    AboveInvoice {
        /// What is open for the patient, and what they have paid.
        left: Amount,
    },
    /// What the member has used does not count the claim so.
    #[error("what the member has used does not count the claim so")]
    NotCounted(ClaimId),
}
