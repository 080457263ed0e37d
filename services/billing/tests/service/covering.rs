//! Payers, and who insures whom.

mod asking;
mod refusing;

use std::time::{Duration, Instant};

use access::Role;
use contracts::billing::v1::{
    ClaimFiling, Coverage, CoverageStatus, CoverageTerms, CreateCoverageRequest, CreatePayerRequest,
    GetCoverageRequest, GetPayerRequest, ListCoveragesRequest, ListPayersRequest, Payer, ReplaceCoverageRequest,
    ReplacePayerRequest, SecondaryRule, ServiceCopay,
};
use libtest_mimic::Trial;
use serde_json::json;
use testkit::{Parts, Result, test};
use tonic::{Code, Status};
use uuid::Uuid;

use super::desk::{Desk, Refused as _, There as _, fields, keyed, slug};

type Answered<T> = std::result::Result<T, Status>;

pub(super) fn payer(name: &str) -> Payer {
    Payer {
        name: name.to_owned(),
        electronic_id: "60054".to_owned(),
        filing: ClaimFiling::Commercial.into(),
        filing_days: 90,
        appeal_days: 180,
        alert_days: 14,
        ..Payer::default()
    }
}

pub(super) fn coverage(patient: Uuid, payer: &Payer, order: i32) -> Coverage {
    Coverage {
        patient_id: patient.to_string(),
        payer_id: payer.payer_id.clone(),
        plan: "Cascade Silver".to_owned(),
        member_id: Some("W123456789".to_owned()),
        group: Some("4711".to_owned()),
        relationship: "self".to_owned(),
        start: "2026-01-01".to_owned(),
        order,
        terms: Some(CoverageTerms {
            currency_code: "EUR".to_owned(),
            deductible: 50_000,
            coinsurance_millionths: 200_000,
            out_of_pocket_maximum: Some(300_000),
            ..CoverageTerms::default()
        }),
        ..Coverage::default()
    }
}

/// The front desk, a payer and a patient with an account.
async fn covered(parts: &Parts) -> Result<(Desk, Payer, Uuid)> {
    let (patient, desk) = (Uuid::now_v7(), Desk::of(parts, Role::FrontDesk).await?);
    desk.open(patient).await?;
    let payer = written(&Desk::of(parts, Role::Biller).await?, payer("Cascade Mutual"), Uuid::now_v7()).await?;
    Ok((desk, payer, patient))
}

pub(super) async fn written(desk: &Desk, payer: Payer, key: Uuid) -> Answered<Payer> {
    let asked = CreatePayerRequest { payer: Some(payer) };
    Ok(desk.payers().create_payer(keyed(asked, key)).await?.into_inner().payer.unwrap_or_default())
}

pub(super) async fn insured(desk: &Desk, coverage: Coverage, key: Uuid) -> Answered<Coverage> {
    let asked = CreateCoverageRequest { coverage: Some(coverage) };
    Ok(desk.coverages().create_coverage(keyed(asked, key)).await?.into_inner().coverage.unwrap_or_default())
}

async fn replaced(desk: &Desk, id: &str, version: i64, coverage: Coverage) -> Answered<Coverage> {
    let asked =
        ReplaceCoverageRequest { coverage_id: id.to_owned(), expected_version: version, coverage: Some(coverage) };
    Ok(desk.coverages().replace_coverage(asked).await?.into_inner().coverage.unwrap_or_default())
}

async fn listed(desk: &Desk, patient: Uuid, date: Option<&str>) -> Answered<Vec<String>> {
    let asked = ListCoveragesRequest { patient_id: patient.to_string(), date: date.map(str::to_owned) };
    let found = desk.coverages().list_coverages(asked).await?.into_inner().items;
    Ok(found.into_iter().map(|coverage| coverage.coverage_id).collect())
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    let mut trials = payers(parts);
    trials.extend(coverages(parts));
    trials.extend(orders(parts));
    trials.extend(refusing::tests(parts));
    trials.extend(asking::tests(parts));
    trials
}

fn payers(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_payer_is_written_down_once_and_replaced_by_the_whole_of_another", parts, |parts| async move {
            let (biller, desk) = (Desk::of(&parts, Role::Biller).await?, Desk::of(&parts, Role::FrontDesk).await?);
            let key = Uuid::now_v7();
            let first = written(&biller, payer("Aldermoor Health"), key).await?;
            assert_eq!(first, Payer { payer_id: first.payer_id.clone(), version: 1, ..payer("Aldermoor Health") });
            let next = Payer { filing: ClaimFiling::Medicaid.into(), alert_days: 0, ..payer("Aldermoor State") };
            let replace = async |version| {
                let asked = ReplacePayerRequest {
                    payer_id: first.payer_id.clone(),
                    expected_version: version,
                    payer: Some(next.clone()),
                };
                biller.payers().replace_payer(asked).await.map(|done| done.into_inner().payer.unwrap_or_default())
            };
            let second = replace(1).await?;
            assert_eq!((second.version, second.filing(), second.alert_days), (2, ClaimFiling::Medicaid, 0));
            assert_eq!(replace(1).await.refused()?.code(), Code::Aborted);
            assert_eq!(written(&biller, payer("Aldermoor Health"), key).await?, first, "as it was written down");
            let other = written(&biller, payer("Another"), key).await.refused()?;
            assert_eq!(slug(&other), "idempotency-key-reused");
            let get = async |id: &str| {
                let found = desk.payers().get_payer(GetPayerRequest { payer_id: id.to_owned() }).await;
                found.map(|found| found.into_inner().payer.unwrap_or_default()).map_err(|status| status.code())
            };
            assert_eq!(get(&first.payer_id).await, Ok(second));
            assert_eq!(get(&Uuid::now_v7().to_string()).await, Err(Code::NotFound));
            assert_eq!(get("nobody").await, Err(Code::NotFound));
            let forbidden = written(&desk, payer("Not by the desk"), Uuid::now_v7()).await.refused()?;
            assert_eq!(forbidden.code(), Code::PermissionDenied);
            Ok(())
        }),
        test("payers_are_listed_by_name_page_by_page", parts, |parts| async move {
            let biller = Desk::of(&parts, Role::Biller).await?;
            for name in ["Zz Gamma", "Zz Alpha", "Zz Beta", "Zz Beta"] {
                written(&biller, payer(name), Uuid::now_v7()).await?;
            }
            let (mut names, mut cursor) = (Vec::new(), None);
            loop {
                let asked = ListPayersRequest { limit: Some(2), cursor };
                let page = biller.payers().list_payers(asked).await?.into_inner();
                assert!(page.items.len() <= 2);
                names.extend(page.items.into_iter().map(|payer| payer.name));
                match page.next {
                    Some(next) => cursor = Some(next),
                    None => break,
                }
            }
            let mine: Vec<_> = names.iter().filter(|name| name.starts_with("Zz")).collect();
            assert_eq!(mine, ["Zz Alpha", "Zz Beta", "Zz Beta", "Zz Gamma"]);
            let bad = ListPayersRequest { limit: Some(0), cursor: Some("?".to_owned()) };
            assert_eq!(fields(&biller.payers().list_payers(bad).await.refused()?), ["limit", "cursor"]);
            Ok(())
        }),
    ]
}

fn coverages(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_coverage_is_read_as_it_was_written_and_replaced", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            let mut given = coverage(patient, &payer, 1);
            given.plan_id = Some("SILVER-26".to_owned());
            given.end = Some("2026-12-31".to_owned());
            let copay = |procedure: &str, amount| ServiceCopay { procedure: procedure.to_owned(), amount };
            let terms = given.terms.as_mut().there()?;
            terms.copays = vec![copay("99213", 2_500), copay("99214", 0)];
            terms.copay_skips_deductible = true;
            terms.plan_year_start = Some("07-01".to_owned());
            terms.secondary_rule = SecondaryRule::MaintenanceOfBenefits.into();
            let key = Uuid::now_v7();
            let first = insured(&desk, given.clone(), key).await?;
            let id = first.coverage_id.clone();
            let active = CoverageStatus::Active.into();
            assert_eq!(first, Coverage { coverage_id: id.clone(), version: 1, status: active, ..given.clone() });

            let mut next = coverage(patient, &payer, 2);
            next.status = CoverageStatus::Cancelled.into();
            next.member_id = None;
            let second = replaced(&desk, &id, 1, next).await?;
            let told = second.terms.clone().there()?;
            assert_eq!((second.version, second.status(), second.order), (2, CoverageStatus::Cancelled, 2));
            assert_eq!(
                (told.plan_year_start.as_deref(), told.secondary_rule()),
                (Some("01-01"), SecondaryRule::Standard)
            );
            let read = desk.coverages().get_coverage(GetCoverageRequest { coverage_id: id.clone() }).await?;
            assert_eq!(read.into_inner().coverage, Some(second));
            assert_eq!(insured(&desk, given.clone(), key).await?, first, "the same request is answered the same");
            let other = insured(&desk, coverage(patient, &payer, 3), key).await.refused()?;
            assert_eq!(slug(&other), "idempotency-key-reused");

            let stale = replaced(&desk, &id, 1, given.clone()).await.refused()?;
            assert_eq!(stale.code(), Code::Aborted);
            for id in [Uuid::now_v7().to_string(), "nothing".to_owned()] {
                assert_eq!(replaced(&desk, &id, 1, given.clone()).await.refused()?.code(), Code::NotFound);
                let read = desk.coverages().get_coverage(GetCoverageRequest { coverage_id: id }).await;
                assert_eq!(read.refused()?.code(), Code::NotFound);
            }
            let looks = format!(
                "select subtype from (select subtype, recorded, patient from audit.waiting union all \
                 select subtype, recorded, patient from audit.entries) as entries where patient = '{patient}' order by recorded"
            );
            let expected = ["create", "update", "read"];
            parts
                .eventually("it is in the audit who did what", || async {
                    let rows = parts.sql(&looks).await?;
                    let found: Vec<_> = rows.iter().filter_map(|row| row["subtype"].as_str()).collect();
                    Ok(found.iter().filter(|subtype| expected.contains(subtype)).count() == expected.len())
                })
                .await
        }),
        test("a_patients_coverages_are_listed_the_first_to_pay_first", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            let second = insured(&desk, coverage(patient, &payer, 2), Uuid::now_v7()).await?.coverage_id;
            let spring = Coverage { end: Some("2026-06-30".to_owned()), ..coverage(patient, &payer, 1) };
            let spring = insured(&desk, spring, Uuid::now_v7()).await?.coverage_id;
            let autumn = Coverage { start: "2026-07-01".to_owned(), ..coverage(patient, &payer, 1) };
            let autumn = insured(&desk, autumn, Uuid::now_v7()).await?.coverage_id;
            let wrong = Coverage { status: CoverageStatus::EnteredInError.into(), ..coverage(patient, &payer, 3) };
            let wrong = insured(&desk, wrong, Uuid::now_v7()).await?.coverage_id;
            assert_eq!(listed(&desk, patient, None).await?, [&spring, &autumn, &second, &wrong].map(String::as_str));
            assert_eq!(listed(&desk, patient, Some("2026-06-30")).await?, [spring, second.clone()]);
            assert_eq!(listed(&desk, patient, Some("2026-07-01")).await?, [autumn, second]);
            assert!(listed(&desk, patient, Some("2025-12-31")).await?.is_empty());
            assert!(listed(&desk, Uuid::now_v7(), None).await?.is_empty());
            let bad = ListCoveragesRequest { patient_id: String::new(), date: Some("today".to_owned()) };
            assert_eq!(fields(&desk.coverages().list_coverages(bad).await.refused()?), ["patient_id", "date"]);
            let nurse = Desk::of(&parts, Role::Nurse).await?;
            assert_eq!(listed(&nurse, patient, None).await.refused()?.code(), Code::PermissionDenied);
            Ok(())
        }),
    ]
}

fn orders(parts: &Parts) -> Vec<Trial> {
    vec![
        test("no_two_active_coverages_have_one_order_on_one_day", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            let year = Coverage { end: Some("2026-12-31".to_owned()), ..coverage(patient, &payer, 1) };
            let first = insured(&desk, year.clone(), Uuid::now_v7()).await?;
            let last_day = Coverage { start: "2026-12-31".to_owned(), end: None, ..year.clone() };
            let taken = insured(&desk, last_day.clone(), Uuid::now_v7()).await.refused()?;
            assert_eq!((taken.code(), slug(&taken).as_str()), (Code::AlreadyExists, "coverage-order-taken"));
            assert_eq!(fields(&taken), ["coverage.order"]);
            // The day after, another order, another patient, and what does not count: none is in the way.
            insured(&desk, Coverage { start: "2027-01-01".to_owned(), ..last_day.clone() }, Uuid::now_v7()).await?;
            let second = insured(&desk, Coverage { order: 2, ..year.clone() }, Uuid::now_v7()).await?;
            let cancelled = Coverage { status: CoverageStatus::Cancelled.into(), ..year.clone() };
            let cancelled = insured(&desk, cancelled, Uuid::now_v7()).await?;
            let (other_desk, other_payer, other) = covered(&parts).await?;
            insured(&other_desk, coverage(other, &other_payer, 1), Uuid::now_v7()).await?;

            for id in [&second.coverage_id, &cancelled.coverage_id] {
                let taken = replaced(&desk, id, 1, year.clone()).await.refused()?;
                assert_eq!(
                    (slug(&taken).as_str(), fields(&taken)),
                    ("coverage-order-taken", vec!["coverage.order".to_owned()])
                );
            }
            // What is in nobody's way but its own is not.
            let same = replaced(&desk, &first.coverage_id, 1, year.clone()).await?;
            let gone = Coverage { status: CoverageStatus::EnteredInError.into(), ..year.clone() };
            replaced(&desk, &first.coverage_id, same.version, gone).await?;
            assert_eq!(replaced(&desk, &cancelled.coverage_id, 1, year).await?.version, 2, "the place is free now");
            Ok(())
        }),
        test("who_comes_while_another_instance_writes_waits_and_is_refused", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            let theirs = Uuid::now_v7();
            let document = json!({
                "schema": 1, "version": 1, "events": [], "requests": [],
                "data": {
                    "id": theirs, "status": "active", "patientId": patient, "payerId": payer.payer_id, "plan": "Theirs",
                    "relationship": "self", "period": {"start": "2026-06-01"}, "order": 1,
                    "terms": {
                        "currency": "EUR", "copay": "free", "copaySkipsDeductible": false, "deductible": 0,
                        "coinsurance": 0, "planYear": [1, 1], "secondaryRule": "standard",
                    },
                },
            });
            // Their transaction has written and is not over yet.
            let slow = format!(
                "do $do$ begin insert into state.state (key, value) values ('coverage/{theirs}', convert_to('{document}', 'UTF8')); \
                 perform pg_sleep(0.5); end $do$"
            );
            let mine = async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let begun = Instant::now();
                let refused = insured(&desk, coverage(patient, &payer, 1), Uuid::now_v7()).await;
                (refused, begun.elapsed())
            };
            let (done, (mine, waited)) = tokio::join!(parts.execute(&slow), mine);
            done?;
            assert_eq!(slug(&mine.refused()?), "coverage-order-taken");
            assert!(waited > Duration::from_millis(100), "it waited for them: {waited:?}");
            assert_eq!(listed(&desk, patient, None).await?, [theirs.to_string()]);
            Ok(())
        }),
        test("of_coverages_with_one_order_at_the_same_moment_one_is_there", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            for round in 0..5 {
                let given = Coverage {
                    start: format!("20{}-01-01", 30 + round),
                    end: Some(format!("20{}-12-31", 30 + round)),
                    ..coverage(patient, &payer, 1)
                };
                let all = (0..8).map(|_| insured(&desk, given.clone(), Uuid::now_v7()));
                let all = futures::future::join_all(all).await;
                let refused: Vec<_> = all.iter().filter_map(|one| one.as_ref().err()).map(slug).collect();
                assert_eq!(refused, vec!["coverage-order-taken"; 7], "in round {round}");
                assert_eq!(listed(&desk, patient, Some(&given.start)).await?.len(), 1);
            }
            Ok(())
        }),
    ]
}
