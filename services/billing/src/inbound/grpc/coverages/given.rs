//! A coverage as it is sent.

use std::{collections::BTreeMap, num::NonZeroU8};

use contracts::billing::v1::{self as wire, CoverageStatus};
use problem::{Problem, input::Findings};

use crate::{
    domain::{
        coverage::{Copay, Coverage, CoverageId, Period, PlanId, PlanYear, Relationship, SecondaryRule, Status, Terms},
        ids::{PatientId, PayerId},
        money::{Amount, LARGEST, Rate},
    },
    inbound::grpc::read,
};

const LONGEST_PLAN: usize = 100;
/// X12 gives its ids as much.
const LONGEST_ID: usize = 80;
const LAST_ORDER: u8 = 9;
const MOST_COPAYS: usize = 200;
const LONGEST_PROCEDURE: usize = 40;

/// The coverage, unless something in it is wrong.
pub(super) fn coverage(id: CoverageId, given: &wire::Coverage) -> Result<Coverage, Problem> {
    let mut findings = Findings::default();
    let found = &mut findings;
    for (name, is_given) in [("coverage_id", !given.coverage_id.is_empty()), ("version", given.version != 0)] {
        if is_given {
            found.add(format!("coverage.{name}"), "is not given by who writes it down");
        }
    }
    let status = match given.status() {
        CoverageStatus::Unspecified | CoverageStatus::Active => Status::Active,
        CoverageStatus::Cancelled => Status::Cancelled,
        CoverageStatus::EnteredInError => Status::EnteredInError,
    };
    let patient = read::required_id(&given.patient_id, "coverage.patient_id", found).map(PatientId);
    let payer = read::required_id(&given.payer_id, "coverage.payer_id", found).map(PayerId);
    let plan_id = read::optional_text(given.plan_id.as_deref(), LONGEST_ID, "coverage.plan_id", found);
    let plan = read::text(&given.plan, LONGEST_PLAN, "coverage.plan", found);
    let member_id = read::optional_text(given.member_id.as_deref(), LONGEST_ID, "coverage.member_id", found);
    let group = read::optional_text(given.group.as_deref(), LONGEST_ID, "coverage.group", found);
    let relationship = relationship(&given.relationship, found);
    let period = period(given, found);
    let order = order(given.order, found);
    if given.terms.is_none() {
        found.add("coverage.terms", "is required");
    }
    let terms = given.terms.as_ref().and_then(|terms| read_terms(terms, found));
    let whole = (|| {
        Some(Coverage {
            id,
            status,
            patient_id: patient?,
            payer_id: payer?,
            plan_id: plan_id.map(PlanId),
            plan: plan?,
            member_id,
            group,
            relationship: relationship?,
            period: period?,
            order: order?,
            terms: terms?,
        })
    })();
    findings.into_result(whole)
}

fn relationship(given: &str, findings: &mut Findings) -> Option<Relationship> {
    match Relationship::parse(given) {
        Ok(relationship) => Some(relationship),
        Err(detail) => {
            findings.add("coverage.relationship", if given.is_empty() { "is required" } else { detail });
            None
        }
    }
}

fn period(given: &wire::Coverage, findings: &mut Findings) -> Option<Period> {
    let start = read::date(&given.start, "coverage.start", findings);
    let end = read::optional_date(given.end.as_deref(), "coverage.end", findings);
    let start = start?;
    if end.is_some_and(|end| end < start) {
        findings.add("coverage.end", "must not be before start");
        return None;
    }
    Some(Period { start, end })
}

fn order(given: i32, findings: &mut Findings) -> Option<NonZeroU8> {
    let read = u8::try_from(given).ok().filter(|order| *order <= LAST_ORDER).and_then(NonZeroU8::new);
    if read.is_none() {
        findings.add("coverage.order", format!("must be from 1 to {LAST_ORDER}"));
    }
    read
}

fn read_terms(given: &wire::CoverageTerms, findings: &mut Findings) -> Option<Terms> {
    let place = |name: &str| format!("coverage.terms.{name}");
    let currency = read::currency(&given.currency_code, &place("currency_code"), findings);
    let copay = copay(given, findings);
    let deductible = amount(given.deductible, place("deductible"), findings);
    let coinsurance = u32::try_from(given.coinsurance_millionths).ok().and_then(Rate::from_millionths);
    if coinsurance.is_none() {
        findings.add(place("coinsurance_millionths"), "must be from 0 to 1000000");
    }
    let maximum = given.out_of_pocket_maximum.map(|most| amount(most, place("out_of_pocket_maximum"), findings));
    let plan_year = match given.plan_year_start.as_deref() {
        None => Some(PlanYear::CALENDAR),
        Some(text) => plan_year(text),
    };
    if plan_year.is_none() {
        findings.add(place("plan_year_start"), "must be a month and a day that every year has, such as 01-01");
    }
    let secondary_rule = match given.secondary_rule() {
        wire::SecondaryRule::Unspecified | wire::SecondaryRule::Standard => SecondaryRule::Standard,
        wire::SecondaryRule::NonDuplication => SecondaryRule::NonDuplication,
        wire::SecondaryRule::MaintenanceOfBenefits => SecondaryRule::MaintenanceOfBenefits,
    };
    Some(Terms {
        currency: currency?,
        copay: copay?,
        copay_skips_deductible: given.copay_skips_deductible,
        deductible: deductible?,
        coinsurance: coinsurance?,
        out_of_pocket_maximum: match maximum {
            Some(maximum) => Some(maximum?),
            None => None,
        },
        plan_year: plan_year?,
        secondary_rule,
    })
}

fn copay(given: &wire::CoverageTerms, findings: &mut Findings) -> Option<Copay> {
    let pointer = "coverage.terms.copays";
    if given.copays.len() > MOST_COPAYS {
        findings.add(pointer, format!("must have at most {MOST_COPAYS} items"));
        return None;
    }
    let mut copays = BTreeMap::new();
    let mut is_good = true;
    for (at, one) in given.copays.iter().enumerate() {
        let place = |name: &str| format!("{pointer}[{at}].{name}");
        let procedure = read::text(&one.procedure, LONGEST_PROCEDURE, &place("procedure"), findings);
        let amount = amount(one.amount, place("amount"), findings);
        let Some((procedure, amount)) = procedure.zip(amount) else {
            is_good = false;
            continue;
        };
        if copays.insert(procedure, amount).is_some() {
            findings.add(place("procedure"), "is there twice");
            is_good = false;
        }
    }
    let per_visit = match given.copay_per_visit {
        Some(per_visit) => Some(amount(per_visit, "coverage.terms.copay_per_visit".to_owned(), findings)?),
        None => None,
    };
    match per_visit {
        Some(_) if !given.copays.is_empty() => {
            findings.add(pointer, "must not be there beside copayPerVisit");
            None
        }
        _ if !is_good => None,
        Some(per_visit) => Some(Copay::PerVisit(per_visit)),
        None if copays.is_empty() => Some(Copay::Free),
        None => Some(Copay::PerService(copays)),
    }
}

/// An amount that may be nothing.
fn amount(given: i64, pointer: String, findings: &mut Findings) -> Option<Amount> {
    let read = Some(Amount(given)).filter(|amount| (Amount::ZERO..=LARGEST).contains(amount));
    if read.is_none() {
        findings.add(pointer, format!("must be from 0 to {} minor units", LARGEST.0));
    }
    read
}

/// `01-01`.
fn plan_year(text: &str) -> Option<PlanYear> {
    let (month, day) = text.split_once('-')?;
    let number = |digits: &str| {
        let is_number = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok()).flatten()
    };
    PlanYear::starting(number(month)?, number(day)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_year_is_two_digits_each() {
        assert_eq!(plan_year("07-01"), PlanYear::starting(7, 1));
        for bad in ["", "7-1", "07-1", "02-29", "13-01", "+7-01", "07-01-01", "0701"] {
            assert_eq!(plan_year(bad), None, "{bad}");
        }
    }
}
