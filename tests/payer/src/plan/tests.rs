use serde_json::{Value, json};

use super::{
    remittance::{AnsweredLine, ProviderAdjustment},
    *,
};
use crate::sample;

const EVERY: [&str; 16] = [
    "PAY",
    "DEDUCTIBLE",
    "DENY",
    "PARTIAL",
    "REJECT",
    "PEND",
    "REVERSE",
    "TAKEBACK",
    "UNBALANCED",
    "DUPLICATE",
    "REORDER",
    "INTEREST",
    "UNKNOWN",
    "SLOW",
    "SECOND",
    "INACTIVE",
];

/// A claim of this member, and what is another in it.
fn claim(member: &str, other: &[(&str, Value)]) -> Claim {
    let mut body = sample::claim(member);
    for (field, value) in other {
        body[*field] = value.clone();
    }
    Claim::read(&body).unwrap()
}

fn steps(member: &str) -> Vec<Step> {
    Memory::default().decide(&claim(member, &[])).1
}

fn remittances(steps: &[Step]) -> Vec<&Remittance> {
    let remittance = |step| match step {
        &Step { message: Message::Remittance(ref remittance), .. } => Some(remittance),
        _ => None,
    };
    steps.iter().filter_map(remittance).collect()
}

fn names(steps: &[Step]) -> Vec<&str> {
    steps.iter().map(|step| step.name).collect()
}

/// What X12 835 demands of a remittance and this one does not keep.
fn unbalanced(remittance: &Remittance) -> Vec<String> {
    let mut wrong = Vec::new();
    for claim in &remittance.claims {
        for AnsweredLine { line, billed, paid, adjustments } in &claim.lines {
            if *billed != paid + adjustments.iter().map(|adjustment| adjustment.amount).sum::<i64>() {
                wrong.push(format!("line {line} of {}", claim.claim_id));
            }
            if adjustments.iter().any(|adjustment| adjustment.amount == 0) {
                wrong.push(format!("an adjustment by nothing in line {line}"));
            }
        }
        let sum = |amount: fn(&AnsweredLine) -> i64| claim.lines.iter().map(amount).sum::<i64>();
        if claim.billed != sum(|line| line.billed) || claim.paid != sum(|line| line.paid) {
            wrong.push(format!("the lines of {}", claim.claim_id));
        }
    }
    let paid: i64 = remittance.claims.iter().map(|claim| claim.paid).sum();
    let less: i64 = remittance.provider_adjustments.iter().map(|adjustment| adjustment.amount).sum();
    if remittance.payment != paid - less {
        wrong.push(format!("{} is not {paid} less {less}", remittance.payment));
    }
    if remittance.payment < 0 {
        wrong.push(format!("{} is less than nothing", remittance.payment));
    }
    wrong
}

fn payments(member: &str) -> Vec<i64> {
    remittances(&steps(member)).iter().map(|remittance| remittance.payment).collect()
}

/// Each line: paid, and the adjustments.
fn lines(answer: &ClaimPayment) -> Vec<(i64, Vec<String>)> {
    let told = |line: &AnsweredLine| {
        let adjustments = line.adjustments.iter().map(|one| {
            let remark = one.remark.map(|remark| format!(" {remark}")).unwrap_or_default();
            format!("{}-{} {}{remark}", one.group, one.reason, one.amount)
        });
        (line.paid, adjustments.collect())
    };
    answer.lines.iter().map(told).collect()
}

fn answer(member: &str) -> ClaimPayment {
    remittances(&steps(member))[0].claims[0].clone()
}

fn line(paid: i64, adjustments: &[&str]) -> (i64, Vec<String>) {
    (paid, adjustments.iter().map(|&text| text.to_owned()).collect())
}

#[test]
fn everything_balances_but_what_is_wrong_on_purpose() {
    for member in EVERY {
        for other in [vec![], vec![("lines", odd_lines()), ("total", json!(9_999 + 1 + 1_200))]] {
            let (case, steps) = Memory::default().decide(&claim(member, &other));
            for (place, remittance) in remittances(&steps).into_iter().enumerate() {
                let wrong = unbalanced(remittance);
                let on_purpose = case == Case::Unbalanced && place == 0;
                assert_eq!(!wrong.is_empty(), on_purpose, "{member}, remittance {place}: {wrong:?}");
            }
        }
    }
}

/// Amounts that cannot be halved, or are less than a copay, and nothing at all.
fn odd_lines() -> Value {
    let amounts = [(1, 9_999), (2, 1), (3, 1_200), (4, 0)];
    amounts.map(|(line, charge)| json!({ "line": line, "date": "2026-11-29", "charge": charge })).into_iter().collect()
}

#[test]
fn the_first_answer_is_the_one_of_its_case() {
    let paid = [line(6_000, &["CO-45 2000", "PR-3 2000"]), line(2_000, &["CO-45 1000", "PR-3 2000"])];
    for member in ["PAY-1", "PEND-1", "REVERSE-1", "TAKEBACK-1", "UNBALANCED-1", "DUPLICATE-1", "INTEREST-1", "SLOW-1"]
    {
        let answer = answer(member);
        assert_eq!((answer.status_code, answer.billed, answer.paid), ("1", 15_000, 8_000), "{member}");
        assert_eq!(lines(&answer), paid, "{member}");
    }
    let deductible = [line(0, &["CO-45 2000", "PR-1 8000"]), line(0, &["CO-45 1000", "PR-1 4000"])];
    assert_eq!(lines(&answer("DEDUCTIBLE-1")), deductible);
    assert_eq!(lines(&answer("DENY-1")), [line(0, &["CO-29 10000"]), line(0, &["CO-29 5000"])]);
    assert_eq!(lines(&answer("INACTIVE-1")), [line(0, &["CO-27 10000"]), line(0, &["CO-27 5000"])]);
    assert_eq!((answer("DENY-1").status_code, answer("DENY-1").paid), ("4", 0));
    let partial = [line(6_000, &["CO-45 2000", "PR-3 2000"]), line(0, &["CO-96 5000 N130"])];
    assert_eq!(lines(&answer("PARTIAL-1")), partial);
}

#[test]
fn less_than_a_copay_is_the_patients_alone() {
    let small = claim("PAY-1", &[("lines", odd_lines()), ("total", json!(11_200))]);
    let (_, steps) = Memory::default().decide(&small);
    let expected = [
        line(5_999, &["CO-45 2000", "PR-3 2000"]),
        line(0, &["CO-45 1"]),
        line(0, &["CO-45 240", "PR-3 960"]),
        line(0, &[]),
    ];
    assert_eq!(lines(&remittances(&steps)[0].claims[0]), expected);
    assert_eq!(remittances(&steps)[0].paid_date, "2026-11-29");
}

#[test]
fn what_was_sent_back_is_paid_when_it_comes_again() {
    assert_eq!(names(&steps("REJECT-1")), ["rejected"]);
    let Message::Acknowledgement(rejected) = &steps("REJECT-1")[0].message else { panic!() };
    assert!(rejected.control_number.is_none() && !rejected.reasons.is_empty());

    let (_, again) = Memory::default().decide(&claim("REJECT-1", &[("submission", json!(2))]));
    assert_eq!(names(&again), ["accepted", "answered"]);
    assert_eq!(remittances(&again)[0].claims[0], answer("PAY-1"));
    assert!(remittances(&again)[0].trace.ends_with("-2-1"));
}

#[test]
fn what_is_pended_is_accepted_before_and_paid_after() {
    assert_eq!(names(&steps("PEND-1")), ["accepted", "pended", "answered"]);
}

#[test]
fn a_correction_takes_back_what_was_said_to_the_cent() {
    let steps = steps("REVERSE-1");
    let [first, second] = remittances(&steps)[..] else { panic!() };
    let [reversal, corrected] = &second.claims[..] else { panic!() };
    assert_eq!((first.payment, second.payment), (8_000, 0));
    assert_eq!((reversal.status_code, reversal.billed, reversal.paid), ("22", -15_000, -8_000));
    let back = [line(-6_000, &["CO-45 -2000", "PR-3 -2000"]), line(-2_000, &["CO-45 -1000", "PR-3 -2000"])];
    assert_eq!(lines(reversal), back);
    let again = [line(5_000, &["CO-45 3000", "PR-3 2000"]), line(2_000, &["CO-45 1000", "PR-3 2000"])];
    assert_eq!((corrected.status_code, lines(corrected).as_slice()), ("1", &again[..]));
    assert_eq!(carried(second), [("FB", -1_000)]);
}

fn carried(remittance: &Remittance) -> Vec<(&str, i64)> {
    let told = |one: &ProviderAdjustment| (one.reason, one.amount);
    remittance.provider_adjustments.iter().map(told).collect()
}

#[test]
fn the_correction_comes_before_what_it_corrects() {
    let (reordered, ordered) = (steps("REORDER-1"), steps("REVERSE-1"));
    assert_eq!(names(&reordered), ["accepted", "corrected", "answered"]);
    assert_eq!(reordered[1], ordered[2]);
    assert_eq!(reordered[2], ordered[1]);
}

#[test]
fn what_is_taken_back_is_kept_from_the_next_payments_of_the_payer() {
    let mut memory = Memory::default();
    let (_, steps) = memory.decide(&claim("TAKEBACK-1", &[]));
    assert_eq!(names(&steps), ["accepted", "answered", "taken back"]);
    let back = remittances(&steps)[1];
    assert_eq!((back.payment, carried(back), back.claims[0].paid), (0, vec![("FB", -8_000)], -8_000));

    // Of another payer or in another currency nothing is kept.
    for (member, field, value) in [
        ("PAY-1", "payer", json!({ "id": "other", "name": "x", "electronicId": "x", "filingIndicator": "CI" })),
        ("PAY-1", "currency", json!("EUR")),
    ] {
        let (_, steps) = memory.decide(&claim(member, &[("claimId", json!("c2")), (field, value)]));
        assert_eq!(carried(remittances(&steps)[0]), []);
    }
    let (_, steps) = memory.decide(&claim("PARTIAL-1", &[("claimId", json!("c3"))]));
    let next = remittances(&steps)[0];
    assert_eq!((next.payment, carried(next)), (0, vec![("WO", 6_000)]));
    assert_eq!(next.provider_adjustments[0].reference.as_ref(), Some(&back.trace));
    let (_, steps) = memory.decide(&claim("PAY-1", &[("claimId", json!("c4"))]));
    let last = remittances(&steps)[0];
    assert_eq!((last.payment, carried(last)), (6_000, vec![("WO", 2_000)]));
    let (_, steps) = memory.decide(&claim("PAY-1", &[("claimId", json!("c5"))]));
    assert_eq!((remittances(&steps)[0].payment, carried(remittances(&steps)[0])), (8_000, vec![]));
}

#[test]
fn a_wrong_sum_is_followed_by_the_right_one_under_another_trace() {
    let steps = steps("UNBALANCED-1");
    let [wrong, right] = remittances(&steps)[..] else { panic!() };
    assert_eq!((wrong.payment, right.payment), (8_001, 8_000));
    assert!(wrong.trace != right.trace && wrong.claims == right.claims);
}

#[test]
fn the_same_is_sent_twice_to_the_letter() {
    let steps = steps("DUPLICATE-1");
    assert_eq!(names(&steps), ["accepted", "answered", "answered again"]);
    assert_eq!(steps[1].message, steps[2].message);
}

#[test]
fn interest_is_paid_beside_the_claim() {
    let steps = steps("INTEREST-1");
    let remittance = remittances(&steps)[0];
    assert_eq!((remittance.payment, carried(remittance)), (8_150, vec![("L6", -150)]));
}

#[test]
fn a_claim_of_nobodys_is_paid_beside_the_right_one() {
    let steps = steps("UNKNOWN-1");
    let remittance = remittances(&steps)[0];
    assert_eq!((remittance.payment, remittance.claims.len()), (16_000, 2));
    let stranger = &remittance.claims[1];
    assert!(stranger.claim_id != remittance.claims[0].claim_id && stranger.claim_id.parse::<Uuid>().is_ok());
}

#[test]
fn a_second_payer_pays_half_of_what_the_first_left() {
    let earlier =
        json!([{ "line": 1, "paid": 6_000, "patient": 2_001 }, { "line": 2, "paid": 2_000, "patient": 2_000 }]);
    let (_, steps) = Memory::default().decide(&claim("SECOND-1", &[("earlier", earlier)]));
    let answer = &remittances(&steps)[0].claims[0];
    assert_eq!((answer.status_code, answer.paid), ("2", 2_000));
    let half = [line(1_000, &["OA-23 7999", "PR-2 1001"]), line(1_000, &["OA-23 3000", "PR-2 1000"])];
    assert_eq!(lines(answer), half);
    // Nobody paid before.
    assert_eq!(lines(&self::answer("SECOND-1"))[0], line(5_000, &["PR-2 5000"]));
}

#[test]
fn a_claim_in_the_place_of_another_takes_its_answer_back() {
    let mut memory = Memory::default();
    memory.decide(&claim("PARTIAL-1", &[]));
    let prior = claim("PARTIAL-1", &[]).id;
    let replacement = [
        ("claimId", json!("c2")),
        ("frequencyCode", json!("7")),
        ("prior", json!({ "claimId": prior, "controlNumber": format!("PCN-{prior}") })),
    ];
    let (case, steps) = memory.decide(&claim("PARTIAL-1", &replacement));
    assert_eq!((case, names(&steps)), (Case::Replace, vec!["accepted", "replaced"]));
    let remittance = remittances(&steps)[0];
    assert_eq!((remittance.payment, unbalanced(remittance)), (2_000, vec![]));
    assert_eq!(remittance.claims[0], answer("PARTIAL-1").reversed());
    assert_eq!((remittance.claims[1].claim_id.as_str(), remittance.claims[1].paid), ("c2", 8_000));

    let void = [
        ("claimId", json!("c3")),
        ("frequencyCode", json!("8")),
        ("prior", json!({ "claimId": "c2", "controlNumber": "PCN-c2" })),
    ];
    let (case, steps) = memory.decide(&claim("PARTIAL-1", &void));
    assert_eq!((case, names(&steps)), (Case::Void, vec!["accepted", "taken back"]));
    let back = remittances(&steps)[0];
    assert_eq!((back.payment, carried(back), unbalanced(back)), (0, vec![("FB", -8_000)], vec![]));
    // What was taken back once is not taken back again.
    let again = [("claimId", json!("c4")), void[1].clone(), void[2].clone()];
    assert_eq!(names(&memory.decide(&claim("PARTIAL-1", &again)).1), ["accepted"]);
}

#[test]
fn what_nobody_knows_is_not_replaced() {
    for frequency in ["7", "8"] {
        for prior in [Value::Null, json!({ "claimId": "nobody's" })] {
            let other = [("frequencyCode", json!(frequency)), ("prior", prior)];
            assert_eq!(names(&Memory::default().decide(&claim("PAY-1", &other)).1), ["rejected"]);
        }
    }
}

#[test]
fn everything_is_the_same_each_time_and_fits_the_contract() {
    for member in EVERY {
        let steps = steps(member);
        assert_eq!(steps, self::steps(member));
        for remittance in remittances(&steps) {
            assert!(remittance.trace.len() <= 50 && remittance.claims.iter().all(|one| one.control_number.len() <= 50));
        }
    }
}

#[test]
fn a_message_is_json_as_the_clinic_reads_it() {
    let steps = steps("PARTIAL-1");
    assert_eq!(
        serde_json::to_value(&steps[0].message).unwrap(),
        json!({
            "acknowledgement": "accepted", "controlNumber": "PCN-01981d5e-0000-7000-8000-000000000001", "reasons": [],
        })
    );
    assert_eq!(
        serde_json::to_value(&steps[1].message).unwrap(),
        json!({
            "payerId": "01981d5e-0000-7000-8000-0000000000aa", "trace": "01981d5e-0000-7000-8000-000000000001-1-1",
            "paidDate": "2026-11-30", "currencyCode": "USD", "payment": 6_000,
            "claims": [{
                "claimId": "01981d5e-0000-7000-8000-000000000001",
                "controlNumber": "PCN-01981d5e-0000-7000-8000-000000000001",
                "statusCode": "1", "billed": 15_000, "paid": 6_000,
                "lines": [
                    { "line": 1, "billed": 10_000, "paid": 6_000, "adjustments": [
                        { "group": "CO", "reason": "45", "amount": 2_000 },
                        { "group": "PR", "reason": "3", "amount": 2_000 },
                    ] },
                    { "line": 2, "billed": 5_000, "paid": 0, "adjustments": [
                        { "group": "CO", "reason": "96", "remark": "N130", "amount": 5_000 },
                    ] },
                ],
            }],
            "providerAdjustments": [],
        })
    );
}

#[test]
fn payments_are_these() {
    let payments: Vec<_> = EVERY.into_iter().map(payments).collect();
    let expected: [&[i64]; 16] = [
        &[8_000],
        &[0],
        &[0],
        &[6_000],
        &[],
        &[8_000],
        &[8_000, 0],
        &[8_000, 0],
        &[8_001, 8_000],
        &[8_000, 8_000],
        &[0, 8_000],
        &[8_150],
        &[16_000],
        &[8_000],
        &[7_500],
        &[0],
    ];
    assert_eq!(payments, expected);
}
