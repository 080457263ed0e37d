//! How payers decide, in figures and in the answers behind them.

use contracts::billing::v1::{self as wire, Acknowledgement, ClaimOutcome};
use libtest_mimic::Trial;
use testkit::{Parts, Result, test};
use tonic::Code;
use uuid::Uuid;

use super::{Visit, adjusted, answer, reversal, service};
use crate::{
    closing::today,
    desk::{Desk, Refused as _, There as _, fields, keyed},
};

/// More invoices of the same patient and payer.
async fn further(visit: &Visit) -> Result<Visit> {
    // Of other services, or they would be the same as those before.
    let code = format!("9921{}", Uuid::now_v7().as_bytes()[15] % 10);
    let modifier = wire::InvoiceLine { modifiers: vec!["76".to_owned()], ..service(&code, 10_000) };
    Ok(Visit { invoice: Visit::issued(&visit.biller, visit.patient, vec![modifier]).await?, ..visit.clone() })
}

async fn rates(desk: &Desk, payer: &str) -> Result<wire::GetClaimRatesResponse> {
    let day = today().to_string();
    let asked = wire::GetClaimRatesRequest { from: day.clone(), to: day, payer_id: Some(payer.to_owned()) };
    Ok(desk.reports().get_claim_rates(asked).await?.into_inner())
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![test("first_answers_are_counted_and_listed", parts, |parts| async move {
        let visit = Visit::of(&parts, 10_000).await?;
        let payer = visit.payer.payer_id.clone();
        assert_eq!(rates(&visit.biller, &payer).await?, wire::GetClaimRatesResponse::default());
        // Paid at first, and again after it was taken back, which counts no more.
        let claim = visit.accepted().await?;
        let paid = answer(&claim, 10_000, Vec::new());
        visit.answered(paid.clone()).await?;
        visit.answered(reversal(&paid)).await?;
        visit.answered(answer(&claim, 0, vec![adjusted("CO", "29", 10_000)])).await?;
        let denied = further(&visit).await?;
        let claim = denied.accepted().await?;
        denied.answered(answer(&claim, 0, vec![adjusted("CO", "29", 10_000)])).await?;
        let partly = further(&visit).await?;
        let claim = partly.accepted().await?;
        partly.answered(answer(&claim, 9_000, vec![adjusted("CO", "96", 1_000)])).await?;
        // Paid, but not at first.
        let back = further(&visit).await?;
        let claim = back.submitted().await?;
        let claim = back.acknowledge(&claim, Acknowledgement::Rejected).await?;
        let asked = wire::ReviseClaimRequest { claim_id: claim.claim_id.clone(), expected_version: claim.version };
        let draft =
            back.biller.claims().revise_claim(keyed(asked, Uuid::now_v7())).await?.into_inner().claim.there()?;
        let claim = back.submit(&back.prepare(&draft).await?).await?;
        back.answered(answer(&claim, 10_000, Vec::new())).await?;

        let told = rates(&visit.biller, &payer).await?;
        let counts = (told.answered, told.denied, told.partially_denied, told.first_pass);
        assert_eq!(counts, (4, 1, 1, 1));
        assert_eq!(told.denial_rate_millionths, Some(500_000));
        assert_eq!(told.first_pass_rate_millionths, Some(250_000));

        let day = today().to_string();
        let mut listed = Vec::new();
        let mut cursor = None;
        loop {
            let asked = wire::ListClaimAnswersRequest {
                from: day.clone(),
                to: day.clone(),
                payer_id: Some(payer.clone()),
                limit: Some(1),
                cursor: cursor.take(),
                ..wire::ListClaimAnswersRequest::default()
            };
            let page = visit.biller.reports().list_claim_answers(asked).await?.into_inner();
            listed.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let first_pass = listed.iter().filter(|one| one.first_pass).count();
        let denied = listed.iter().filter(|one| one.outcome() == ClaimOutcome::Denied).count();
        assert_eq!((listed.len(), first_pass, denied), (4, 1, 1), "the figures, answer by answer");
        let bad = wire::GetClaimRatesRequest { from: "x".to_owned(), to: day, payer_id: Some("y".to_owned()) };
        let refused = visit.biller.reports().get_claim_rates(bad).await.refused()?;
        assert_eq!(
            (refused.code(), fields(&refused)),
            (Code::InvalidArgument, vec!["from".to_owned(), "payer_id".to_owned()])
        );
        Ok(())
    })]
}
