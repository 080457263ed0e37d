mod properties;

use jiff::civil::date;

use super::*;
use crate::domain::{
    claim::{
        remittance::LinePayment,
        tests::{claim, line},
    },
    coverage::{
        PlanYear,
        tests::{coverage, free_terms},
    },
    money::Rate,
};

fn percent(percent: u32) -> Rate {
    Rate::from_millionths(percent * 10_000).unwrap()
}

fn insured(terms: Terms) -> Coverage {
    Coverage { terms, ..coverage(1, 1, date(2025, 1, 1), None) }
}

fn fresh() -> Accumulators {
    Accumulators::opened(insured(free_terms()).id, [])
}

fn covered(contract: i64) -> Decision {
    Decision { contract: Some(Amount(contract)), benefit: Benefit::Covered, earlier: None }
}

fn after(decision: Decision, allowed: i64, paid: i64, patient: i64) -> Decision {
    let earlier = Earlier { allowed: Amount(allowed), paid: Amount(paid), patient: Amount(patient) };
    Decision { earlier: Some(earlier), ..decision }
}

/// `CO-45 3000`, and so on.
fn written(outcome: &Outcome) -> Vec<String> {
    let parts = outcome.adjustments.iter();
    parts.map(|part| format!("{}-{} {}", part.group.code(), part.reason, part.amount.0)).collect()
}

fn run(terms: Terms, charges: &[i64], decisions: &[Decision]) -> Vec<(i64, Vec<String>)> {
    let lines = charges.iter().map(|charge| line("99213", date(2026, 3, 10), *charge)).collect();
    let done = adjudicate(&claim(1, lines), &insured(terms), decisions, &fresh()).unwrap();
    done.lines.iter().map(|outcome| (outcome.paid.0, written(outcome))).collect()
}

/// The whole of section 3.6, in cents: copay of 30.00 for the visit, deductible of 500.00 of which 430.00 are used,
/// 20 % coinsurance, out-of-pocket maximum of 1,000.00 of which 850.00 are used.
#[test]
fn a_claim_is_worked_through() {
    let terms = Terms {
        copay: Copay::PerVisit(Amount(3_000)),
        deductible: Amount(50_000),
        coinsurance: percent(20),
        out_of_pocket_maximum: Some(Amount(100_000)),
        ..free_terms()
    };
    let day = date(2026, 3, 10);
    let year = date(2026, 1, 1);
    let used = Used { deductible: Amount(43_000), out_of_pocket: Amount(85_000) };
    let before = Accumulators::opened(insured(terms.clone()).id, [(year, used)]);
    // The second line is of the day before, so it comes first.
    let lines = vec![line("99213", day, 20_000), line("80053", date(2026, 3, 9), 9_000), line("71046", day, 60_000)];
    let claim = claim(1, lines);
    let decisions = [covered(15_000), covered(5_000), covered(45_000)];
    let done = adjudicate(&claim, &insured(terms.clone()), &decisions, &before).unwrap();

    // Line 2, the day before: allowed 50.00 of 90.00, so CO-45 is 40.00. Copay 30.00. The deductible has 70.00 left
    // and takes the other 20.00. Nothing is left for coinsurance, and the plan pays nothing.
    assert_eq!(written(&done.lines[1]), ["CO-45 4000", "PR-3 3000", "PR-1 2000"]);
    assert_eq!(done.lines[1].paid, Amount(0));
    // Line 1: allowed 150.00 of 200.00. Another day, so copay 30.00 again. The deductible has 50.00 left. Coinsurance
    // is 20 % of 70.00, 14.00. Together 94.00; of the maximum 100.00 are left (1,000 - 850 - 50). It pays 56.00.
    assert_eq!(written(&done.lines[0]), ["CO-45 5000", "PR-3 3000", "PR-1 5000", "PR-2 1400"]);
    assert_eq!(done.lines[0].paid, Amount(5_600));
    // Line 3: allowed 450.00 of 600.00. The visit has had its copay, the year its deductible. Coinsurance would be
    // 90.00, but the maximum has 6.00 left. The plan pays 444.00.
    assert_eq!(written(&done.lines[2]), ["CO-45 15000", "PR-2 600"]);
    assert_eq!(done.lines[2].paid, Amount(44_400));

    // 20.00 + 50.00 of deductible; 50.00 + 94.00 + 6.00 out of pocket.
    let delta = Used { deductible: Amount(7_000), out_of_pocket: Amount(15_000) };
    assert_eq!(done.delta.years().collect::<Vec<_>>(), [(year, delta)]);
    assert_eq!(done.accumulators.used(year), Used { deductible: Amount(50_000), out_of_pocket: Amount(100_000) });

    assert_eq!(adjudicate(&claim, &insured(terms), &decisions, &done.accumulators), Err(Refusal::Counted(claim.id)));
    assert_eq!(done.accumulators.reverse(claim.id, &Delta::default()), Err(NotCounted(claim.id)));
    assert_eq!(before.reverse(claim.id, &done.delta), Err(NotCounted(claim.id)));
    assert_eq!(done.accumulators.reverse(claim.id, &done.delta).unwrap(), before);
}

#[test]
fn the_maximum_cuts_the_percentage_first_and_the_copay_last() {
    let cut = |most| {
        let terms = Terms {
            copay: Copay::PerVisit(Amount(1_000)),
            deductible: Amount(2_000),
            coinsurance: percent(50),
            out_of_pocket_maximum: Some(Amount(most)),
            ..free_terms()
        };
        // Uncut: copay 10.00, deductible 20.00, half of 70.00.
        run(terms, &[10_000], &[covered(10_000)]).remove(0)
    };
    let parts = |parts: &[&str]| parts.iter().map(|&part| part.to_owned()).collect::<Vec<_>>();
    assert_eq!(cut(6_500), (3_500, parts(&["PR-3 1000", "PR-1 2000", "PR-2 3500"])));
    assert_eq!(cut(4_000), (6_000, parts(&["PR-3 1000", "PR-1 2000", "PR-2 1000"])));
    assert_eq!(cut(1_500), (8_500, parts(&["PR-3 1000", "PR-1 500"])));
    assert_eq!(cut(400), (9_600, parts(&["PR-3 400"])));
    assert_eq!(cut(0), (10_000, Vec::new()));
}

#[test]
fn a_copay_is_for_the_visit_or_for_the_service() {
    let per_visit = Terms { copay: Copay::PerVisit(Amount(3_000)), deductible: Amount(100_000), ..free_terms() };
    // 20.00 of the first line, the other 10.00 of the second; the deductible takes the rest.
    let done = run(per_visit.clone(), &[2_000, 5_000], &[covered(2_000), covered(5_000)]);
    assert_eq!(
        (&done[0].1[..], &done[1].1[..]),
        (&["PR-3 2000".to_owned()][..], &["PR-3 1000".into(), "PR-1 4000".into()][..])
    );
    // The whole visit is free of the deductible.
    let skips = Terms { copay_skips_deductible: true, ..per_visit };
    let done = run(skips, &[2_000, 5_000], &[covered(2_000), covered(5_000)]);
    assert_eq!(done[1], (4_000, vec!["PR-3 1000".to_owned()]));
    // Each time for this service, and no deductible for it; the other has no copay and goes to the deductible.
    let per_service = Terms {
        copay: Copay::PerService([("99213".to_owned(), Amount(1_500))].into()),
        copay_skips_deductible: true,
        deductible: Amount(100_000),
        ..free_terms()
    };
    let day = date(2026, 3, 10);
    let lines = vec![line("99213", day, 4_000), line("99213", day, 4_000), line("80053", day, 4_000)];
    let done = adjudicate(&claim(1, lines), &insured(per_service), &[covered(4_000); 3], &fresh()).unwrap();
    let written: Vec<_> = done.lines.iter().map(written).collect();
    assert_eq!(written, [["PR-3 1500"], ["PR-3 1500"], ["PR-1 4000"]]);
}

#[test]
fn only_who_signed_pays_for_what_is_not_covered() {
    let not = |why, notice| {
        let decision = Decision { benefit: Benefit::NotCovered { why, notice }, ..covered(6_000) };
        run(Terms { deductible: Amount(50_000), ..free_terms() }, &[8_000], &[decision]).remove(0)
    };
    assert_eq!(not(NotCovered::Charge, true), (0, vec!["PR-96 8000".to_owned()]));
    assert_eq!(not(NotCovered::Plan, true), (0, vec!["PR-204 8000".to_owned()]));
    for why in [NotCovered::Charge, NotCovered::Plan] {
        assert_eq!(not(why, false), (0, vec!["CO-96 8000".to_owned()]));
    }
}

#[test]
fn without_a_contract_nothing_is_written_off() {
    let decision = Decision { contract: None, ..covered(0) };
    let done = run(Terms { coinsurance: percent(40), ..free_terms() }, &[10_000, 10_000], &[decision, covered(12_000)]);
    assert_eq!(done, vec![(6_000, vec!["PR-2 4000".to_owned()]); 2]);
}

#[test]
fn a_claim_over_new_year_counts_in_both() {
    let terms = Terms { deductible: Amount(10_000), plan_year: PlanYear::starting(7, 1).unwrap(), ..free_terms() };
    let lines = vec![line("99213", date(2026, 7, 1), 9_000), line("99213", date(2026, 6, 30), 15_000)];
    let done = adjudicate(&claim(1, lines), &insured(terms), &[covered(9_000), covered(15_000)], &fresh()).unwrap();
    let year = |year, of| (date(year, 7, 1), Used { deductible: Amount(of), out_of_pocket: Amount(of) });
    assert_eq!(done.delta.years().collect::<Vec<_>>(), [year(2025, 10_000), year(2026, 9_000)]);
    let json = serde_json::to_string(&done.accumulators).unwrap();
    assert_eq!(serde_json::from_str::<Accumulators>(&json).unwrap(), done.accumulators);
}

/// Billed 500.00; the first payer allows 375.00, pays 300.00, leaves 75.00 and writes 125.00 off. OA-23 is 425.00: what
/// it paid and wrote off.
#[test]
fn the_second_payer_stands_on_the_first() {
    use SecondaryRule::{MaintenanceOfBenefits, NonDuplication, Standard};
    let second = |rule, rate, contract| {
        let terms = Terms { secondary_rule: rule, coinsurance: percent(rate), ..free_terms() };
        run(terms, &[50_000], &[after(covered(contract), 37_500, 30_000, 7_500)]).remove(0)
    };
    let parts = |parts: &[&str]| parts.iter().map(|&part| part.to_owned()).collect::<Vec<_>>();
    // It allows 65.00, less than is left: 10.00 are above its contract.
    assert_eq!(second(Standard, 0, 6_500), (6_500, parts(&["OA-23 42500", "CO-45 1000"])));
    // Its benefit is 300.00, but only 75.00 are left.
    assert_eq!(second(Standard, 20, 37_500), (7_500, parts(&["OA-23 42500"])));
    // Its benefit of 300.00 is no more than the first has paid; the patient keeps the 20 % of 375.00.
    assert_eq!(second(NonDuplication, 20, 37_500), (0, parts(&["OA-23 42500", "PR-2 7500"])));
    // Of 90 %, 337.50, 37.50 are above what the first has paid; the patient keeps 10 %, 37.50.
    assert_eq!(second(NonDuplication, 10, 37_500), (3_750, parts(&["OA-23 42500", "PR-2 3750"])));
    // It looks at 375.00 - 300.00 alone, and pays 80 % of 75.00.
    assert_eq!(second(MaintenanceOfBenefits, 20, 37_500), (6_000, parts(&["OA-23 42500", "PR-2 1500"])));
    // It reckons less than the first has paid.
    assert_eq!(second(MaintenanceOfBenefits, 20, 20_000), (0, parts(&["OA-23 42500", "CO-45 7500"])));
}

#[test]
fn what_the_first_payer_left_stays_the_patients_where_the_second_does_not_cover() {
    let not = Decision { benefit: Benefit::NotCovered { why: NotCovered::Plan, notice: false }, ..covered(0) };
    let done = run(free_terms(), &[10_000], &[after(not, 9_000, 7_000, 2_000)]);
    assert_eq!(done, [(0, vec!["OA-23 8000".to_owned(), "PR-204 2000".to_owned()])]);
}

#[test]
fn the_second_plan_credits_its_deductible_as_if_it_were_alone() {
    let terms = Terms { deductible: Amount(5_000), out_of_pocket_maximum: Some(Amount(9_000)), ..free_terms() };
    let lines = vec![line("99213", date(2026, 3, 10), 10_000)];
    let decisions = [after(covered(10_000), 10_000, 8_000, 2_000)];
    let done = adjudicate(&claim(1, lines), &insured(terms), &decisions, &fresh()).unwrap();
    // Alone it would take 50.00 as deductible and pay 50.00; 20.00 are left, so it pays those and the patient nothing.
    assert_eq!(done.lines[0].paid, Amount(2_000));
    let used = Used { deductible: Amount(5_000), out_of_pocket: Amount(0) };
    assert_eq!(done.accumulators.used(date(2026, 1, 1)), used);
}

#[test]
fn a_payers_answer_is_what_the_next_one_stands_on() {
    let part = |group, reason, amount| Adjustment::new(group, reason, Amount(amount));
    let adjustments = vec![
        part(Group::Contractual, ABOVE_CONTRACT, 12_500),
        part(Group::Patient, DEDUCTIBLE, 5_000),
        part(Group::Patient, NOT_COVERED, 2_500),
    ];
    let answer = LinePayment { line: 1, billed: Amount(50_000), paid: Amount(30_000), adjustments };
    let first = Earlier::answered(&answer, None);
    assert_eq!(first, Earlier { allowed: Amount(35_000), paid: Amount(30_000), patient: Amount(7_500) });
    let adjustments = vec![part(Group::Other, PRIOR_PAYER, 42_500), part(Group::Patient, COPAY, 1_000)];
    let answer = LinePayment { line: 1, billed: Amount(50_000), paid: Amount(6_500), adjustments };
    let both = Earlier { allowed: Amount(35_000), paid: Amount(36_500), patient: Amount(1_000) };
    assert_eq!(Earlier::answered(&answer, Some(&first)), both);
}

#[test]
fn a_payer_that_says_what_cannot_be_used_gives_nobody_more() {
    let year = date(2026, 1, 1);
    let said = |amount| Used { deductible: Amount(amount), out_of_pocket: Amount(amount) };
    let used = |amount| Accumulators::opened(fresh().coverage_id, [(year, said(amount))]).used(year);
    assert_eq!([i64::MIN, 5, i64::MAX].map(used), [said(0), said(5), said(LARGEST.0)]);
}

#[test]
fn what_cannot_be_is_not_adjudicated() {
    let day = date(2026, 3, 10);
    let (good, terms) = (claim(1, vec![line("99213", day, 10_000)]), free_terms());
    let refused = |claim: &Claim, terms: &Terms, decisions: &[Decision], accumulators: &Accumulators| {
        adjudicate(claim, &insured(terms.clone()), decisions, accumulators).unwrap_err()
    };
    let once = [covered(9_000)];
    let other = crate::domain::coverage::CoverageId(uuid::Uuid::nil());
    let foreign = Claim { coverage_id: other, ..good.clone() };
    assert_eq!(refused(&foreign, &terms, &once, &fresh()), Refusal::OtherCoverage);
    assert_eq!(refused(&good, &terms, &once, &Accumulators::opened(other, [])), Refusal::OtherAccumulators);
    assert_eq!(refused(&good, &terms, &[], &fresh()), Refusal::Undecided);
    let euros = Terms { currency: crate::domain::money::Currency::from_code("EUR").unwrap(), ..terms.clone() };
    assert_eq!(refused(&good, &euros, &once, &fresh()), Refusal::OtherCurrency);
    let faulty = Terms { deductible: Amount(-1), ..terms.clone() };
    assert_eq!(refused(&good, &faulty, &once, &fresh()), Refusal::Terms);
    assert_eq!(refused(&good, &terms, &[covered(-1)], &fresh()), Refusal::Amount(1));
    let negative = claim(1, vec![line("99213", day, -1)]);
    assert_eq!(refused(&negative, &terms, &once, &fresh()), Refusal::Amount(1));
    for (allowed, paid, patient) in [(9_000, 9_000, 1_001), (9_000, -1, 0), (10_001, 0, 0), (0, 0, 10_001)] {
        let decisions = [after(covered(9_000), allowed, paid, patient)];
        assert_eq!(refused(&good, &terms, &decisions, &fresh()), Refusal::Amount(1), "{allowed} {paid} {patient}");
    }
}
