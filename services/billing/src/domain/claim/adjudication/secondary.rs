//! What a plan pays after others.

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::domain::{
    claim::{
        adjustment::{Adjustment, Group},
        remittance::LinePayment,
    },
    coverage::SecondaryRule,
    money::Amount,
};

/// What all the payers before have done about a line.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Earlier {
    /// The most that any of them reckons it worth.
    pub allowed: Amount,
    /// What they have paid.
    pub paid: Amount,
    /// What they have left to the patient. The rest was written off.
    pub patient: Amount,
}

impl Earlier {
    /// After a line was adjudicated, and what had been done before that.
    pub fn adjudicated(line: &Outcome, before: Option<&Self>) -> Self {
        Self::after(line.allowed, line.paid, line.patient(), before)
    }

    /// After a payer's answer for a line, and what had been done before that. What the payer reckons it worth is what
    /// it pays and what the patient shares.
    pub fn answered(line: &LinePayment, before: Option<&Self>) -> Self {
        let sum = |of: &dyn Fn(&&Adjustment) -> bool| line.adjustments.iter().filter(of).map(|part| part.amount).sum();
        let shared: Amount = sum(&|part| part.shares_costs());
        Self::after(line.paid + shared, line.paid, sum(&|part| part.group == Group::Patient), before)
    }

    fn after(allowed: Amount, paid: Amount, patient: Amount, before: Option<&Self>) -> Self {
        before.map_or(Self { allowed, paid, patient }, |before| Self {
            allowed: before.allowed.max(allowed),
            paid: before.paid + paid,
            patient,
        })
    }

    /// Whether it can be of a line of which so much was billed.
    pub(super) fn is_possible(&self, billed: Amount) -> bool {
        let parts = [self.allowed, self.paid, self.patient];
        let each = parts.into_iter().all(|part| (Amount::ZERO..=billed).contains(&part));
        each && self.paid + self.patient <= billed
    }

    /// What a plan pays after that, when its benefit would be so much: never more than is left to the patient, nor more
    /// in all than the plan that reckons it worth most does.
    pub(super) fn pays(&self, rule: SecondaryRule, allowed: Amount, benefit: Amount) -> Amount {
        let benefit = match rule {
            SecondaryRule::Standard | SecondaryRule::MaintenanceOfBenefits => benefit,
            SecondaryRule::NonDuplication => (benefit - self.paid).max(Amount::ZERO),
        };
        let worth = (self.allowed.max(allowed) - self.paid).max(Amount::ZERO);
        benefit.min(self.patient).min(worth)
    }
}
