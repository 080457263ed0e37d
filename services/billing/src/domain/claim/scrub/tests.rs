use jiff::{ToSpan as _, civil::date};

use super::*;
use crate::domain::{
    claim::{
        ClaimId, Prior,
        tests::{WINDOWS, claim, line},
    },
    coverage::tests::coverage,
    money::{Amount, Currency},
};

fn day() -> Date {
    date(2026, 3, 10)
}

fn clean() -> Claim {
    claim(1, vec![line("99213", day(), 15_000)])
}

fn insured() -> Coverage {
    coverage(1, 1, date(2026, 1, 1), Some(date(2026, 12, 31)))
}

/// Code and pointer of everything that is found, sorted.
fn found_with(claim: &Claim, coverage: &Coverage, today: Date, others: &[Claim]) -> Vec<(Code, String)> {
    let facts = Facts { today, coverage: Some(coverage), windows: &WINDOWS, others };
    let mut found: Vec<_> = scrub(claim, &facts).into_iter().map(|finding| (finding.code, finding.pointer)).collect();
    found.sort();
    found
}

fn found(change: impl FnOnce(&mut Claim)) -> Vec<(Code, String)> {
    let mut claim = clean();
    change(&mut claim);
    found_with(&claim, &insured(), day(), &[])
}

fn one(code: Code, pointer: &str) -> Vec<(Code, String)> {
    vec![(code, pointer.to_owned())]
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(found(|_| {}), []);
    let full = found(|claim| {
        claim.diagnoses = (0..12).map(|number| format!("E11.{number}")).collect();
        claim.lines = (0..50).map(|number| line("99213", day() - i64::from(number).days(), 1)).collect();
        claim.lines[0].pointers = vec![12, 1, 2, 3];
        claim.lines[0].modifiers = ["25", "LT", "GA", "59"].map(str::to_owned).into();
    });
    assert_eq!(full, []);
}

#[test]
fn each_rule_finds_its_fault_and_no_other() {
    assert_eq!(found(|claim| claim.billing_provider = None), one(Code::NpiMissing, "/billingProvider"));
    let wrong = Some(Npi("1234567890".to_owned()));
    assert_eq!(found(|claim| claim.rendering_provider = wrong), one(Code::NpiInvalid, "/renderingProvider"));
    let many = found(|claim| claim.diagnoses = (0..13).map(|number| format!("E11.{number}")).collect());
    assert_eq!(many, one(Code::DiagnosesTooMany, "/diagnoses"));
    assert_eq!(found(|claim| claim.lines[0].pointers = vec![1, 2]), one(Code::PointerBeyond, "/lines/0/pointers/1"));
    assert_eq!(found(|claim| claim.lines[0].pointers = vec![0]), one(Code::PointerBeyond, "/lines/0/pointers/0"));
    assert_eq!(found(|claim| claim.lines[0].pointers.clear()), one(Code::PointerMissing, "/lines/0/pointers"));
    let five = found(|claim| claim.lines[0].pointers = vec![1; 5]);
    assert_eq!(five, one(Code::PointersTooMany, "/lines/0/pointers"));
    let lines = (0..51).map(|number| line("99213", day() - i64::from(number).days(), 1)).collect();
    assert_eq!(found(|claim| claim.lines = lines), one(Code::LinesTooMany, "/lines"));
    assert_eq!(found(|claim| claim.lines.clear()), one(Code::LinesMissing, "/lines"));
    assert_eq!(found(|claim| claim.lines[0].units = 0), one(Code::UnitsZero, "/lines/0/units"));
    assert_eq!(found(|claim| claim.lines[0].charge = Amount::ZERO), one(Code::ChargeZero, "/lines/0/charge"));
    assert_eq!(found(|claim| claim.lines[0].charge = Amount(-1)), one(Code::ChargeZero, "/lines/0/charge"));
    let large = Amount(LARGEST.0 + 1);
    assert_eq!(found(|claim| claim.lines[0].charge = large), one(Code::ChargeTooLarge, "/lines/0/charge"));
    assert_eq!(found(|claim| claim.lines[0].date += 1.day()), one(Code::DateInFuture, "/lines/0/date"));
    let yen = Currency::from_code("JPY").unwrap();
    assert_eq!(found(|claim| claim.currency = yen), one(Code::CurrencyDiffers, "/currency"));
    let modifiers = ["25", "LT", "GA", "59", "76"].map(str::to_owned);
    assert_eq!(
        found(|claim| claim.lines[0].modifiers = modifiers.into()),
        one(Code::ModifiersTooMany, "/lines/0/modifiers")
    );
    assert_eq!(found(|claim| claim.frequency = Frequency::Replacement), one(Code::PriorMissing, "/prior"));
    let prior = Some(Prior { claim_id: ClaimId(uuid::Uuid::nil()), control_number: Some("ICN1".to_owned()) });
    let named = found(|claim| (claim.frequency, claim.prior) = (Frequency::Replacement, prior));
    assert_eq!(named, []);
}

#[test]
fn codes_have_the_shape_of_their_system() {
    for good in ["E11.9", "E119", "A00", "S72.001A", "M1A.00X0", "Z00.00"] {
        assert_eq!(found(|claim| claim.diagnoses[0] = good.to_owned()), [], "{good}");
    }
    for bad in ["", "E1", "E11.", "e11.9", "E11.90000", "11.9", "E11.9.1", "EA1", "Ä11", "E11 9"] {
        assert_eq!(
            found(|claim| claim.diagnoses[0] = bad.to_owned()),
            one(Code::DiagnosisMalformed, "/diagnoses/0"),
            "{bad}"
        );
    }
    for good in ["99213", "J1100", "0001F", "0042T", "0001U"] {
        assert_eq!(found(|claim| claim.lines[0].procedure = good.to_owned()), [], "{good}");
    }
    for bad in ["", "9921", "992133", "J110A1", "99A13", "j1100", "Ä110"] {
        let malformed = one(Code::ProcedureMalformed, "/lines/0/procedure");
        assert_eq!(found(|claim| claim.lines[0].procedure = bad.to_owned()), malformed, "{bad}");
    }
    let place = found(|claim| claim.lines[0].place_of_service = "1A".to_owned());
    assert_eq!(place, one(Code::PlaceMalformed, "/lines/0/placeOfService"));
    let modifier = found(|claim| claim.lines[0].modifiers = vec!["2".to_owned()]);
    assert_eq!(modifier, one(Code::ModifierMalformed, "/lines/0/modifiers/0"));
}

#[test]
fn the_coverage_has_to_fit() {
    let with = |coverage: &Coverage| found_with(&clean(), coverage, day(), &[]);
    assert_eq!(with(&Coverage { member_id: None, ..insured() }), one(Code::MemberIdMissing, "/coverage/memberId"));
    let blank = Coverage { member_id: Some(" ".to_owned()), ..insured() };
    assert_eq!(with(&blank), one(Code::MemberIdMissing, "/coverage/memberId"));
    let cancelled = Coverage { status: coverage::Status::Cancelled, ..insured() };
    assert_eq!(with(&cancelled), one(Code::CoverageInactive, "/coverageId"));
    let foreign = Coverage { patient_id: crate::domain::account::PatientId(uuid::Uuid::nil()), ..insured() };
    assert_eq!(with(&foreign), one(Code::CoverageForeign, "/coverageId"));
    assert_eq!(with(&coverage(2, 1, date(2026, 1, 1), None)), one(Code::CoverageMissing, "/coverageId"));
    let late = coverage(1, 1, day() + 1.day(), None);
    assert_eq!(with(&late), one(Code::DateOutsideCoverage, "/lines/0/date"));
    assert_eq!(with(&coverage(1, 1, day(), Some(day()))), []);
}

#[test]
fn a_claim_is_late_on_the_day_after_the_last() {
    let on = |today| found_with(&clean(), &insured(), today, &[]);
    // 90 days after 10 March.
    assert_eq!(on(date(2026, 6, 8)), []);
    assert_eq!(on(date(2026, 6, 9)), one(Code::FilingLate, "/lines"));
}

#[test]
fn the_same_service_twice_needs_a_modifier_that_says_so() {
    let twice = |modifiers: &[&str]| {
        found(|claim| {
            let second =
                Line { modifiers: modifiers.iter().map(|&code| code.to_owned()).collect(), ..claim.lines[0].clone() };
            claim.lines.push(second);
        })
    };
    assert_eq!(twice(&[]), one(Code::LineDuplicate, "/lines/1"));
    for again in ["76", "77", "59"] {
        assert_eq!(twice(&["LT", again]), [], "{again}");
        // The third one is like the second, and says itself that it was done again.
        let third = found(|claim| {
            let modifiers = vec![again.to_owned()];
            let second = Line { modifiers, ..claim.lines[0].clone() };
            claim.lines.extend([second.clone(), second]);
        });
        assert_eq!(third, [], "{again}");
    }
    // Another side is another service, whatever the order of the modifiers.
    assert_eq!(twice(&["LT"]), []);
    let swapped = found(|claim| {
        claim.lines[0].modifiers = vec!["LT".to_owned(), "25".to_owned()];
        let modifiers = vec!["25".to_owned(), "LT".to_owned()];
        claim.lines.push(Line { modifiers, ..claim.lines[0].clone() });
    });
    assert_eq!(swapped, one(Code::LineDuplicate, "/lines/1"));
}

#[test]
fn a_service_is_claimed_once() {
    let sent = Claim { id: ClaimId(uuid::Uuid::from_u128(7)), status: Status::Submitted, ..clean() };
    let beside = |own: &Claim, other: &Claim| found_with(own, &insured(), day(), std::slice::from_ref(other));
    assert_eq!(beside(&clean(), &sent), one(Code::LineInOtherClaim, "/lines/0"));
    let rejected = Claim { status: Status::Rejected, ..sent.clone() };
    let another = Claim { rendering_provider: Some(Npi("1245319599".to_owned())), ..sent.clone() };
    let other_payer = Claim { payer_id: crate::domain::coverage::PayerId(uuid::Uuid::nil()), ..sent.clone() };
    for free in [&rejected, &another, &other_payer, &clean()] {
        assert_eq!(beside(&clean(), free), []);
    }
    let prior = Some(Prior { claim_id: sent.id, control_number: Some("ICN1".to_owned()) });
    assert_eq!(beside(&Claim { frequency: Frequency::Replacement, prior, ..clean() }, &sent), []);
}

#[test]
fn everything_that_is_wrong_is_found_at_once() {
    let mut claim = clean();
    claim.billing_provider = None;
    claim.diagnoses.clear();
    claim.lines[0].units = 0;
    claim.lines[0].charge = Amount::ZERO;
    claim.lines.push(Line { date: day() + 1.day(), ..claim.lines[0].clone() });
    let coverage = Coverage { member_id: None, ..insured() };
    let all: Vec<_> = found_with(&claim, &coverage, day(), &[]).into_iter().map(|(code, _)| code).collect();
    let expected = [
        Code::NpiMissing,
        Code::DiagnosisMissing,
        Code::PointerBeyond,
        Code::PointerBeyond,
        Code::UnitsZero,
        Code::UnitsZero,
        Code::ChargeZero,
        Code::ChargeZero,
        Code::DateInFuture,
        Code::MemberIdMissing,
    ];
    assert_eq!(all, expected);
    assert_eq!(serde_json::to_value(Code::DateOutsideCoverage).unwrap(), "date-outside-coverage");
}
