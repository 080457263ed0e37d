//! What a plan should pay, before it is asked.

use contracts::billing::v1::{self as wire, FeeSchedule};
use libtest_mimic::Trial;
use testkit::{Parts, Result, test};

use super::{Visit, adjusted, answer, service};
use crate::{
    clearing_house::claimed,
    desk::does_not_add_up,
    drafting::{fee, put_up, schedule},
};

async fn estimate(visit: &Visit, claim: &wire::Claim) -> Result<wire::EstimateClaimResponse> {
    let asked = wire::EstimateClaimRequest { claim_id: claim.claim_id.clone() };
    Ok(visit.biller.claims().estimate_claim(asked).await?.into_inner())
}

/// What the patient would owe: copay, deductible, coinsurance.
fn shares(estimate: &wire::EstimateClaimResponse) -> Vec<(i64, i64, i64, i64, i64)> {
    let of = |line: &wire::EstimatedLine| (line.allowed, line.copay, line.deductible, line.coinsurance, line.paid);
    estimate.lines.iter().map(of).collect()
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![test("an_estimate_is_by_the_contract_the_terms_and_what_was_used", parts, |parts| async move {
        // A deductible of 50,000, and a fifth of what is above it.
        let visit = Visit::with(&parts, "W1", vec![service("99215", 80_000), service("85025", 10_000)]).await?;
        let own = FeeSchedule {
            payer_id: Some(visit.payer.payer_id.clone()),
            ..schedule("2026-01-01", vec![fee("99215", None, 70_000)])
        };
        put_up(&parts, own).await?;
        let claim = visit.accepted().await?;
        let first = estimate(&visit, &claim).await?;
        // The second service has no contract: what is billed is allowed.
        assert_eq!(shares(&first), [(70_000, 0, 50_000, 4_000, 16_000), (10_000, 0, 0, 2_000, 8_000)]);
        assert_eq!((first.paid, first.patient), (24_000, 56_000));
        assert_eq!(
            first.lines[0].adjustments,
            [
                wire::ClaimAdjustment {
                    text: Some("above the contract's price".to_owned()),
                    ..adjusted("CO", "45", 10_000)
                },
                wire::ClaimAdjustment {
                    text: Some("goes to the deductible".to_owned()),
                    ..adjusted("PR", "1", 50_000)
                },
                wire::ClaimAdjustment {
                    text: Some("the member's percentage".to_owned()),
                    ..adjusted("PR", "2", 4_000)
                },
            ]
        );
        // The answer uses the deductible up; the claim's own estimate is as if it were not there.
        let paid = vec![adjusted("CO", "45", 10_000), adjusted("PR", "1", 50_000), adjusted("PR", "2", 6_000)];
        visit.answered(answer(&claim, 24_000, paid)).await?;
        assert_eq!(estimate(&visit, &claim).await?, first);
        let next = wire::InvoiceLine { modifiers: vec!["76".to_owned()], ..service("99215", 80_000) };
        let next = Visit { invoice: Visit::issued(&visit.biller, visit.patient, vec![next]).await?, ..visit.clone() };
        let draft = next.draft().await?;
        let second = estimate(&next, &draft).await?;
        assert_eq!(shares(&second), [(70_000, 0, 0, 14_000, 56_000)]);
        assert!(claimed(&draft.claim_id).is_empty(), "nobody is asked");
        assert_eq!(next.claim(&draft.claim_id).await?, draft, "and nothing is changed");
        assert!(does_not_add_up(&parts).await?.is_empty());
        Ok(())
    })]
}
