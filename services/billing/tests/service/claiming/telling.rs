//! What is told of claims, and of the acts by which they move money.

use contracts::billing::v1::{self as wire, ClaimChanged, ClaimOutcome, ClaimSnapshot, ClaimStatus};
use libtest_mimic::Trial;
use testkit::{Parts, Result, test};

use super::{Visit, adjusted, answer, reversal};
use crate::{
    closing::today,
    desk::{There as _, does_not_add_up},
    posting::told,
};

/// What a claim has told last.
async fn snapshot(parts: &Parts, claim: &str) -> Result<ClaimSnapshot> {
    let events = format!(
        "select convert_from(value, 'UTF8')::jsonb #> '{{events,0,event,data}}' as data from state.state where key = 'claim/{claim}'"
    );
    let data = parts.sql(&events).await?.remove(0)["data"].take();
    serde_json::from_value::<ClaimChanged>(data)?.claim.there()
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("an_answer_is_told_with_its_moves_and_what_takes_it_back_with_theirs", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let claim = visit.accepted().await?;
            let parts_of = vec![adjusted("CO", "45", 1_000), adjusted("CO", "96", 3_000), adjusted("PR", "2", 1_000)];
            let partly = answer(&claim, 5_000, parts_of);
            visit.answered(partly.clone()).await?;
            visit.close(&visit.claim(&claim.claim_id).await?).await?;
            visit.answered(reversal(&partly)).await?;

            let meant = format!("patient_id = '{}'", visit.patient);
            let told_acts = told(&parts, &meant).await?;
            let acts: Vec<_> = told_acts.iter().map(|entry| entry.act.as_str()).collect();
            let done = ["invoice-issued", "claim-submitted", "claim-answered", "claim-closed", "claim-reversed"];
            assert_eq!(acts, done);
            let of_claim = told_acts[1..].iter().flat_map(|entry| &entry.moves);
            for one in of_claim {
                assert_eq!((&one.invoice_id, &one.claim_id), (&visit.invoice.invoice_id, &claim.claim_id), "{one:?}");
                assert_eq!((&one.payer_id, one.credit_claim_id.as_str()), (&visit.payer.payer_id, ""));
                assert_eq!(one.clinic_id, visit.invoice.clinic_id);
                assert_eq!(one.services, [wire::ServiceShare { service_code: "99213".to_owned(), amount: one.amount }]);
            }
            let amounts = |at: usize| told_acts[at].moves.iter().map(|one| one.amount).sum::<i64>();
            assert_eq!([1, 2, 3, 4].map(amounts), [10_000, 7_000, 3_000, 10_000]);

            // The payer's money is of nobody in particular.
            let banked = format!(
                "act.act = 'remittance-received' and exists (select from projection.postings as p \
                where p.journal_id = act.journal_id and payer_id = '{}')",
                visit.payer.payer_id
            );
            let banked = told(&parts, &banked).await?;
            assert_eq!(banked.len(), 2, "the payment and what was taken back");
            let first = &banked[0];
            assert_eq!((first.patient_id.as_str(), first.clinic_id.as_str(), first.moves[0].amount), ("", "", 5_000));
            assert!(first.moves[0].services.is_empty());
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("a_claim_that_takes_anothers_place_names_both", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let claim = visit.accepted().await?;
            visit.answered(answer(&claim, 7_000, vec![adjusted("CO", "96", 3_000)])).await?;
            let asked = wire::CreateClaimRequest {
                frequency: wire::ClaimFrequency::Replacement.into(),
                prior_claim_id: Some(claim.claim_id.clone()),
                ..visit.create()
            };
            let second = visit.submit(&visit.prepare(&visit.written(asked).await?).await?).await?;
            visit.acknowledge(&second, wire::Acknowledgement::Accepted).await?;
            let told =
                told(&parts, &format!("patient_id = '{}' and act = 'claim-acknowledged'", visit.patient)).await?;
            let moved = &told.last().there()?.moves[0];
            assert_eq!((&moved.claim_id, &moved.credit_claim_id), (&second.claim_id, &claim.claim_id));
            assert_eq!((moved.debit(), moved.amount), (moved.credit(), 3_000), "what is expected stays expected");
            Ok(())
        }),
        test("the_first_answer_stays_in_every_later_snapshot", parts, |parts| async move {
            let visit = Visit::of(&parts, 10_000).await?;
            let claim = visit.accepted().await?;
            let before = snapshot(&parts, &claim.claim_id).await?;
            assert_eq!((before.first_answer, before.clinic_id), (None, visit.invoice.clinic_id.clone()));
            let partly = answer(&claim, 6_000, vec![adjusted("CO", "45", 1_000), adjusted("CO", "96", 3_000)]);
            visit.answered(partly.clone()).await?;
            let first = wire::ClaimFirstAnswer {
                date: today().to_string(),
                outcome: ClaimOutcome::PartiallyPaid.into(),
                first_pass: false,
                billed: 10_000,
                paid: 6_000,
                denied: Some(3_000),
            };
            assert_eq!(snapshot(&parts, &claim.claim_id).await?.first_answer.as_ref(), Some(&first));
            visit.answered(reversal(&partly)).await?;
            visit.answered(answer(&claim, 10_000, Vec::new())).await?;
            let now = snapshot(&parts, &claim.claim_id).await?;
            assert_eq!((now.status(), now.paid), (ClaimStatus::AdjudicatedPaid, 10_000));
            assert_eq!(now.first_answer, Some(first), "it is what denials are counted by");

            let other = Visit::of(&parts, 10_000).await?;
            let claim = other.accepted().await?;
            other.answered(answer(&claim, 10_000, Vec::new())).await?;
            let passed = snapshot(&parts, &claim.claim_id).await?.first_answer.there()?;
            assert_eq!((passed.first_pass, passed.outcome(), passed.denied), (true, ClaimOutcome::Paid, Some(0)));
            Ok(())
        }),
    ]
}
