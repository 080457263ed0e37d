//! Why what is paid is not what was billed; the segment CAS of X12 835.
//!
//! The codes are X12's (external code lists 139 and 411). Their descriptions are X12's property, so the words here are
//! our own, and only for the codes that this system gives or tells apart.

use serde::{Deserialize, Serialize};

use crate::domain::money::Amount;

/// Who bears an adjustment, element CAS01.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Group {
    /// The provider, by contract: never the patient.
    #[serde(rename = "CO")]
    Contractual,
    /// The patient.
    #[serde(rename = "PR")]
    Patient,
    /// Nobody of the two, such as what another payer has paid.
    #[serde(rename = "OA")]
    Other,
    /// The provider, by what the payer decided without a contract.
    #[serde(rename = "PI")]
    Payer,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 4] = [Self::Contractual, Self::Patient, Self::Other, Self::Payer];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Contractual => "CO",
            Self::Patient => "PR",
            Self::Other => "OA",
            Self::Payer => "PI",
        }
    }

    /// Reads a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.code() == code)
    }
}

/// CARC 1.
pub const DEDUCTIBLE: &str = "1";
/// CARC 2.
pub const COINSURANCE: &str = "2";
/// CARC 3.
pub const COPAY: &str = "3";
/// CARC 23, of group OA alone.
pub const PRIOR_PAYER: &str = "23";
/// CARC 45.
pub const ABOVE_CONTRACT: &str = "45";
/// CARC 96, which X12 wants a remark code with.
pub const NOT_COVERED: &str = "96";
/// CARC 204.
pub const NOT_IN_PLAN: &str = "204";
/// CARC 253.
pub const SEQUESTRATION: &str = "253";
/// RARC N130.
pub const SEE_PLAN: &str = "N130";

/// The reasons that this system knows, in words of its own.
const REASONS: [(&str, &str); 8] = [
    (DEDUCTIBLE, "goes to the deductible"),
    (COINSURANCE, "the member's percentage"),
    (COPAY, "the member's fixed amount"),
    (PRIOR_PAYER, "settled by the payer before"),
    (ABOVE_CONTRACT, "above the contract's price"),
    (NOT_COVERED, "a charge that is not covered"),
    (NOT_IN_PLAN, "a service that this plan leaves out"),
    (SEQUESTRATION, "cut by federal law"),
];

/// The remarks that this system knows, in words of its own.
const REMARKS: [(&str, &str); 1] = [(SEE_PLAN, "the plan's documents say why")];

/// The words for a reason or remark code; none for one that only payers use.
pub fn words(code: &str) -> Option<&'static str> {
    REASONS.iter().chain(&REMARKS).find(|(known, _)| *known == code).map(|(_, words)| *words)
}

/// A part of what was billed that this payer does not pay.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Adjustment {
    /// Who bears it.
    pub group: Group,
    /// Why, a Claim Adjustment Reason Code.
    pub reason: String,
    /// More about it, a Remittance Advice Remark Code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// How much less is paid for it; negative in a reversal.
    pub amount: Amount,
}

impl Adjustment {
    /// An adjustment for a reason.
    pub fn new(group: Group, reason: &str, amount: Amount) -> Self {
        let remark = (reason == NOT_COVERED).then(|| SEE_PLAN.to_owned());
        Self { group, reason: reason.to_owned(), remark, amount }
    }

    /// Whether it is the member's part of something that is covered.
    pub fn shares_costs(&self) -> bool {
        self.group == Group::Patient && [DEDUCTIBLE, COINSURANCE, COPAY].contains(&self.reason.as_str())
    }

    /// Whether it says that something is not paid for which a payer could have paid, which somebody may appeal.
    pub fn denies(&self) -> bool {
        let ordinary = [PRIOR_PAYER, ABOVE_CONTRACT, SEQUESTRATION].contains(&self.reason.as_str());
        !ordinary && !self.shares_costs() && !self.amount.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_priced_is_not_denied() {
        let denies = |group, reason, amount| Adjustment::new(group, reason, Amount(amount)).denies();
        assert!(!denies(Group::Patient, DEDUCTIBLE, 5) && !denies(Group::Contractual, ABOVE_CONTRACT, 5));
        assert!(!denies(Group::Other, PRIOR_PAYER, 5) && !denies(Group::Contractual, SEQUESTRATION, 5));
        assert!(denies(Group::Contractual, NOT_COVERED, 5) && denies(Group::Patient, NOT_IN_PLAN, 5));
        // A reason that only payers use, and a deductible that is not the patient's.
        assert!(denies(Group::Contractual, "29", 5) && denies(Group::Contractual, DEDUCTIBLE, 5));
        assert!(!denies(Group::Contractual, NOT_COVERED, 0));
    }

    #[test]
    fn every_code_that_is_given_has_words() {
        for code in REASONS.iter().chain(&REMARKS).map(|(code, _)| code) {
            assert!(words(code).is_some_and(|words| !words.is_empty()), "{code}");
        }
        assert_eq!(words("29"), None);
        for group in Group::ALL {
            assert_eq!(Group::parse(group.code()), Some(group));
            assert_eq!(serde_json::to_value(group).unwrap(), group.code());
        }
        assert_eq!(Group::parse("CR"), None);
    }
}
