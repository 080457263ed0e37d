//! Payers and coverages as the contract tells them.

use contracts::billing::v1;
use jiff::{Timestamp, civil::Date};

use super::{journal::Versioned, messages::time};
use crate::domain::{
    claim::{Filing, adjudication::Used},
    coverage::{Copay, Coverage, SecondaryRule, Status, Terms, eligibility::Eligibility},
    money::Amount,
    payer::Payer,
};

fn version(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

/// A payer.
pub fn payer(found: &Versioned<Payer>) -> v1::Payer {
    let payer = &found.item;
    v1::Payer {
        payer_id: payer.id.to_string(),
        version: version(found.version),
        name: payer.name.clone(),
        electronic_id: payer.electronic_id.clone(),
        filing: filing(payer.filing).into(),
        filing_days: payer.windows.filing_days.into(),
        appeal_days: payer.windows.appeal_days.into(),
        alert_days: payer.windows.alert_days.into(),
    }
}

/// A kind of payer.
pub fn filing(filing: Filing) -> v1::ClaimFiling {
    match filing {
        Filing::Commercial => v1::ClaimFiling::Commercial,
        Filing::BlueCross => v1::ClaimFiling::BlueCross,
        Filing::Hmo => v1::ClaimFiling::Hmo,
        Filing::Ppo => v1::ClaimFiling::Ppo,
        Filing::MedicareB => v1::ClaimFiling::MedicareB,
        Filing::Medicaid => v1::ClaimFiling::Medicaid,
        Filing::Tricare => v1::ClaimFiling::Tricare,
        Filing::WorkersCompensation => v1::ClaimFiling::WorkersCompensation,
        Filing::Other => v1::ClaimFiling::Other,
    }
}

/// A coverage.
pub fn coverage(found: &Versioned<Coverage>) -> v1::Coverage {
    let coverage = &found.item;
    v1::Coverage {
        coverage_id: coverage.id.to_string(),
        version: version(found.version),
        status: status(coverage.status).into(),
        patient_id: coverage.patient_id.to_string(),
        payer_id: coverage.payer_id.to_string(),
        plan_id: coverage.plan_id.as_ref().map(|plan| plan.0.clone()),
        plan: coverage.plan.clone(),
        member_id: coverage.member_id.clone(),
        group: coverage.group.clone(),
        relationship: coverage.relationship.code().to_owned(),
        start: coverage.period.start.to_string(),
        end: coverage.period.end.map(|end| end.to_string()),
        order: coverage.order.get().into(),
        terms: Some(terms(&coverage.terms)),
    }
}

fn status(status: Status) -> v1::CoverageStatus {
    match status {
        Status::Active => v1::CoverageStatus::Active,
        Status::Cancelled => v1::CoverageStatus::Cancelled,
        Status::EnteredInError => v1::CoverageStatus::EnteredInError,
    }
}

fn terms(terms: &Terms) -> v1::CoverageTerms {
    let (copay_per_visit, copays) = match &terms.copay {
        Copay::Free => (None, Vec::new()),
        Copay::PerVisit(amount) => (Some(amount.0), Vec::new()),
        Copay::PerService(copays) => (
            None,
            copays
                .iter()
                .map(|(procedure, amount)| v1::ServiceCopay { procedure: procedure.clone(), amount: amount.0 })
                .collect(),
        ),
    };
    let (month, day) = terms.plan_year.into();
    v1::CoverageTerms {
        currency_code: terms.currency.code().to_owned(),
        copay_per_visit,
        copays,
        copay_skips_deductible: terms.copay_skips_deductible,
        deductible: terms.deductible.0,
        coinsurance_millionths: terms.coinsurance.millionths().into(),
        out_of_pocket_maximum: terms.out_of_pocket_maximum.map(|maximum| maximum.0),
        plan_year_start: Some(format!("{month:02}-{day:02}")),
        secondary_rule: secondary_rule(terms.secondary_rule).into(),
    }
}

fn secondary_rule(rule: SecondaryRule) -> v1::SecondaryRule {
    match rule {
        SecondaryRule::Standard => v1::SecondaryRule::Standard,
        SecondaryRule::NonDuplication => v1::SecondaryRule::NonDuplication,
        SecondaryRule::MaintenanceOfBenefits => v1::SecondaryRule::MaintenanceOfBenefits,
    }
}

/// What a payer has said, so long before now.
pub fn eligibility(said: &Eligibility, now: Timestamp) -> v1::Eligibility {
    v1::Eligibility {
        coverage_id: said.coverage_id.to_string(),
        date: said.date.to_string(),
        active: said.active,
        note: said.note.clone(),
        checked_time: Some(time(said.checked_at)),
        age_seconds: said.age(now),
    }
}

/// What was used in the plan year that begins on a day, and what is left of it by the coverage's terms.
pub fn accumulators(coverage: &Coverage, year: Date, used: Used) -> v1::Accumulators {
    let terms = &coverage.terms;
    // A payer may have counted more than the terms know of.
    let left = |whole: Amount, used: Amount| (whole - used).max(Amount::ZERO).0;
    v1::Accumulators {
        coverage_id: coverage.id.to_string(),
        plan_year_start: year.to_string(),
        currency_code: terms.currency.code().to_owned(),
        deductible_used: used.deductible.0,
        deductible_left: left(terms.deductible, used.deductible),
        out_of_pocket_used: used.out_of_pocket.0,
        out_of_pocket_left: terms.out_of_pocket_maximum.map(|maximum| left(maximum, used.out_of_pocket)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::coverage::tests::{coverage, free_terms};

    #[test]
    fn what_is_left_is_never_below_nothing() {
        let terms = Terms { deductible: Amount(500), out_of_pocket_maximum: Some(Amount(2_000)), ..free_terms() };
        let insured = Coverage { terms, ..coverage(1, 1, date(2026, 1, 1), None) };
        let used = Used { deductible: Amount(600), out_of_pocket: Amount(1_500) };
        let told = accumulators(&insured, date(2026, 1, 1), used);
        assert_eq!((told.deductible_used, told.deductible_left), (600, 0));
        assert_eq!((told.out_of_pocket_used, told.out_of_pocket_left), (1_500, Some(500)));
        let unlimited = accumulators(&coverage(1, 1, date(2026, 1, 1), None), date(2026, 1, 1), Used::default());
        assert_eq!((unlimited.deductible_left, unlimited.out_of_pocket_left), (0, None));
    }
}
