use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;
use crate::domain::coverage::CoverageId;

const PROCEDURES: [&str; 3] = ["99213", "80053", "71046"];

fn amount(most: i64) -> impl Strategy<Value = Amount> {
    prop_oneof![1 => Just(Amount::ZERO), 6 => (0..=most).prop_map(Amount)]
}

fn copays() -> impl Strategy<Value = Copay> {
    prop_oneof![
        Just(Copay::Free),
        amount(6_000).prop_map(Copay::PerVisit),
        amount(6_000).prop_map(|copay| Copay::PerService([("99213".to_owned(), copay)].into())),
    ]
}

prop_compose! {
    fn plans()(
        copay in copays(),
        copay_skips_deductible: bool,
        deductible in amount(60_000),
        millionths in 0_u32..=1_000_000,
        out_of_pocket_maximum in prop::option::of(amount(90_000)),
        month in 1_i8..=12,
        secondary_rule in prop::sample::select(vec![
            SecondaryRule::Standard, SecondaryRule::NonDuplication, SecondaryRule::MaintenanceOfBenefits,
        ]),
    ) -> Terms {
        let plan_year = PlanYear::starting(month, 1).unwrap();
        let coinsurance = Rate::from_millionths(millionths).unwrap();
        let currency = free_terms().currency;
        Terms {
            currency, copay, copay_skips_deductible, deductible, coinsurance, out_of_pocket_maximum, plan_year,
            secondary_rule,
        }
    }
}

fn benefits() -> impl Strategy<Value = Benefit> {
    let not = (prop::sample::select(vec![NotCovered::Charge, NotCovered::Plan]), any::<bool>());
    prop_oneof![4 => Just(Benefit::Covered), 1 => not.prop_map(|(why, notice)| Benefit::NotCovered { why, notice })]
}

fn decisions() -> impl Strategy<Value = Decision> {
    (prop::option::weighted(0.8, amount(40_000)), benefits()).prop_map(|(contract, benefit)| Decision {
        contract,
        benefit,
        earlier: None,
    })
}

/// A line, what the first plan makes of it, and what the second one does.
fn lines() -> impl Strategy<Value = Vec<(Line, Decision, Decision)>> {
    let one = (0_i64..400, prop::sample::select(PROCEDURES.to_vec()), amount(50_000), decisions(), decisions());
    let line = one.prop_map(|(day, procedure, charge, first, second)| {
        (line(procedure, date(2026, 1, 1) + (day / 20 * 20).days(), charge.0), first, second)
    });
    prop::collection::vec(line, 1..8)
}

/// What was used before is within the limits.
fn opened(coverage: &Coverage, used: (u32, u32)) -> Accumulators {
    let terms = &coverage.terms;
    let part = |rate, of| Rate::from_millionths(rate).unwrap().of(of);
    let used = Used {
        deductible: part(used.0, terms.deductible),
        out_of_pocket: part(used.1, terms.out_of_pocket_maximum.unwrap_or(Amount(50_000))),
    };
    Accumulators::opened(coverage.id, [(terms.plan_year.of(date(2026, 3, 1)), used)])
}

fn shares() -> impl Strategy<Value = (u32, u32)> {
    (0_u32..=1_000_000, 0_u32..=1_000_000)
}

/// What has to be so for every claim, whichever payer it is.
fn check(done: &Adjudication, decisions: &[Decision], terms: &Terms) -> Result<(), TestCaseError> {
    for (line, decision) in done.lines.iter().zip(decisions) {
        let sum: Amount = line.adjustments.iter().map(|part| part.amount).sum();
        prop_assert_eq!(line.billed, line.paid + sum, "{:?}", line);
        prop_assert!(line.adjustments.iter().all(|part| part.amount.is_positive()), "{:?}", line);
        prop_assert!(Amount::ZERO <= line.shared() && line.shared() <= line.allowed && line.allowed <= line.billed);
        prop_assert!(line.paid >= Amount::ZERO && line.not_covered >= Amount::ZERO);
        let patient = line.adjustments.iter().filter(|part| part.group == Group::Patient);
        prop_assert_eq!(patient.map(|part| part.amount).sum::<Amount>(), line.patient());
        let off = line.adjustments.iter().any(|part| part.reason == ABOVE_CONTRACT);
        prop_assert!(!off || decision.contract.is_some(), "written off without a contract: {:?}", line);
    }
    for (year, _) in done.delta.years() {
        let used = done.accumulators.used(year);
        prop_assert!(used.deductible <= terms.deductible);
        prop_assert!(terms.out_of_pocket_maximum.is_none_or(|most| used.out_of_pocket <= most));
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_first_payer_balances_and_is_taken_back_exactly(terms in plans(), lines in lines(), used in shares()) {
        let coverage = insured(terms);
        let before = opened(&coverage, used);
        let (own, decisions): (Vec<_>, Vec<_>) = lines.into_iter().map(|(line, first, _)| (line, first)).unzip();
        let claim = claim(1, own);
        let done = adjudicate(&claim, &coverage, &decisions, &before).unwrap();
        check(&done, &decisions, &coverage.terms)?;
        // Out of pocket is what the patients shared, no more and no less.
        let counted: Amount = done.delta.years().map(|(_, used)| used.out_of_pocket).sum();
        prop_assert_eq!(counted, done.lines.iter().map(Outcome::shared).sum::<Amount>());
        for outcome in &done.lines {
            prop_assert!(outcome.paid + outcome.shared() == outcome.allowed);
        }

        let back = done.accumulators.reverse(claim.id, &done.delta).unwrap();
        prop_assert_eq!(&back, &before);
        prop_assert_eq!(&adjudicate(&claim, &coverage, &decisions, &back).unwrap(), &done);
        prop_assert_eq!(adjudicate(&claim, &coverage, &decisions, &done.accumulators), Err(Refusal::Counted(claim.id)));
    }

    /// Taking back the first of two claims leaves the second as it counted.
    #[test]
    fn one_claim_is_taken_back_past_another(terms in plans(), first in lines(), second in lines(), used in shares()) {
        let coverage = insured(terms);
        let before = opened(&coverage, used);
        let split = |id, lines: Vec<(Line, Decision, Decision)>| {
            let (own, decisions): (Vec<_>, Vec<_>) = lines.into_iter().map(|(line, first, _)| (line, first)).unzip();
            (claim(id, own), decisions)
        };
        let ((first, one), (second, two)) = (split(1, first), split(2, second));
        let first_done = adjudicate(&first, &coverage, &one, &before).unwrap();
        let second_done = adjudicate(&second, &coverage, &two, &first_done.accumulators).unwrap();
        check(&second_done, &two, &coverage.terms)?;
        let left = second_done.accumulators.reverse(first.id, &first_done.delta).unwrap();
        prop_assert_eq!(left.counted(second.id), Some(&second_done.delta));
        prop_assert_eq!(left.reverse(second.id, &second_done.delta).unwrap(), before);
    }

    #[test]
    fn the_second_payer_balances_and_nobody_pays_twice(
        (first, second) in (plans(), plans()),
        lines in lines(),
        used in shares(),
    ) {
        let (primary, secondary) = (insured(first), insured(second));
        let own: Vec<_> = lines.iter().map(|(line, ..)| line.clone()).collect();
        let one: Vec<_> = lines.iter().map(|(_, first, _)| *first).collect();
        let first_done = adjudicate(&claim(1, own.clone()), &primary, &one, &opened(&primary, used)).unwrap();
        let earlier = |at: usize| Some(Earlier::adjudicated(&first_done.lines[at], None));
        let two = lines.iter().enumerate().map(|(at, (.., second))| Decision { earlier: earlier(at), ..*second });
        let two: Vec<_> = two.collect();
        let alone: Vec<_> = lines.iter().map(|(.., second)| *second).collect();
        let before = opened(&secondary, used);
        let done = adjudicate(&claim(2, own.clone()), &secondary, &two, &before).unwrap();
        check(&done, &two, &secondary.terms)?;
        let back = done.accumulators.reverse(claim(2, Vec::new()).id, &done.delta).unwrap();
        prop_assert_eq!(&back, &before);
        for (primary, line) in first_done.lines.iter().zip(&done.lines) {
            prop_assert!(primary.paid + line.paid <= primary.allowed.max(line.allowed));
            prop_assert!(line.paid <= primary.patient());
            prop_assert!(line.patient() <= primary.patient());
            let settled = line.adjustments.iter().filter(|part| part.group == Group::Other).map(|part| part.amount);
            prop_assert_eq!(settled.sum::<Amount>(), line.billed - primary.patient());
        }
        // Of a single line: exactly the rule, with the benefit that it would have had alone.
        if let ([line], [outcome]) = (&own[..], &done.lines[..]) {
            let alone = adjudicate(&claim(2, vec![line.clone()]), &secondary, &alone, &before).unwrap();
            let (normal, primary) = (alone.lines[0].paid, &first_done.lines[0]);
            match secondary.terms.secondary_rule {
                SecondaryRule::Standard => prop_assert_eq!(outcome.paid, normal.min(primary.patient())),
                SecondaryRule::NonDuplication => {
                    let above = (normal - primary.paid).max(Amount::ZERO);
                    prop_assert_eq!(outcome.paid, above.min(primary.patient()));
                }
                SecondaryRule::MaintenanceOfBenefits => {
                    prop_assert!(outcome.paid <= (outcome.allowed - primary.paid).max(Amount::ZERO));
                }
            }
        }
    }

    /// Whatever real payers have answered before, as long as it can be at all.
    #[test]
    fn any_earlier_answer_balances(
        terms in plans(),
        (charge, allowed, paid, patient) in (0_i64..50_000, 0_u32..=1_000_000, 0_u32..=1_000_000, 0_u32..=1_000_000),
        decision in decisions(),
    ) {
        let coverage = insured(terms);
        let part = |rate, of| Rate::from_millionths(rate).unwrap().of(of);
        let paid = part(paid, Amount(charge));
        let earlier = Earlier { allowed: part(allowed, Amount(charge)), paid, patient: part(patient, Amount(charge) - paid) };
        let decisions = [Decision { earlier: Some(earlier), ..decision }];
        let claim = claim(1, vec![line("99213", date(2026, 3, 10), charge)]);
        let done = adjudicate(&claim, &coverage, &decisions, &opened(&coverage, (0, 0))).unwrap();
        let [outcome] = &done.lines[..] else { panic!("one line") };
        let sum: Amount = outcome.adjustments.iter().map(|part| part.amount).sum();
        prop_assert_eq!(outcome.billed, outcome.paid + sum);
        prop_assert!(outcome.paid.is_zero() || outcome.paid + paid <= earlier.allowed.max(outcome.allowed));
        prop_assert!(outcome.paid >= Amount::ZERO && outcome.patient() + outcome.paid <= earlier.patient);
    }

    /// In whatever order the claims of several members come, as long as each member's own keep theirs.
    #[test]
    fn members_do_not_touch_each_other(
        terms in plans(),
        claims in prop::collection::vec((0_u128..3, lines()), 1..8),
        shuffle in prop::collection::vec(any::<u32>(), 8),
    ) {
        let run = |order: &[usize]| {
            let mut used = BTreeMap::new();
            let mut outcomes = BTreeMap::new();
            for &at in order {
                let (member, lines) = &claims[at];
                let id = CoverageId(uuid::Uuid::from_u128(*member));
                let coverage = Coverage { id, ..insured(terms.clone()) };
                let (own, decisions): (Vec<_>, Vec<_>) = lines.iter().cloned().map(|(line, one, _)| (line, one)).unzip();
                let claim = Claim { coverage_id: id, ..claim(at as u128, own) };
                let before = used.remove(&id).unwrap_or_else(|| Accumulators::opened(id, []));
                let done = adjudicate(&claim, &coverage, &decisions, &before).unwrap();
                used.insert(id, done.accumulators);
                outcomes.insert(at, (done.lines, done.delta));
            }
            (used, outcomes)
        };
        let in_order: Vec<_> = (0..claims.len()).collect();
        let mut members: Vec<_> = in_order.clone();
        // A member's claims stay in their order: who is drawn next sends their next one.
        members.sort_by_key(|&at| shuffle[at]);
        let mut queues: BTreeMap<u128, Vec<usize>> = BTreeMap::new();
        in_order.iter().rev().for_each(|&at| queues.entry(claims[at].0).or_default().push(at));
        let mixed: Vec<_> =
            members.iter().map(|&at| queues.get_mut(&claims[at].0).unwrap().pop().unwrap()).collect();
        prop_assert_eq!(run(&in_order), run(&mixed));
    }
}
