//! What payers say of their members, and what members have used.

use std::time::{Duration, Instant};

use contracts::billing::v1::{Accumulators, CheckEligibilityRequest, Coverage, Eligibility, GetAccumulatorsRequest};
use libtest_mimic::Trial;
use serde_json::json;
use testkit::{Parts, test};
use tonic::Code;
use uuid::Uuid;

use super::{Answered, Desk, coverage, covered, insured, replaced};
use crate::{
    clearing_house::{FORMER, OF_BROKEN_PAYER, OF_SILENT_PAYER, asked_about, is_silent},
    closing::today,
    desk::{Refused as _, There as _, fields, slug},
};

/// A day that is not today.
const DAY: &str = "2026-10-05";

async fn eligible(desk: &Desk, coverage: &Coverage, max_age: Option<i64>) -> Answered<Eligibility> {
    let asked = CheckEligibilityRequest {
        coverage_id: coverage.coverage_id.clone(),
        date: Some(DAY.to_owned()),
        max_age_seconds: max_age,
    };
    Ok(desk.coverages().check_eligibility(asked).await?.into_inner().eligibility.unwrap_or_default())
}

async fn used(desk: &Desk, id: &str, date: Option<&str>) -> Answered<Accumulators> {
    let asked = GetAccumulatorsRequest { coverage_id: id.to_owned(), date: date.map(str::to_owned) };
    Ok(desk.coverages().get_accumulators(asked).await?.into_inner().accumulators.unwrap_or_default())
}

fn of_member(member: &str, coverage: Coverage) -> Coverage {
    Coverage { member_id: Some(member.to_owned()), ..coverage }
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    let mut trials = eligibility(parts);
    trials.extend(silence(parts));
    trials.extend(accumulators(parts));
    trials
}

fn eligibility(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_payer_is_asked_once_for_a_day_and_its_answer_is_kept", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            let held = insured(&desk, coverage(patient, &payer, 1), Uuid::now_v7()).await?;
            let first = eligible(&desk, &held, None).await?;
            assert_eq!((first.active, first.note.as_deref()), (true, Some("In network")));
            assert_eq!((first.coverage_id.as_str(), first.date.as_str()), (held.coverage_id.as_str(), DAY));
            let question = json!({
                "coverageId": held.coverage_id, "date": DAY, "memberId": "W123456789", "group": "4711",
                "relationship": "self",
                "payer": {"id": payer.payer_id, "name": payer.name, "electronicId": "60054", "filingIndicator": "CI"},
            });
            assert_eq!(asked_about(&held.coverage_id), std::slice::from_ref(&question));
            for max_age in [None, Some(60)] {
                let again = eligible(&desk, &held, max_age).await?;
                assert_eq!((again.checked_time, again.active), (first.checked_time, true));
                assert!((0..60).contains(&again.age_seconds), "{again:?}");
            }
            assert_eq!(asked_about(&held.coverage_id).len(), 1, "what is kept is not asked again");

            let anew = eligible(&desk, &held, Some(0)).await?;
            assert!(anew.checked_time.there()?.nanos != first.checked_time.there()?.nanos || anew.age_seconds == 0);
            assert_eq!(asked_about(&held.coverage_id).len(), 2);
            let asked =
                CheckEligibilityRequest { coverage_id: held.coverage_id.clone(), ..CheckEligibilityRequest::default() };
            let today_told = desk.coverages().check_eligibility(asked).await?.into_inner().eligibility.there()?;
            assert_eq!(today_told.date, today().to_string());

            // Another member number is another question, however new the answer is.
            let next = of_member("W987", coverage(patient, &payer, 1));
            let next = replaced(&desk, &held.coverage_id, 1, next).await?;
            let before = asked_about(&held.coverage_id).len();
            eligible(&desk, &next, None).await?;
            let all = asked_about(&held.coverage_id);
            assert_eq!((all.len(), all.last().map(|last| last["memberId"].clone())), (before + 1, Some("W987".into())));

            let looks = format!(
                "select subtype, count(*) from (select subtype, patient from audit.waiting union all \
                 select subtype, patient from audit.entries) as entries where patient = '{patient}' group by 1"
            );
            parts
                .eventually("it is in the audit who asked and who looked", || async {
                    let rows = parts.sql(&looks).await?;
                    let of = |subtype: &str| {
                        rows.iter().find(|row| row["subtype"] == subtype).map(|row| row["count"].clone())
                    };
                    Ok(of("check").is_some_and(|count| count == 4) && of("read") == Some(2.into()))
                })
                .await
        }),
        test("who_is_insured_no_more_is_told_so", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            let held = insured(&desk, of_member(FORMER, coverage(patient, &payer, 1)), Uuid::now_v7()).await?;
            let told = eligible(&desk, &held, None).await?;
            assert_eq!((told.active, told.note), (false, None));
            Ok(())
        }),
        test("a_coverage_without_a_member_number_is_not_asked_about", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            let nameless = Coverage { member_id: None, ..coverage(patient, &payer, 1) };
            let held = insured(&desk, nameless, Uuid::now_v7()).await?;
            let refused = eligible(&desk, &held, None).await.refused()?;
            assert_eq!((refused.code(), slug(&refused).as_str()), (Code::AlreadyExists, "member-id-missing"));
            assert!(asked_about(&held.coverage_id).is_empty());
            let asked = CheckEligibilityRequest {
                coverage_id: held.coverage_id.clone(),
                date: Some("soon".to_owned()),
                max_age_seconds: Some(-1),
            };
            let bad = desk.coverages().check_eligibility(asked).await.refused()?;
            assert_eq!(fields(&bad), ["date", "max_age_seconds"]);
            let nothing = Coverage { coverage_id: Uuid::now_v7().to_string(), ..held };
            assert_eq!(eligible(&desk, &nothing, None).await.refused()?.code(), Code::NotFound);
            Ok(())
        }),
    ]
}

fn silence(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_payer_that_does_not_answer_is_waited_for_two_seconds", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            for (order, member) in [(1, OF_SILENT_PAYER), (2, OF_BROKEN_PAYER)] {
                let given = of_member(member, coverage(patient, &payer, order));
                let held = insured(&desk, given, Uuid::now_v7()).await?;
                let begun = Instant::now();
                let refused = eligible(&desk, &held, None).await.refused()?;
                assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
                assert_eq!((refused.code(), slug(&refused).as_str()), (Code::Unavailable, "payer-silent"), "{member}");
                assert!(problem::Problem::from(refused).retry_after.is_some(), "when to come back");
            }
            Ok(())
        }),
        test("what_a_silent_payer_has_said_before_can_be_read", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            let held = insured(&desk, coverage(patient, &payer, 1), Uuid::now_v7()).await?;
            let before = eligible(&desk, &held, None).await?;
            is_silent(true);
            let refused = eligible(&desk, &held, Some(0)).await;
            let kept = eligible(&desk, &held, Some(3_600)).await;
            is_silent(false);
            assert_eq!(refused.refused()?.code(), Code::Unavailable);
            let kept = kept?;
            assert_eq!((kept.active, kept.checked_time), (true, before.checked_time));
            assert!(kept.age_seconds >= 2, "it is as old as it is: {}", kept.age_seconds);
            Ok(())
        }),
    ]
}

fn accumulators(parts: &Parts) -> Vec<Trial> {
    vec![test("what_a_member_has_used_is_told_by_plan_year", parts, |parts| async move {
        let (desk, payer, patient) = covered(&parts).await?;
        let mut given = coverage(patient, &payer, 1);
        given.terms.as_mut().there()?.plan_year_start = Some("07-01".to_owned());
        let id = insured(&desk, given, Uuid::now_v7()).await?.coverage_id;
        let nothing = Accumulators {
            coverage_id: id.clone(),
            plan_year_start: "2025-07-01".to_owned(),
            currency_code: "EUR".to_owned(),
            deductible_used: 0,
            deductible_left: 50_000,
            out_of_pocket_used: 0,
            out_of_pocket_left: Some(300_000),
        };
        assert_eq!(used(&desk, &id, Some("2026-06-30")).await?, nothing, "no payer has answered yet");

        let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
        let used_up =
            |deductible: i64, out_of_pocket: i64| json!({"deductible": deductible, "outOfPocket": out_of_pocket});
        let document = json!({
            "schema": 1, "version": 1, "events": [], "requests": [],
            "data": {
                "coverageId": id,
                "opening": {"2026-07-01": used_up(1_000, 2_000)},
                "claims": {
                    one.to_string(): {"2026-07-01": used_up(10_000, 12_000), "2025-07-01": used_up(500, 500)},
                    two.to_string(): {"2026-07-01": used_up(45_000, 45_000)},
                },
            },
        });
        let insert = format!(
            "insert into state.state (key, value) values ('accumulators/{id}', convert_to('{document}', 'UTF8'))"
        );
        parts.execute(&insert).await?;
        let told = used(&desk, &id, Some(DAY)).await?;
        assert_eq!(told.plan_year_start, "2026-07-01");
        assert_eq!((told.deductible_used, told.deductible_left), (56_000, 0), "never below nothing");
        assert_eq!((told.out_of_pocket_used, told.out_of_pocket_left), (59_000, Some(241_000)));
        let before = used(&desk, &id, Some("2026-06-30")).await?;
        assert_eq!((before.deductible_used, before.deductible_left), (500, 49_500));
        let later = used(&desk, &id, Some("2027-07-01")).await?;
        assert_eq!((later.plan_year_start.as_str(), later.deductible_used), ("2027-07-01", 0));
        used(&desk, &id, None).await?;
        assert_eq!(fields(&used(&desk, &id, Some("never")).await.refused()?), ["date"]);
        for id in [Uuid::now_v7().to_string(), "nothing".to_owned()] {
            assert_eq!(used(&desk, &id, None).await.refused()?.code(), Code::NotFound);
        }
        Ok(())
    })]
}
