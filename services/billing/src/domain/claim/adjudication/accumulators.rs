//! What a member has used of deductible and out-of-pocket maximum.

use std::{collections::BTreeMap, ops::Add};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::{
    claim::{
        Claim, ClaimId,
        adjustment::{Adjustment, DEDUCTIBLE},
        remittance::ClaimPayment,
    },
    coverage::{CoverageId, PlanYear},
    money::{Amount, LARGEST},
};

/// What was used in a plan year.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Used {
    /// Of the deductible.
    pub deductible: Amount,
    /// Of the out-of-pocket maximum.
    pub out_of_pocket: Amount,
}

impl Add for Used {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (deductible, out_of_pocket) =
            (self.deductible + other.deductible, self.out_of_pocket + other.out_of_pocket);
        Self { deductible, out_of_pocket }
    }
}

/// What a claim adds, by the first day of the plan year; a claim may reach into two.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Delta(BTreeMap<Date, Used>);

impl Delta {
    /// What is added to the plan year that begins on a day.
    pub fn of(&self, year: Date) -> Used {
        self.0.get(&year).copied().unwrap_or_default()
    }

    /// The plan years that something is added to, by their first days.
    pub fn years(&self) -> impl Iterator<Item = (Date, Used)> + '_ {
        self.0.iter().map(|(year, used)| (*year, *used))
    }

    /// What a payer's answer adds: the patient's shares, of a line by its date of service, of the whole claim by its
    /// oldest.
    pub fn answered(claim: &Claim, payment: &ClaimPayment, plan_year: PlanYear) -> Self {
        let mut delta = Self::default();
        let mut add = |date: Date, adjustments: &[Adjustment]| {
            let shares = |of: &dyn Fn(&Adjustment) -> bool| -> Amount {
                adjustments.iter().filter(|part| part.shares_costs() && of(part)).map(|part| part.amount).sum()
            };
            let deductible = shares(&|part| part.reason == DEDUCTIBLE);
            delta.add(plan_year.of(date), Used { deductible, out_of_pocket: shares(&|_| true) });
        };
        for line in &payment.lines {
            let claimed = line.line.checked_sub(1).and_then(|at| claim.lines.get(at));
            if let Some(claimed) = claimed {
                add(claimed.date, &line.adjustments);
            }
        }
        if let Some(oldest) = claim.lines.iter().map(|line| line.date).min() {
            add(oldest, &payment.adjustments);
        }
        delta
    }

    pub(super) fn add(&mut self, year: Date, used: Used) {
        if used != Used::default() {
            let sum = self.of(year) + used;
            self.0.insert(year, sum);
        }
    }
}

/// What a member has used: what each claim has added, and what was used before the first of them. So a claim counts
/// once, and taking it back leaves what would be there without it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Accumulators {
    /// Whose: a coverage is one member of one plan.
    pub coverage_id: CoverageId,
    opening: Delta,
    claims: BTreeMap<ClaimId, Delta>,
}

/// The claim is not counted, or not with this.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the claim does not count so")]
pub struct NotCounted(pub ClaimId);

impl Accumulators {
    /// Those of a member who has used nothing, or this much by what the payer says, of the plan year that begins on a
    /// day. What cannot be used is taken as the nearest that can.
    pub fn opened(coverage_id: CoverageId, used: impl IntoIterator<Item = (Date, Used)>) -> Self {
        let mut opening = Delta::default();
        let possible = |amount: Amount| amount.clamp(Amount::ZERO, LARGEST);
        for (year, Used { deductible, out_of_pocket }) in used {
            opening.add(year, Used { deductible: possible(deductible), out_of_pocket: possible(out_of_pocket) });
        }
        Self { coverage_id, opening, claims: BTreeMap::new() }
    }

    /// Those of a member who has used nothing.
    pub fn empty(coverage_id: CoverageId) -> Self {
        Self::opened(coverage_id, [])
    }

    /// What is used of the plan year that begins on a day.
    pub fn used(&self, year: Date) -> Used {
        self.claims.values().fold(self.opening.of(year), |sum, delta| sum + delta.of(year))
    }

    /// What a claim has added, if it counts.
    pub fn counted(&self, claim: ClaimId) -> Option<&Delta> {
        self.claims.get(&claim)
    }

    /// Without a claim that has added this.
    pub fn reverse(&self, claim: ClaimId, delta: &Delta) -> Result<Self, NotCounted> {
        if self.counted(claim) != Some(delta) {
            return Err(NotCounted(claim));
        }
        let mut left = self.clone();
        left.claims.remove(&claim);
        Ok(left)
    }

    /// With a claim that is not there yet.
    pub fn count(mut self, claim: ClaimId, delta: Delta) -> Option<Self> {
        self.claims.insert(claim, delta).is_none().then_some(self)
    }
}
