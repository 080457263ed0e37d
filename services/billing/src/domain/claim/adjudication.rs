//! Adjudication: what a plan pays of a claim, what the patient owes and what nobody does; in the terms of X12 835.
//!
//! It computes what a payer should answer. What the payer did answer is a [remittance](super::remittance).

mod accumulators;
mod secondary;
mod sharing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use self::sharing::{Room, Shares};
pub use self::{
    accumulators::{Accumulators, Delta, NotCounted, Used},
    secondary::Earlier,
};
use super::{
    Claim, ClaimId, Line,
    adjustment::{
        ABOVE_CONTRACT, Adjustment, COINSURANCE, COPAY, DEDUCTIBLE, Group, NOT_COVERED, NOT_IN_PLAN, PRIOR_PAYER,
    },
};
use crate::domain::{
    coverage::{Copay, Coverage, SecondaryRule, Terms},
    money::{Amount, LARGEST},
};

/// Whether the plan covers a service.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Benefit {
    /// It does.
    Covered,
    /// It does not.
    NotCovered {
        /// Why.
        why: NotCovered,
        /// Whether the patient signed beforehand that they pay for it themselves. Nobody else can be asked to.
        notice: bool,
    },
}

/// Why a service is not covered.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotCovered {
    /// The charge is not one that is covered (CARC 96).
    Charge,
    /// This plan leaves the service out (CARC 204).
    Plan,
}

/// What is known about a line beside the claim.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// What provider and payer have agreed on for all its units; none without a contract, when all that is billed is
    /// allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<Amount>,
    /// Whether the plan covers it.
    pub benefit: Benefit,
    /// What the payers before have done about it, when this one is not the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Earlier>,
}

/// What became of a line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The number of the line, from 1 on.
    pub line: usize,
    /// What was asked for.
    pub billed: Amount,
    /// What the plan reckons it worth.
    pub allowed: Amount,
    /// PR-3.
    pub copay: Amount,
    /// PR-1.
    pub deductible: Amount,
    /// PR-2.
    pub coinsurance: Amount,
    /// What the patient owes although the plan does not cover it (PR-96, PR-204).
    pub not_covered: Amount,
    /// What the plan pays.
    pub paid: Amount,
    /// Where the rest of what was asked for went.
    pub adjustments: Vec<Adjustment>,
}

impl Outcome {
    /// The patient's part of what the plan covers.
    pub fn shared(&self) -> Amount {
        self.copay + self.deductible + self.coinsurance
    }

    /// All that the patient owes.
    pub fn patient(&self) -> Amount {
        self.shared() + self.not_covered
    }
}

/// What became of a claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Adjudication {
    /// One for each line, in the order of the claim.
    pub lines: Vec<Outcome>,
    /// What it added to what the member has used.
    pub delta: Delta,
    /// What the member has used with it.
    pub accumulators: Accumulators,
}

/// Why a claim cannot be adjudicated.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The claim is by another coverage.
    #[error("the claim is by another coverage")]
    OtherCoverage,
    /// What was used was used by another coverage.
    #[error("the accumulators are of another coverage")]
    OtherAccumulators,
    /// The plan counts in another currency.
    #[error("the plan has another currency")]
    OtherCurrency,
    /// There is not one decision for each line.
    #[error("every line needs a decision")]
    Undecided,
    /// The plan's terms have faults.
    #[error("the terms of the plan have faults")]
    Terms,
    /// An amount of this line is negative, larger than anybody may enter or more than was billed.
    #[error("an amount of line {0} cannot be")]
    Amount(usize),
    /// It is counted already; who wants to count it anew takes it back first.
    #[error("the claim is counted already")]
    Counted(ClaimId),
}

/// What a plan pays of a claim: line by line, by the date of service and then as they stand, since what one line uses
/// up is gone for the next.
pub fn adjudicate(
    claim: &Claim,
    coverage: &Coverage,
    decisions: &[Decision],
    accumulators: &Accumulators,
) -> Result<Adjudication, Refusal> {
    check(claim, coverage, decisions, accumulators)?;
    let terms = &coverage.terms;
    let mut delta = Delta::default();
    let mut visits: BTreeMap<Date, Amount> = BTreeMap::new();
    let mut order: Vec<_> = claim.lines.iter().zip(decisions).enumerate().collect();
    order.sort_by_key(|(at, (line, _))| (line.date, *at));
    let mut lines = Vec::with_capacity(order.len());
    for (at, (line, decision)) in order {
        let year = terms.plan_year.of(line.date);
        let used = accumulators.used(year) + delta.of(year);
        let visit = visits.entry(line.date).or_default();
        let room = room(terms, line, used, *visit);
        let (outcome, used) = settle(at + 1, line, decision, terms, &room);
        *visit += used.copay;
        delta.add(year, used.counted);
        lines.push(outcome);
    }
    lines.sort_by_key(|outcome| outcome.line);
    let counted = accumulators.clone().count(claim.id, delta.clone());
    let accumulators = counted.ok_or(Refusal::Counted(claim.id))?;
    Ok(Adjudication { lines, delta, accumulators })
}

fn check(
    claim: &Claim,
    coverage: &Coverage,
    decisions: &[Decision],
    accumulators: &Accumulators,
) -> Result<(), Refusal> {
    if claim.coverage_id != coverage.id {
        return Err(Refusal::OtherCoverage);
    }
    if accumulators.coverage_id != coverage.id {
        return Err(Refusal::OtherAccumulators);
    }
    if claim.currency != coverage.terms.currency {
        return Err(Refusal::OtherCurrency);
    }
    if claim.lines.len() != decisions.len() {
        return Err(Refusal::Undecided);
    }
    if !coverage.terms.faults().is_empty() {
        return Err(Refusal::Terms);
    }
    let enterable = |amount: Amount| (Amount::ZERO..=LARGEST).contains(&amount);
    for (at, (line, decision)) in claim.lines.iter().zip(decisions).enumerate() {
        let contract = decision.contract.is_none_or(enterable);
        let earlier = decision.earlier.is_none_or(|earlier| earlier.is_possible(line.charge));
        if !enterable(line.charge) || !contract || !earlier {
            return Err(Refusal::Amount(at + 1));
        }
    }
    Ok(())
}

/// What a line may still take, when so much was used in the year and so much copay on the day.
fn room(terms: &Terms, line: &Line, used: Used, visit: Amount) -> Room {
    let left = |most: Amount, used: Amount| (most - used).max(Amount::ZERO);
    let copay = match &terms.copay {
        Copay::Free => None,
        Copay::PerVisit(copay) => Some(left(*copay, visit)),
        Copay::PerService(copays) => copays.get(&line.procedure).copied(),
    };
    let skips = terms.copay_skips_deductible && copay.is_some();
    Room {
        copay: copay.unwrap_or_default(),
        deductible: if skips { Amount::ZERO } else { left(terms.deductible, used.deductible) },
        out_of_pocket: terms.out_of_pocket_maximum.map(|most| left(most, used.out_of_pocket)),
    }
}

/// What a line uses up: copay of the visit, and what the year counts.
struct Taken {
    copay: Amount,
    counted: Used,
}

fn settle(number: usize, line: &Line, decision: &Decision, terms: &Terms, room: &Room) -> (Outcome, Taken) {
    let billed = line.charge;
    // What the payers before have left: all of it, if there were none.
    let open = decision.earlier.map_or(billed, |earlier| earlier.patient);
    let mut adjustments = vec![Adjustment::new(Group::Other, PRIOR_PAYER, billed - open)];
    let (allowed, shares, not_covered, paid, taken) = match decision.benefit {
        Benefit::NotCovered { why, notice } => {
            let reason = match why {
                NotCovered::Charge => NOT_COVERED,
                NotCovered::Plan => NOT_IN_PLAN,
            };
            // What a payer before has left to the patient stays theirs, whatever this plan thinks of it.
            let owed = if notice || decision.earlier.is_some() { open } else { Amount::ZERO };
            adjustments.push(Adjustment::new(Group::Patient, reason, owed));
            adjustments.push(Adjustment::new(Group::Contractual, NOT_COVERED, open - owed));
            let nothing = Taken { copay: Amount::ZERO, counted: Used::default() };
            (Amount::ZERO, Shares::default(), owed, Amount::ZERO, nothing)
        }
        Benefit::Covered => {
            let allowed = decision.contract.map_or(billed, |contract| contract.min(billed));
            let considered = match (decision.earlier, terms.secondary_rule) {
                (Some(earlier), SecondaryRule::MaintenanceOfBenefits) => (allowed - earlier.paid).max(Amount::ZERO),
                _ => allowed,
            };
            let normal = Shares::of(considered, terms.coinsurance, room);
            let benefit = considered - normal.total();
            let (paid, shares) = match decision.earlier {
                None => (benefit, normal),
                Some(earlier) => {
                    let paid = earlier.pays(terms.secondary_rule, allowed, benefit);
                    // What is left is the patient's as far as this plan alone would leave it to them.
                    (paid, normal.up_to(earlier.patient - paid))
                }
            };
            adjustments.push(Adjustment::new(Group::Contractual, ABOVE_CONTRACT, open - paid - shares.total()));
            // The deductible is credited as if there were no other plan (NAIC Model 120); the maximum counts what the
            // patient does pay.
            let counted = Used { deductible: normal.deductible, out_of_pocket: shares.total() };
            (allowed, shares, Amount::ZERO, paid, Taken { copay: normal.copay, counted })
        }
    };
    adjustments.push(Adjustment::new(Group::Patient, COPAY, shares.copay));
    adjustments.push(Adjustment::new(Group::Patient, DEDUCTIBLE, shares.deductible));
    adjustments.push(Adjustment::new(Group::Patient, COINSURANCE, shares.coinsurance));
    adjustments.retain(|adjustment| !adjustment.amount.is_zero());
    let Shares { copay, deductible, coinsurance } = shares;
    let outcome =
        Outcome { line: number, billed, allowed, copay, deductible, coinsurance, not_covered, paid, adjustments };
    (outcome, taken)
}
