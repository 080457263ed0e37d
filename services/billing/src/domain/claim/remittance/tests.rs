use jiff::civil::date;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::claim::{
    Claim, Finding, Status,
    adjustment::{ABOVE_CONTRACT, COPAY, DEDUCTIBLE, Group, NOT_COVERED, PRIOR_PAYER},
    tests::{claim, line},
};

fn sent() -> Claim {
    let day = date(2026, 3, 10);
    Claim { status: Status::Accepted, ..claim(1, vec![line("99213", day, 20_000), line("80053", day, 5_000)]) }
}

fn part(group: Group, reason: &str, amount: i64) -> Adjustment {
    Adjustment::new(group, reason, Amount(amount))
}

/// 200.00 of which 120.00 are paid, and 50.00 of which nothing is.
fn payment() -> ClaimPayment {
    let first = vec![part(Group::Contractual, ABOVE_CONTRACT, 5_000), part(Group::Patient, COPAY, 3_000)];
    let second = vec![part(Group::Contractual, ABOVE_CONTRACT, 1_000), part(Group::Patient, DEDUCTIBLE, 4_000)];
    ClaimPayment {
        claim_id: sent().id,
        control_number: "ICN1".to_owned(),
        status: ClaimStatusCode::Primary,
        billed: Amount(25_000),
        paid: Amount(12_000),
        adjustments: Vec::new(),
        lines: vec![
            LinePayment { line: 1, billed: Amount(20_000), paid: Amount(12_000), adjustments: first },
            LinePayment { line: 2, billed: Amount(5_000), paid: Amount::ZERO, adjustments: second },
        ],
    }
}

fn denied() -> ClaimPayment {
    let mut denied = ClaimPayment { status: ClaimStatusCode::Denied, paid: Amount::ZERO, ..payment() };
    for line in &mut denied.lines {
        line.paid = Amount::ZERO;
        line.adjustments = vec![part(Group::Contractual, NOT_COVERED, line.billed.0)];
    }
    denied
}

fn negated(payment: &ClaimPayment) -> ClaimPayment {
    let negate = |parts: &mut Vec<Adjustment>| parts.iter_mut().for_each(|part| part.amount = -part.amount);
    let mut taken = payment.clone();
    (taken.status, taken.billed, taken.paid) = (ClaimStatusCode::Reversal, -payment.billed, -payment.paid);
    negate(&mut taken.adjustments);
    for line in &mut taken.lines {
        (line.billed, line.paid) = (-line.billed, -line.paid);
        negate(&mut line.adjustments);
    }
    taken
}

fn remittance(claims: Vec<ClaimPayment>) -> Remittance {
    Remittance {
        payer_id: sent().payer_id,
        trace: "EFT1".to_owned(),
        paid_on: date(2026, 4, 1),
        currency: sent().currency,
        payment: claims.iter().map(|claim| claim.paid).sum(),
        claims,
        provider_adjustments: Vec::new(),
    }
}

type Seen = (Vec<(usize, Action)>, Vec<(Code, String)>);

/// What is booked and what is found, each claim by itself.
fn seen(remittance: &Remittance, claim: &Claim, standing: Option<&ClaimPayment>) -> Seen {
    let mut findings = whole(remittance);
    let mut accepted = Vec::new();
    for (at, payment) in in_order(&remittance.claims).into_iter().filter(|_| findings.is_empty()).collect::<Vec<_>>() {
        let known = Some(Known { claim, standing }).filter(|_| payment.claim_id == claim.id);
        match check_claim(payment, at, remittance.payer_id, remittance.currency, known) {
            Ok(action) => accepted.push((at, action)),
            Err(found) => findings.extend(found),
        }
    }
    let mut found: Vec<_> = findings.into_iter().map(|Finding { code, pointer, .. }| (code, pointer)).collect();
    found.sort();
    (accepted, found)
}

/// What is found in the one claim of a remittance that adds up.
fn found(change: impl FnOnce(&mut ClaimPayment)) -> Vec<(Code, String)> {
    let mut changed = payment();
    change(&mut changed);
    let (accepted, found) = seen(&remittance(vec![changed]), &sent(), None);
    assert_eq!(accepted.is_empty(), !found.is_empty(), "{found:?}");
    found
}

fn one(code: Code, pointer: &str) -> Vec<(Code, String)> {
    vec![(code, pointer.to_owned())]
}

#[test]
fn what_adds_up_is_booked() {
    assert_eq!(seen(&remittance(vec![payment()]), &sent(), None), (vec![(0, Action::Pay)], Vec::new()));
    // The payer answers for the whole, or a line in two parts.
    assert_eq!(
        found(|payment| payment.adjustments = payment.lines.drain(..).flat_map(|line| line.adjustments).collect()),
        []
    );
    let parts = |payment: &mut ClaimPayment| {
        let half = LinePayment {
            line: 2,
            billed: Amount(2_500),
            paid: Amount::ZERO,
            adjustments: vec![part(Group::Patient, DEDUCTIBLE, 2_500)],
        };
        payment.lines.splice(1.., [half.clone(), half]);
    };
    assert_eq!(found(parts), []);
    // 20.00 are adjusted of the claim as a whole: the lines pay 20.00 more than the claim.
    let of_the_whole = |payment: &mut ClaimPayment| {
        payment.adjustments = vec![part(Group::Payer, "B9", 2_000)];
        payment.paid = Amount(10_000);
    };
    assert_eq!(found(of_the_whole), []);
}

#[test]
fn each_level_has_to_balance() {
    let line = |payment: &mut ClaimPayment| payment.lines[0].adjustments[0].amount = Amount(5_001);
    let both =
        vec![(Code::ClaimUnbalanced, "/claims/0".to_owned()), (Code::LineUnbalanced, "/claims/0/lines/0".to_owned())];
    assert_eq!(found(line), both);
    // The lines balance one by one, and are not the claim.
    let lines = found(|payment| payment.paid = Amount(11_999));
    assert_eq!(lines, [(Code::ClaimUnbalanced, "/claims/0".into()), (Code::LinesUnbalanced, "/claims/0/lines".into())]);
    let mut whole = remittance(vec![payment()]);
    whole.payment = Amount(12_001);
    let unbalanced = one(Code::RemittanceUnbalanced, "/payment");
    assert_eq!(seen(&whole, &sent(), None), (Vec::new(), unbalanced.clone()));
    // Interest of 0.01 adds to the payment, and is negative.
    let interest = |amount| ProviderAdjustment { reason: "L6".to_owned(), reference: None, amount: Amount(amount) };
    whole.provider_adjustments = vec![interest(-1)];
    assert_eq!(seen(&whole, &sent(), None).1, []);
    whole.provider_adjustments = vec![interest(1)];
    assert_eq!(seen(&whole, &sent(), None).1, unbalanced);
}

#[test]
fn a_payment_is_for_the_claim_that_was_sent() {
    assert_eq!(found(|payment| payment.claim_id = ClaimId(Uuid::nil())), one(Code::ClaimUnknown, "/claims/0/claimId"));
    let unknown = found(|payment| payment.lines[1].line = 3);
    assert_eq!(
        unknown,
        [(Code::LineUnknown, "/claims/0/lines/1/line".into()), (Code::LineMissing, "/claims/0/lines".into())]
    );
    assert_eq!(found(|payment| payment.lines[1].line = 0).len(), 2);
    // The same in all, and not the same for each.
    let moved = found(|payment| {
        for (at, by) in [(0, 100), (1, -100)] {
            payment.lines[at].billed += Amount(by);
            payment.lines[at].adjustments[0].amount += Amount(by);
        }
    });
    assert_eq!(
        moved,
        [(Code::BilledDiffers, "/claims/0/lines".to_owned()), (Code::BilledDiffers, "/claims/0/lines".to_owned())]
    );
    let whole = remittance(vec![payment()]);
    let other = Claim { payer_id: PayerId(Uuid::nil()), ..sent() };
    assert_eq!(seen(&whole, &other, None).1, one(Code::ClaimOfOtherPayer, "/claims/0/claimId"));
    let euros = Claim { currency: Currency::from_code("EUR").unwrap(), ..sent() };
    assert_eq!(seen(&whole, &euros, None).1, one(Code::CurrencyDiffers, "/claims/0/claimId"));
    let draft = Claim { status: Status::Rejected, ..sent() };
    assert_eq!(seen(&whole, &draft, None).1, one(Code::NotExpected, "/claims/0/status"));
    let negative = found(|payment| {
        payment.lines[1].paid = Amount(-100);
        payment.lines[1].adjustments[0].amount += Amount(100);
        payment.paid -= Amount(100);
    });
    assert_eq!(negative, one(Code::SignWrong, "/claims/0"));
}

#[test]
fn one_claim_that_is_wrong_keeps_no_other_from_being_booked() {
    let unknown = ClaimPayment { claim_id: ClaimId(Uuid::nil()), ..payment() };
    let (accepted, found) = seen(&remittance(vec![unknown, payment()]), &sent(), None);
    assert_eq!((accepted, found), (vec![(1, Action::Pay)], one(Code::ClaimUnknown, "/claims/0/claimId")));
}

#[test]
fn what_is_answered_is_not_answered_again() {
    let paid = Claim { status: Status::Paid, ..sent() };
    let already =
        vec![(Code::AnsweredAlready, "/claims/0/status".into()), (Code::NotExpected, "/claims/0/status".into())];
    assert_eq!(seen(&remittance(vec![payment()]), &paid, Some(&payment())).1, already);
}

#[test]
fn a_denied_claim_is_paid_nothing_for_a_reason() {
    assert_eq!(seen(&remittance(vec![denied()]), &sent(), None), (vec![(0, Action::Deny)], Vec::new()));
    assert_eq!(found(|payment| payment.status = ClaimStatusCode::Denied), one(Code::DeniedButPaid, "/claims/0/paid"));
    let shared = found(|payment| {
        *payment = denied();
        payment.lines[0].adjustments = vec![part(Group::Patient, DEDUCTIBLE, 20_000)];
        payment.lines[1].adjustments = vec![part(Group::Patient, DEDUCTIBLE, 5_000)];
    });
    assert_eq!(shared, one(Code::DeniedWithoutReason, "/claims/0/adjustments"));
}

#[test]
fn an_answer_says_how_much_it_denies() {
    let action = |first: Adjustment, second: Adjustment| {
        let mut payment = ClaimPayment { paid: Amount::ZERO, ..payment() };
        for (line, part) in payment.lines.iter_mut().zip([first, second]) {
            (line.paid, line.adjustments) = (Amount::ZERO, vec![part]);
        }
        payment.action()
    };
    let deductible = || part(Group::Patient, DEDUCTIBLE, 5_000);
    let refused = || part(Group::Contractual, NOT_COVERED, 5_000);
    assert_eq!(action(deductible(), deductible()), Action::Pay);
    assert_eq!(action(part(Group::Other, PRIOR_PAYER, 5_000), deductible()), Action::Pay);
    assert_eq!(action(deductible(), refused()), Action::PayPartially);
    assert_eq!(action(part(Group::Other, PRIOR_PAYER, 5_000), refused()), Action::Deny);
    assert_eq!(action(refused(), refused()), Action::Deny);
    assert_eq!(ClaimPayment { paid: Amount(1), ..denied() }.action(), Action::PayPartially);
}

#[test]
fn what_is_taken_back_is_what_was_paid() {
    let paid = Claim { status: Status::Paid, ..sent() };
    let taken = |change: &dyn Fn(&mut ClaimPayment), standing: Option<&ClaimPayment>| {
        let mut reversal = negated(&payment());
        change(&mut reversal);
        seen(&remittance(vec![reversal]), &paid, standing)
    };
    let status = |code| one(code, "/claims/0/status");
    assert_eq!(taken(&|_| {}, Some(&payment())), (vec![(0, Action::Reverse)], Vec::new()));
    assert_eq!(taken(&|reversal| reversal.lines.reverse(), Some(&payment())).1, []);
    assert_eq!(taken(&|_| {}, None).1, status(Code::NothingToReverse));
    assert_eq!(taken(&|_| {}, Some(&denied())).1, status(Code::ReversalDiffers));
    // It balances, and takes back more of one reason and less of another.
    let moved = |reversal: &mut ClaimPayment| {
        reversal.lines[0].adjustments[0].amount += Amount(10);
        reversal.lines[0].adjustments[1].amount -= Amount(10);
    };
    assert_eq!(taken(&moved, Some(&payment())).1, status(Code::ReversalDiffers));
    let one_line_less = |reversal: &mut ClaimPayment| {
        reversal.lines[0].paid += Amount(10);
        reversal.lines[0].adjustments[0].amount -= Amount(10);
        reversal.paid += Amount(10);
    };
    assert_eq!(taken(&one_line_less, Some(&payment())).1, status(Code::ReversalDiffers));
    // What stands in another claim's place keeps its status, and its money is taken back.
    let corrected = Claim { status: Status::Corrected, ..sent() };
    let back = seen(&remittance(vec![negated(&payment())]), &corrected, Some(&payment()));
    assert_eq!(back, (vec![(0, Action::Reverse)], Vec::new()));
}

#[test]
fn what_is_taken_back_comes_before_what_takes_its_place() {
    let places = |claims: &[ClaimPayment]| in_order(claims).into_iter().map(|(at, _)| at).collect::<Vec<_>>();
    assert_eq!(places(&[negated(&payment()), denied()]), [0, 1]);
    assert_eq!(places(&[denied(), negated(&payment()), payment()]), [1, 0, 2]);
}

#[test]
fn no_amount_is_too_large_to_add() {
    let huge = |amount| {
        let mut payment = payment();
        payment.lines[0].adjustments[0].amount = Amount(amount);
        seen(&remittance(vec![payment]), &sent(), None).1
    };
    for amount in [i64::MAX, i64::MIN, LARGEST + 1] {
        assert_eq!(huge(amount), one(Code::AmountTooLarge, "/claims/0"), "{amount}");
    }
}

const LARGEST: i64 = crate::domain::money::LARGEST.0;

#[test]
fn codes_are_read_as_they_are_written() {
    for status in ClaimStatusCode::ALL {
        assert_eq!(ClaimStatusCode::parse(status.code()), Some(status));
    }
    assert_eq!((ClaimStatusCode::parse("23"), ClaimStatusCode::parse("")), (None, None));
    let whole = remittance(vec![payment(), negated(&payment())]);
    let json = serde_json::to_string(&whole).unwrap();
    assert_eq!(serde_json::from_str::<Remittance>(&json).unwrap(), whole);
}

proptest! {
    /// Any single amount that is wrong is found, and nothing that is wrong is booked.
    #[test]
    fn one_wrong_amount_shows(which in 0_usize..9, by in prop_oneof![-5_000_i64..0, 1_i64..5_000]) {
        let mut whole = remittance(vec![payment()]);
        let claim = &mut whole.claims[0];
        let amount = match which {
            0 => &mut claim.billed,
            1 => &mut claim.paid,
            2..=5 => &mut claim.lines[(which - 2) / 2].adjustments[which % 2].amount,
            6 => &mut claim.lines[0].billed,
            7 => &mut claim.lines[1].paid,
            _ => &mut whole.payment,
        };
        *amount += Amount(by);
        let (accepted, found) = seen(&whole, &sent(), None);
        prop_assert!(accepted.is_empty() && !found.is_empty());
    }
}
