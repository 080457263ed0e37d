//! From an invoice to a claim that its payer has.

use std::time::{Duration, Instant};

use contracts::billing::v1::{self as wire, Acknowledgement, ClaimContent, ClaimStatus};
use futures::future::join_all;
use libtest_mimic::Trial;
use serde_json::json;
use testkit::{Parts, test};
use tonic::Code;
use uuid::Uuid;

use super::{NPI, Visit, content, service, sums};
use crate::{
    clearing_house::{OF_SILENT_PAYER, OF_UNKNOWN_PAYER, claimed},
    desk::{Refused as _, does_not_add_up, fields, keyed, slug},
};

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    let mut trials = writing(parts);
    trials.extend(going(parts));
    trials
}

fn writing(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_claim_is_scrubbed_mended_and_sent_and_its_payer_owes_what_it_asks_for", parts, |parts| async move {
            let visit = Visit::of(&parts, 15_000).await?;
            let draft = visit.written(wire::CreateClaimRequest { content: None, ..visit.create() }).await?;
            assert_eq!((draft.status(), draft.total, draft.expected), (ClaimStatus::Draft, 15_000, 0));
            assert_eq!(draft.lines[0].procedure, "99213");
            let unclean = visit.prepare(&draft).await.refused()?;
            assert_eq!(slug(&unclean), "claim-not-clean");
            assert_eq!(fields(&unclean), ["/content/billingProvider", "/content/renderingProvider"]);
            let asked = wire::AmendClaimRequest {
                claim_id: draft.claim_id.clone(),
                expected_version: draft.version,
                content: Some(content()),
            };
            let mended = visit.biller.claims().amend_claim(keyed(asked, Uuid::now_v7())).await?.into_inner().claim;
            let ready = visit.prepare(&mended.unwrap_or_default()).await?;
            assert_eq!((ready.status(), ready.version), (ClaimStatus::Ready, 3));
            let sent = visit.submit(&ready).await?;
            assert_eq!((sent.status(), sent.expected), (ClaimStatus::Submitted, 15_000));
            assert!(sent.submitted_time.is_some() && sent.sent_time.is_some(), "{sent:?}");
            let invoice = visit.biller.invoice(&visit.invoice.invoice_id).await?;
            let balance = invoice.balance.unwrap_or_default();
            assert_eq!((balance.patient_open, balance.insurance_open), (0, 15_000));
            assert_eq!(visit.ledger(&parts).await?, sums(&[("insurance-receivable", 15_000), ("revenue", -15_000)]));

            let told = claimed(&sent.claim_id);
            assert_eq!(told.len(), 1);
            assert_eq!(told[0]["patient"]["name"], "Dr Ada Okafor");
            assert_eq!(
                told[0]["subscriber"],
                json!({"memberId": "W123456789", "group": "4711", "relationship": "self"})
            );
            assert_eq!((&told[0]["submission"], &told[0]["frequencyCode"]), (&json!(1), &json!("1")));
            assert_eq!(told[0]["lines"][0]["diagnosisPointers"], json!([1]));
            assert_eq!(told[0]["billingProvider"], NPI);
            // Who the patient is stands in no document but the one that erasure reaches.
            let named = parts.sql("select key from state.state where convert_from(value, 'UTF8') like '%Okafor%' and key not like 'invoice-recipient/%' and key not like 'claim-patient/%'").await?;
            assert!(named.is_empty(), "{named:?}");
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
        test("a_claim_names_what_is_wrong_with_what_it_is_made_of", parts, |parts| async move {
            let (visit, other) = (Visit::of(&parts, 5_000).await?, Visit::of(&parts, 5_000).await?);
            let refused = async |asked: wire::CreateClaimRequest| {
                let status = visit.written(asked).await.refused()?;
                anyhow::Ok((slug(&status), fields(&status)))
            };
            let pairs = |slug: &str, field: &str| (slug.to_owned(), vec![field.to_owned()]);
            let foreign =
                wire::CreateClaimRequest { coverage_id: other.coverage.coverage_id.clone(), ..visit.create() };
            assert_eq!(refused(foreign).await?, pairs("unknown-coverage", "coverage_id"));
            let nowhere = wire::CreateClaimRequest { invoice_id: Uuid::now_v7().to_string(), ..visit.create() };
            assert_eq!(refused(nowhere).await?, pairs("unknown-invoice", "invoice_id"));
            let line = wire::ClaimLineContent { line: 2, ..wire::ClaimLineContent::default() };
            let beyond = ClaimContent { lines: vec![line], ..content() };
            let beyond = wire::CreateClaimRequest { content: Some(beyond), ..visit.create() };
            assert_eq!(refused(beyond).await?.1, ["content.lines[0].line"]);
            let replaced = wire::CreateClaimRequest {
                frequency: wire::ClaimFrequency::Replacement.into(),
                prior_claim_id: Some(Uuid::now_v7().to_string()),
                ..visit.create()
            };
            assert_eq!(refused(replaced.clone()).await?, pairs("not-a-prior-claim", "prior_claim_id"));
            let alone = wire::CreateClaimRequest { prior_claim_id: None, ..replaced };
            assert_eq!(refused(alone).await?.1, ["prior_claim_id"]);
            let empty = wire::CreateClaimRequest::default();
            assert_eq!(refused(empty).await?.1, ["invoice_id", "coverage_id"]);
            Ok(())
        }),
        test("one_claim_stands_for_an_invoice_and_payer_whoever_writes_it", parts, |parts| async move {
            let visit = Visit::of(&parts, 5_000).await?;
            let written = join_all((0..8).map(|_| visit.written(visit.create()))).await;
            let (done, refused): (Vec<_>, Vec<_>) = written.into_iter().partition(Result::is_ok);
            assert_eq!(done.len(), 1);
            for refused in refused {
                assert_eq!(slug(&refused.refused()?), "claim-exists");
            }
            let claim = done.into_iter().flatten().next().unwrap_or_default();
            // The database knows it by itself.
            let second = format!(
                "insert into state.state (key, value) select 'claim/' || gen_random_uuid(), convert_to(jsonb_set( \
                 convert_from(value, 'UTF8')::jsonb - 'events' - 'audit', '{{version}}', '1')::text, 'UTF8') from state.state where key = 'claim/{}'",
                claim.claim_id
            );
            let refused = parts.execute(&second).await.err().map(|error| format!("{error:?}")).unwrap_or_default();
            assert!(refused.contains("claims_live_key"), "{refused}");
            let asked = wire::WithdrawClaimRequest {
                claim_id: claim.claim_id.clone(),
                expected_version: claim.version,
                reason: "the wrong coverage".to_owned(),
            };
            visit.biller.claims().withdraw_claim(keyed(asked, Uuid::now_v7())).await?;
            visit.draft().await?;
            Ok(())
        }),
        test("a_key_repeats_an_answer_and_serves_one_request", parts, |parts| async move {
            let visit = Visit::of(&parts, 5_000).await?;
            let key = Uuid::now_v7();
            let first = visit.biller.claims().create_claim(keyed(visit.create(), key)).await?.into_inner();
            let claim = first.claim.clone().unwrap_or_default();
            visit.prepare(&claim).await?;
            let again = visit.biller.claims().create_claim(keyed(visit.create(), key)).await?.into_inner();
            assert_eq!(again, first, "as it was when it was written");
            let other = wire::CreateClaimRequest { content: None, ..visit.create() };
            let other = visit.biller.claims().create_claim(keyed(other, key)).await.refused()?;
            assert_eq!(slug(&other), "idempotency-key-reused");
            let stale = visit.submit(&claim).await.refused()?;
            assert_eq!(stale.code(), Code::Aborted);
            Ok(())
        }),
    ]
}

fn going(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_claim_that_nobody_takes_is_submitted_all_the_same_and_sent_again", parts, |parts| async move {
            let visit = Visit::with(&parts, OF_SILENT_PAYER, vec![service("99213", 5_000)]).await?;
            let began = Instant::now();
            let claim = visit.submitted().await?;
            assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
            assert_eq!((claim.status(), claim.sent_time.is_none()), (ClaimStatus::Submitted, true));
            let patience = Instant::now() + Duration::from_secs(45);
            loop {
                let now = visit.claim(&claim.claim_id).await?;
                if now.sent_time.is_some() {
                    break;
                }
                anyhow::ensure!(Instant::now() < patience, "it was never sent again");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            let told = claimed(&claim.claim_id);
            assert_eq!(told.len(), 2);
            assert_eq!(told[0], told[1], "the same claim and submission");
            Ok(())
        }),
        test("a_claim_that_is_refused_at_the_door_is_rejected", parts, |parts| async move {
            let visit = Visit::with(&parts, OF_UNKNOWN_PAYER, vec![service("99213", 5_000)]).await?;
            let claim = visit.submitted().await?;
            assert_eq!((claim.status(), claim.sent_time.is_none()), (ClaimStatus::Rejected, true));
            assert_eq!(claim.payer_reasons, ["the clearing house refuses it with status 422"]);
            // Read and written as it is, it says the same.
            let asked = wire::ReviseClaimRequest { claim_id: claim.claim_id.clone(), expected_version: claim.version };
            let draft = visit.biller.claims().revise_claim(keyed(asked, Uuid::now_v7())).await?.into_inner().claim;
            let draft = draft.unwrap_or_default();
            let asked = wire::AmendClaimRequest {
                claim_id: draft.claim_id.clone(),
                expected_version: draft.version,
                content: draft.content.clone(),
            };
            let amended = visit.biller.claims().amend_claim(keyed(asked, Uuid::now_v7())).await?.into_inner().claim;
            let amended = amended.unwrap_or_default();
            assert_eq!((amended.content, amended.lines), (draft.content, draft.lines));
            Ok(())
        }),
        test("a_claim_that_is_sent_back_is_mended_and_sent_as_its_second_submission", parts, |parts| async move {
            let visit = Visit::of(&parts, 5_000).await?;
            let claim = visit.submitted().await?;
            let asked = wire::AcknowledgeClaimRequest {
                claim_id: claim.claim_id.clone(),
                acknowledgement: Acknowledgement::Rejected.into(),
                control_number: None,
                reasons: vec!["the subscriber is not known".to_owned()],
            };
            let back = visit.biller.claims().acknowledge_claim(keyed(asked, Uuid::now_v7())).await?.into_inner();
            let back = back.claim.unwrap_or_default();
            assert_eq!(back.status(), ClaimStatus::Rejected);
            assert_eq!(back.payer_reasons, ["the subscriber is not known"]);
            assert_eq!(back.expected, 5_000, "it is still the payer's to pay");
            let asked = wire::ReviseClaimRequest { claim_id: back.claim_id.clone(), expected_version: back.version };
            let draft = visit.biller.claims().revise_claim(keyed(asked, Uuid::now_v7())).await?.into_inner().claim;
            let ready = visit.prepare(&draft.unwrap_or_default()).await?;
            let sent = visit.submit(&ready).await?;
            assert_eq!((sent.status(), sent.expected), (ClaimStatus::Submitted, 5_000));
            let told: Vec<_> = claimed(&sent.claim_id).iter().map(|told| told["submission"].clone()).collect();
            assert_eq!(told, [json!(1), json!(2)]);
            assert!(does_not_add_up(&parts).await?.is_empty());
            Ok(())
        }),
    ]
}
