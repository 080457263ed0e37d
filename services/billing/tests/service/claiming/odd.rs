//! Remittances that are wrong, come twice or in another order, and claims that stand for others.

use contracts::billing::v1::{
    self as wire, Acknowledgement, Claim, ClaimFrequency, ClaimPayment, ClaimStatus, Coverage,
};
use libtest_mimic::Trial;
use testkit::{Parts, Result, test};
use tonic::Code;
use uuid::Uuid;

use super::{Visit, adjusted, answer, reversal, sums};
use crate::{
    clearing_house::claimed,
    covering::{coverage, insured},
    desk::{Refused as _, There as _, does_not_add_up, fields, slug},
};

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    let mut trials = wrong(parts);
    trials.extend(late(parts));
    trials.extend(others(parts));
    trials
}

fn paid(claim: &Claim) -> ClaimPayment {
    answer(claim, claim.total - 2_000, vec![adjusted("CO", "45", 2_000)])
}

async fn count(parts: &Parts) -> Result<i64> {
    Ok(parts.sql("select count(*) as count from state.state").await?[0]["count"].as_i64().unwrap_or_default())
}

fn wrong(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_remittance_that_does_not_add_up_is_refused_and_changes_nothing", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let claim = visit.accepted().await?;
            let (before, ledger) = (count(&parts).await?, visit.ledger(&parts).await?);
            let unbalanced = wire::ReceiveRemittanceRequest { payment: 8_001, ..visit.remittance(vec![paid(&claim)]) };
            let refused = visit.receive(unbalanced).await.refused()?;
            assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["/payment".to_owned()]));
            let huge = visit.remittance(vec![ClaimPayment { paid: i64::MAX, ..paid(&claim) }]);
            assert_eq!(fields(&visit.receive(huge).await.refused()?), ["/claims/0", "/payment"]);
            let wordy = ClaimPayment { status_code: "25".to_owned(), claim_id: "x".to_owned(), ..paid(&claim) };
            let wordy = ClaimPayment { adjustments: vec![adjusted("XX", "123456", 1)], ..wordy };
            let pointers = [
                "claims[0].claim_id",
                "claims[0].status_code",
                "claims[0].adjustments[0].group",
                "claims[0].adjustments[0].reason",
            ];
            assert_eq!(fields(&visit.receive(visit.remittance(vec![wordy])).await.refused()?), pointers);
            let stranger = Uuid::now_v7().to_string();
            let stranger =
                wire::ReceiveRemittanceRequest { payer_id: stranger, ..visit.remittance(vec![paid(&claim)]) };
            assert_eq!(slug(&visit.receive(stranger).await.refused()?), "unknown-payer");
            assert_eq!((count(&parts).await?, visit.ledger(&parts).await?), (before, ledger));
            Ok(())
        }),
        test("a_remittance_that_comes_twice_is_booked_once", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let claim = visit.accepted().await?;
            let asked = visit.remittance(vec![paid(&claim)]);
            let at_once = futures::future::join_all((0..4).map(|_| visit.receive(asked.clone()))).await;
            let first = at_once[0].clone()?;
            for again in at_once {
                assert_eq!(again?.remittance_id, first.remittance_id);
            }
            let again = visit.receive(asked.clone()).await?;
            assert_eq!((again.waiting, again.claims[0].booked), (0, true));
            let banked = visit.ledger_of_payer(&parts).await?;
            assert!(banked.contains(&("bank".to_owned(), 8_000)), "{banked:?}");
            let other = wire::ReceiveRemittanceRequest { paid_date: "2026-01-01".to_owned(), ..asked };
            assert_eq!(slug(&visit.receive(other).await.refused()?), "trace-reused");
            // The same answer under another trace is not booked a second time.
            let second = visit.receive(visit.remittance(vec![paid(&claim)])).await?;
            let codes: Vec<_> = second.claims[0].findings.iter().map(|finding| finding.code.as_str()).collect();
            assert_eq!((second.waiting, codes), (1, vec!["answered-already", "not-expected"]));
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("what_cannot_be_booked_waits_with_its_money_and_keeps_no_other_from_it", parts, |parts| async move {
            let (visit, foreign) = (Visit::of(&parts, 10_000).await?, Visit::of(&parts, 10_000).await?);
            let (claim, other) = (visit.accepted().await?, foreign.accepted().await?);
            let unknown = ClaimPayment { claim_id: Uuid::now_v7().to_string(), ..paid(&claim) };
            let uneven = ClaimPayment { billed: 9_999, ..paid(&other) };
            let booked = visit.receive(visit.remittance(vec![unknown, uneven, paid(&claim)])).await?;
            assert_eq!(booked.waiting, 2);
            let codes = |at: usize| -> Vec<_> {
                booked.claims[at].findings.iter().map(|finding| finding.code.clone()).collect()
            };
            assert_eq!(codes(0), ["claim-unknown"]);
            assert_eq!(codes(1), ["claim-unbalanced", "claim-of-other-payer", "billed-differs"]);
            assert!(booked.claims[2].booked);
            // 24,000 came, 8,000 of them have a claim.
            let waits = visit.ledger_of_payer(&parts).await?;
            assert!(waits.contains(&("insurance-unapplied".to_owned(), -16_000)), "{waits:?}");
            let asked = wire::ListRemittancesRequest {
                payer_id: Some(visit.payer.payer_id.clone()),
                waiting: true,
                ..wire::ListRemittancesRequest::default()
            };
            let listed = visit.biller.remittances().list_remittances(asked).await?.into_inner().items;
            assert_eq!(listed.iter().map(|one| &one.remittance_id).collect::<Vec<_>>(), [&booked.remittance_id]);
            let asked = wire::GetRemittanceRequest { remittance_id: booked.remittance_id.clone() };
            let read = visit.biller.remittances().get_remittance(asked).await?.into_inner().remittance.there()?;
            assert_eq!(read, booked, "read later, it says why, too");
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
    ]
}

fn late(parts: &Parts) -> Vec<Trial> {
    vec![
        test("answers_in_another_order_are_booked_in_theirs", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let claim = visit.accepted().await?;
            let (first, second) = (paid(&claim), answer(&claim, 7_000, vec![adjusted("CO", "45", 3_000)]));
            let early = visit.receive(visit.remittance(vec![reversal(&first)])).await?;
            assert_eq!(early.claims[0].findings[0].code, "nothing-to-reverse");
            visit.answered(first).await?;
            let late = visit.receive(visit.remittance(vec![second])).await?;
            assert_eq!(late.waiting, 1, "the first answer stands");
            for waiting in [early, late] {
                let asked = wire::BookRemittanceRequest { remittance_id: waiting.remittance_id };
                let booked =
                    visit.biller.remittances().book_remittance(asked).await?.into_inner().remittance.there()?;
                assert_eq!(booked.waiting, 0);
            }
            let expected = [("contractual-adjustment", 3_000), ("insurance-unapplied", 7_000), ("revenue", -10_000)];
            assert_eq!(visit.ledger(&parts).await?, sums(&expected));
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test(
            "what_is_taken_back_stays_with_the_payer_until_it_keeps_it_of_the_next_payment",
            parts,
            |parts| async move {
                let visit = Visit::of(&parts, 10_000).await?;
                let claim = visit.accepted().await?;
                let first = paid(&claim);
                visit.answered(first.clone()).await?;
                let carried = |reason: &str, amount| wire::ProviderAdjustment {
                    reason: reason.to_owned(),
                    reference: None,
                    amount,
                };
                // A payment is never below nothing: the payer carries it forward.
                let back = wire::ReceiveRemittanceRequest {
                    payment: 0,
                    provider_adjustments: vec![carried("FB", -8_000)],
                    ..visit.remittance(vec![reversal(&first)])
                };
                assert_eq!(visit.receive(back).await?.waiting, 0);
                let owed = visit.ledger_of_payer(&parts).await?;
                assert!(owed.contains(&("insurance-unapplied".to_owned(), -8_000)), "{owed:?}");
                let kept = wire::ReceiveRemittanceRequest {
                    payment: -1_000,
                    provider_adjustments: vec![carried("WO", 8_000)],
                    ..visit.remittance(vec![answer(&claim, 7_000, vec![adjusted("CO", "45", 3_000)])])
                };
                assert_eq!(visit.receive(kept).await?.waiting, 0);
                let even = visit.ledger_of_payer(&parts).await?;
                assert!(!even.iter().any(|(account, _)| account == "insurance-unapplied"), "{even:?}");
                assert!(even.contains(&("bank".to_owned(), 7_000)), "{even:?}");
                assert!(does_not_add_up(&parts).await?.is_empty());
                Ok(())
            },
        ),
    ]
}

fn others(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_claim_that_takes_the_place_of_another_gets_what_that_one_expects", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let old = visit.accepted().await?;
            let first = answer(&old, 5_000, vec![adjusted("CO", "45", 2_000), adjusted("PR", "2", 3_000)]);
            visit.answered(first.clone()).await?;
            let new = successor(&visit, &old, ClaimFrequency::Replacement).await?;
            assert_eq!((new.expected, new.status()), (0, ClaimStatus::Accepted));
            let corrected = visit.claim(&old.claim_id).await?;
            assert_eq!(corrected.status(), ClaimStatus::Corrected);
            assert_eq!(corrected.successor_claim_id.as_deref(), Some(new.claim_id.as_str()));
            assert_eq!(claimed(&new.claim_id)[0]["prior"]["controlNumber"], "ICN-1");
            // Before the payer takes back what it paid, the new answer would come on top.
            let better = answer(&new, 7_000, vec![adjusted("CO", "45", 2_000), adjusted("PR", "2", 1_000)]);
            let early = visit.receive(visit.remittance(vec![better.clone()])).await?;
            assert_eq!(early.claims[0].findings[0].code, "prior-stands");
            visit.answered(reversal(&first)).await?;
            let asked = wire::BookRemittanceRequest { remittance_id: early.remittance_id };
            let booked = visit.biller.remittances().book_remittance(asked).await?.into_inner().remittance.there()?;
            assert_eq!(booked.waiting, 0);
            let expected = sums(&[
                ("contractual-adjustment", 2_000),
                ("insurance-unapplied", 7_000),
                ("patient-receivable", 1_000),
                ("revenue", -10_000),
            ]);
            assert_eq!(visit.ledger(&parts).await?, expected);
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("a_claim_that_is_taken_back_leaves_all_of_it_to_the_patient", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let old = visit.accepted().await?;
            let first = answer(&old, 5_000, vec![adjusted("CO", "45", 2_000), adjusted("CO", "96", 3_000)]);
            visit.answered(first.clone()).await?;
            successor(&visit, &old, ClaimFrequency::Void).await?;
            let voided = visit.claim(&old.claim_id).await?;
            assert_eq!((voided.status(), voided.expected), (ClaimStatus::Voided, 0));
            visit.answered(reversal(&first)).await?;
            assert_eq!(visit.ledger(&parts).await?, sums(&[("patient-receivable", 10_000), ("revenue", -10_000)]));
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("a_second_payer_is_asked_for_what_the_first_left_to_the_patient", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let claim = visit.accepted().await?;
            let line = wire::AnsweredLine {
                line: 1,
                billed: 10_000,
                paid: 6_000,
                adjustments: vec![adjusted("CO", "45", 1_000), adjusted("PR", "2", 3_000)],
            };
            visit.answered(ClaimPayment { lines: vec![line], ..answer(&claim, 6_000, Vec::new()) }).await?;
            let held = Coverage { plan: "Elm Supplement".to_owned(), ..coverage(visit.patient, &visit.payer, 2) };
            let second_payer = crate::covering::payer("Elm Mutual");
            let second_payer = crate::covering::written(&visit.biller, second_payer, Uuid::now_v7()).await?;
            let held = Coverage { payer_id: second_payer.payer_id.clone(), ..held };
            let held = insured(&visit.biller, held, Uuid::now_v7()).await?;
            let second = Visit { payer: second_payer, coverage: held, ..visit.clone() };
            let claim = second.accepted().await?;
            assert_eq!((claim.total, claim.expected), (10_000, 3_000));
            assert_eq!(
                claimed(&claim.claim_id)[0]["earlier"],
                serde_json::json!([{"line": 1, "paid": 6_000, "patient": 3_000}])
            );
            let parts_of_it = vec![adjusted("OA", "23", 7_000), adjusted("PR", "2", 500)];
            let answered = answer(&claim, 2_500, parts_of_it);
            second.answered(ClaimPayment { status_code: "2".to_owned(), ..answered }).await?;
            let expected = sums(&[
                ("contractual-adjustment", 1_000),
                ("insurance-unapplied", 8_500),
                ("patient-receivable", 500),
                ("revenue", -10_000),
            ]);
            assert_eq!(visit.ledger(&parts).await?, expected);
            assert_eq!(second.claim(&claim.claim_id).await?.answer.there()?.prior_payers, 7_000);
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
    ]
}

/// A claim that stands for another, and that its payer has.
async fn successor(visit: &Visit, old: &Claim, frequency: ClaimFrequency) -> Result<Claim> {
    let asked = wire::CreateClaimRequest {
        frequency: frequency.into(),
        prior_claim_id: Some(old.claim_id.clone()),
        ..visit.create()
    };
    let ready = visit.prepare(&visit.written(asked).await?).await?;
    let sent = visit.submit(&ready).await?;
    Ok(visit.acknowledge(&sent, Acknowledgement::Accepted).await?)
}
