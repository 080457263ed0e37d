//! What payers answer: each case with the ledger that it leads to.

use contracts::billing::v1::{self as wire, ClaimPayment, ClaimStatus, PaymentMethod};
use libtest_mimic::Trial;
use testkit::{Parts, Result, test};
use uuid::Uuid;

use super::{Visit, adjusted, answer, reversal, service, sums};
use crate::desk::{There as _, does_not_add_up, payment};

/// An answer, and what it leads to.
struct Case {
    name: &'static str,
    answer: fn(&wire::Claim) -> ClaimPayment,
    status: ClaimStatus,
    expected: i64,
    ledger: &'static [(&'static str, i64)],
}

/// Of a claim of 10,000.
const CASES: [Case; 8] = [
    Case {
        name: "paid with a contract and a copay",
        answer: |claim| answer(claim, 6_000, vec![adjusted("CO", "45", 2_000), adjusted("PR", "3", 2_000)]),
        status: ClaimStatus::AdjudicatedPaid,
        expected: 0,
        ledger: &[
            ("contractual-adjustment", 2_000),
            ("insurance-unapplied", 6_000),
            ("patient-receivable", 2_000),
            ("revenue", -10_000),
        ],
    },
    Case {
        name: "all deductible",
        answer: |claim| answer(claim, 0, vec![adjusted("CO", "45", 1_500), adjusted("PR", "1", 8_500)]),
        status: ClaimStatus::AdjudicatedPaid,
        expected: 0,
        ledger: &[("contractual-adjustment", 1_500), ("patient-receivable", 8_500), ("revenue", -10_000)],
    },
    Case {
        name: "paid in full",
        answer: |claim| answer(claim, 10_000, Vec::new()),
        status: ClaimStatus::AdjudicatedPaid,
        expected: 0,
        ledger: &[("insurance-unapplied", 10_000), ("revenue", -10_000)],
    },
    Case {
        name: "denied in whole",
        answer: |claim| {
            let denied = answer(claim, 0, vec![adjusted("CO", "29", 10_000)]);
            ClaimPayment { status_code: "4".to_owned(), ..denied }
        },
        status: ClaimStatus::Denied,
        expected: 10_000,
        ledger: &[("insurance-receivable", 10_000), ("revenue", -10_000)],
    },
    Case {
        name: "denied, and the patient's to pay",
        answer: |claim| answer(claim, 0, vec![adjusted("PR", "204", 10_000)]),
        status: ClaimStatus::Denied,
        expected: 0,
        ledger: &[("patient-receivable", 10_000), ("revenue", -10_000)],
    },
    Case {
        name: "denied in part",
        answer: |claim| {
            let parts = vec![adjusted("CO", "45", 1_000), adjusted("CO", "96", 3_000), adjusted("PR", "2", 1_000)];
            answer(claim, 5_000, parts)
        },
        status: ClaimStatus::PartiallyPaid,
        expected: 3_000,
        ledger: &[
            ("contractual-adjustment", 1_000),
            ("insurance-receivable", 3_000),
            ("insurance-unapplied", 5_000),
            ("patient-receivable", 1_000),
            ("revenue", -10_000),
        ],
    },
    Case {
        name: "cut by law",
        answer: |claim| answer(claim, 9_800, vec![adjusted("CO", "253", 200)]),
        status: ClaimStatus::AdjudicatedPaid,
        expected: 0,
        ledger: &[("contractual-adjustment", 200), ("insurance-unapplied", 9_800), ("revenue", -10_000)],
    },
    Case {
        name: "answered line by line",
        answer: |claim| {
            let line = wire::AnsweredLine {
                line: 1,
                billed: 10_000,
                paid: 7_000,
                adjustments: vec![adjusted("CO", "45", 2_500), adjusted("PR", "2", 500)],
            };
            ClaimPayment { lines: vec![line], ..answer(claim, 7_000, Vec::new()) }
        },
        status: ClaimStatus::AdjudicatedPaid,
        expected: 0,
        ledger: &[
            ("contractual-adjustment", 2_500),
            ("insurance-unapplied", 7_000),
            ("patient-receivable", 500),
            ("revenue", -10_000),
        ],
    },
];

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("each_answer_leads_to_its_ledger_and_taking_it_back_leads_back", parts, |parts| async move {
            for case in &CASES {
                let visit = Visit::of(&parts, 10_000).await?;
                let claim = visit.accepted().await?;
                let before = visit.ledger(&parts).await?;
                let answer = (case.answer)(&claim);
                for round in 0..2 {
                    let remittance = visit.answered(answer.clone()).await?;
                    let now = visit.claim(&claim.claim_id).await?;
                    assert_eq!((now.status(), now.expected), (case.status, case.expected), "{} {round}", case.name);
                    assert_eq!(now.answer.there()?.remittance_id, remittance.remittance_id);
                    assert_eq!(visit.ledger(&parts).await?, sums(case.ledger), "{} {round}", case.name);
                    visit.answered(reversal(&answer)).await?;
                    let now = visit.claim(&claim.claim_id).await?;
                    assert_eq!((now.status(), now.answer), (ClaimStatus::Pended, None), "{}", case.name);
                    assert_eq!(visit.ledger(&parts).await?, before, "{}", case.name);
                }
            }
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("the_money_of_a_payer_is_in_the_bank_and_used_by_its_claims", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let claim = visit.accepted().await?;
            let answer = answer(&claim, 8_000, vec![adjusted("CO", "45", 2_000)]);
            let interest = wire::ProviderAdjustment { reason: "L6".to_owned(), reference: None, amount: -150 };
            let asked = wire::ReceiveRemittanceRequest {
                payment: 8_150,
                provider_adjustments: vec![interest],
                ..visit.remittance(vec![answer])
            };
            assert_eq!(visit.receive(asked).await?.waiting, 0);
            let expected = [("bank", 8_150), ("contractual-adjustment", 2_000), ("interest-income", -150)];
            let whole = sums(&[expected.as_slice(), &[("insurance-receivable", -10_000)]].concat());
            let mut found = visit.ledger_of_payer(&parts).await?;
            // What the submission moved to the payer stands there, too.
            found.retain(|(account, _)| account != "insurance-receivable");
            assert_eq!(
                found,
                whole.into_iter().filter(|(account, _)| account != "insurance-receivable").collect::<Vec<_>>()
            );
            // It is listed, too, and is no patient's.
            let asked = wire::ListPostingsRequest {
                payer_id: Some(visit.payer.payer_id.clone()),
                act: Some("remittance-received".to_owned()),
                ..wire::ListPostingsRequest::default()
            };
            let postings = visit.biller.ledger().list_postings(asked).await?.into_inner().items;
            assert_eq!(postings.len(), 4);
            assert!(postings.iter().all(|posting| posting.patient_id.is_none()), "{postings:?}");
            Ok(())
        }),
        test("what_the_patient_paid_too_much_is_theirs_again", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            // At the desk, before anybody asks the payer.
            visit.biller.pay(payment(visit.patient, PaymentMethod::Cash, 3_000), Uuid::now_v7()).await?;
            let claim = visit.accepted().await?;
            assert_eq!((claim.total, claim.expected), (10_000, 7_000));
            let answer = answer(&claim, 8_000, vec![adjusted("CO", "45", 1_000), adjusted("PR", "3", 1_000)]);
            visit.answered(answer.clone()).await?;
            let ledger = [
                ("contractual-adjustment", 1_000),
                ("insurance-unapplied", 8_000),
                ("revenue", -10_000),
                ("unapplied", 0),
            ];
            let expected: Vec<_> = ledger.into_iter().filter(|(_, amount)| *amount != 0).collect();
            let found = visit.ledger(&parts).await?;
            assert_eq!(found, sums(&expected));
            assert_eq!(unapplied(&parts, visit.patient).await?, 2_000, "of 3,000 they owe 1,000");
            // Taking it back does not take the patient's copay.
            visit.answered(reversal(&answer)).await?;
            assert_eq!(unapplied(&parts, visit.patient).await?, 2_000);
            visit.answered(answer).await?;
            assert_eq!(visit.ledger(&parts).await?, sums(&expected));
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("a_patient_who_has_paid_keeps_what_was_paid_through_a_reversal", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let claim = visit.accepted().await?;
            let first = answer(&claim, 6_000, vec![adjusted("CO", "45", 2_000), adjusted("PR", "2", 2_000)]);
            visit.answered(first.clone()).await?;
            visit.biller.pay(payment(visit.patient, PaymentMethod::Cash, 2_000), Uuid::now_v7()).await?;
            assert_eq!(visit.biller.invoice(&visit.invoice.invoice_id).await?.status(), wire::InvoiceStatus::Paid);
            let second = answer(&claim, 5_000, vec![adjusted("CO", "45", 2_000), adjusted("PR", "2", 3_000)]);
            // A payer takes back and answers anew in one remittance, in any order.
            let both = visit.remittance(vec![second, reversal(&first)]);
            assert_eq!(visit.receive(both).await?.waiting, 0);
            let invoice = visit.biller.invoice(&visit.invoice.invoice_id).await?;
            let balance = invoice.balance.unwrap_or_default();
            assert_eq!((balance.patient_paid, balance.patient_open, balance.insurance_open), (2_000, 1_000, 0));
            assert_eq!(unapplied(&parts, visit.patient).await?, 0);
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test(
            "what_was_denied_is_given_up_when_the_claim_is_closed_and_comes_back_with_a_reversal",
            parts,
            |parts| async move {
                let visit = Visit::with(&parts, "W1", vec![service("99213", 6_000), service("85025", 4_000)]).await?;
                let claim = visit.accepted().await?;
                let line =
                    |line, paid, adjustments: Vec<_>, billed| wire::AnsweredLine { line, billed, paid, adjustments };
                let denied = ClaimPayment {
                    lines: vec![
                        line(1, 5_000, vec![adjusted("PR", "1", 1_000)], 6_000),
                        line(2, 0, vec![adjusted("CO", "96", 4_000)], 4_000),
                    ],
                    ..answer(&claim, 5_000, Vec::new())
                };
                visit.answered(denied.clone()).await?;
                let now = visit.claim(&claim.claim_id).await?;
                assert_eq!((now.status(), now.expected), (ClaimStatus::PartiallyPaid, 4_000));
                assert_eq!(now.payer_reasons, ["CO-96: a charge that is not covered"]);
                let closed = visit.close(&now).await?;
                assert_eq!((closed.status(), closed.expected), (ClaimStatus::Closed, 0));
                let with_write_off = sums(&[
                    ("denial-write-off", 4_000),
                    ("insurance-unapplied", 5_000),
                    ("patient-receivable", 1_000),
                    ("revenue", -10_000),
                ]);
                assert_eq!(visit.ledger(&parts).await?, with_write_off);
                assert_eq!(used(&parts, &visit.coverage.coverage_id).await?, Some((1_000, 1_000)));
                visit.answered(reversal(&denied)).await?;
                assert_eq!(
                    visit.ledger(&parts).await?,
                    sums(&[("insurance-receivable", 10_000), ("revenue", -10_000)])
                );
                assert_eq!(used(&parts, &visit.coverage.coverage_id).await?, None, "as if it had never been answered");
                visit.answered(denied).await?;
                visit.close(&visit.claim(&claim.claim_id).await?).await?;
                assert_eq!(visit.ledger(&parts).await?, with_write_off);
                assert_eq!(used(&parts, &visit.coverage.coverage_id).await?, Some((1_000, 1_000)));
                assert!(does_not_add_up(&parts).await?.is_empty());
                Ok(())
            },
        ),
    ]
}

async fn unapplied(parts: &Parts, patient: Uuid) -> Result<i64> {
    let sum = format!(
        "select coalesce(sum(unapplied), 0)::bigint as sum from projection.account_balances where patient_id = '{patient}'"
    );
    Ok(parts.sql(&sum).await?[0]["sum"].as_i64().unwrap_or_default())
}

/// Deductible and out-of-pocket that a member has used.
async fn used(parts: &Parts, coverage: &str) -> Result<Option<(i64, i64)>> {
    let sums =
        format!("select deductible, out_of_pocket from projection.accumulators where coverage_id = '{coverage}'");
    let rows = parts.sql(&sums).await?;
    Ok(rows.first().and_then(|row| Some((row["deductible"].as_i64()?, row["out_of_pocket"].as_i64()?))))
}
