//! What is refused, each at its field.

use access::Role;
use contracts::billing::v1::{Coverage, CoverageTerms, Payer, ServiceCopay};
use libtest_mimic::Trial;
use testkit::{Parts, test};
use tonic::Code;
use uuid::Uuid;

use super::{Desk, coverage, covered, insured, payer, replaced, written};
use crate::desk::{Refused as _, There as _, fields, slug};

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    let mut trials = fields_of_requests(parts);
    trials.extend(rules(parts));
    trials
}

fn fields_of_requests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("everything_that_is_wrong_in_a_payer_is_named", parts, |parts| async move {
            let biller = Desk::of(&parts, Role::Biller).await?;
            let refused = async |payer| written(&biller, payer, Uuid::now_v7()).await.refused();
            let all = ["payer.name", "payer.filing", "payer.electronic_id", "payer.filing_days", "payer.appeal_days"];
            assert_eq!(fields(&refused(Payer::default()).await?), all);
            let bad = Payer {
                payer_id: "mine".to_owned(),
                version: 3,
                name: "x".repeat(101),
                electronic_id: "60 054".to_owned(),
                filing_days: 3_651,
                appeal_days: -1,
                alert_days: 366,
                ..payer("")
            };
            let all = [
                "payer.payer_id",
                "payer.version",
                "payer.name",
                "payer.electronic_id",
                "payer.filing_days",
                "payer.appeal_days",
                "payer.alert_days",
            ];
            assert_eq!(fields(&refused(bad).await?), all);
            Ok(())
        }),
        test("everything_that_is_wrong_in_a_coverage_is_named", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            let refused =
                async |coverage| anyhow::Ok(fields(&insured(&desk, coverage, Uuid::now_v7()).await.refused()?));
            let all = ["patient_id", "payer_id", "plan", "relationship", "start", "order", "terms"];
            assert_eq!(refused(Coverage::default()).await?, all.map(|name| format!("coverage.{name}")));
            let bad = Coverage {
                coverage_id: "mine".to_owned(),
                version: 1,
                plan_id: Some("x".repeat(81)),
                plan: "x".repeat(101),
                member_id: Some(String::new()),
                group: Some("x\ny".to_owned()),
                relationship: "uncle".to_owned(),
                end: Some("2025-12-31".to_owned()),
                order: 10,
                ..coverage(patient, &payer, 1)
            };
            let all =
                ["coverage_id", "version", "plan_id", "plan", "member_id", "group", "relationship", "end", "order"];
            assert_eq!(refused(bad).await?, all.map(|name| format!("coverage.{name}")));
            for order in [0, -1, 257] {
                assert_eq!(refused(coverage(patient, &payer, order)).await?, ["coverage.order"]);
            }
            for start in ["2026-02-30", "30.11.2026", "-000001-01-01"] {
                let bad = Coverage { start: start.to_owned(), ..coverage(patient, &payer, 1) };
                assert_eq!(refused(bad).await?, ["coverage.start"], "{start}");
            }
            Ok(())
        }),
        test("everything_that_is_wrong_in_terms_is_named", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            let refused = async |terms: CoverageTerms| {
                let given = Coverage { terms: Some(terms), ..coverage(patient, &payer, 1) };
                anyhow::Ok(fields(&insured(&desk, given, Uuid::now_v7()).await.refused()?))
            };
            let good = coverage(patient, &payer, 1).terms.there()?;
            let copay = |procedure: &str, amount| ServiceCopay { procedure: procedure.to_owned(), amount };
            let bad = CoverageTerms {
                currency_code: "XXX".to_owned(),
                copay_per_visit: Some(-1),
                copays: vec![copay("99213", 1), copay("", 10_000_000_001), copay("99213", 2)],
                deductible: -1,
                coinsurance_millionths: 1_000_001,
                out_of_pocket_maximum: Some(-1),
                plan_year_start: Some("02-29".to_owned()),
                ..good.clone()
            };
            let all = [
                "currency_code",
                "copays[1].procedure",
                "copays[1].amount",
                "copays[2].procedure",
                "copay_per_visit",
                "deductible",
                "coinsurance_millionths",
                "out_of_pocket_maximum",
                "plan_year_start",
            ];
            assert_eq!(refused(bad).await?, all.map(|name| format!("coverage.terms.{name}")));
            let both = CoverageTerms { copay_per_visit: Some(1), copays: vec![copay("99213", 1)], ..good.clone() };
            assert_eq!(refused(both).await?, ["coverage.terms.copays"]);
            let below = CoverageTerms { coinsurance_millionths: -1, ..good.clone() };
            assert_eq!(refused(below).await?, ["coverage.terms.coinsurance_millionths"]);
            let many = CoverageTerms { copays: vec![copay("99213", 1); 201], ..good.clone() };
            assert_eq!(refused(many).await?, ["coverage.terms.copays"]);
            let dollars = CoverageTerms { currency_code: "USD".to_owned(), ..good };
            assert_eq!(refused(dollars).await?, ["coverage.terms.currency_code"]);
            Ok(())
        }),
    ]
}

fn rules(parts: &Parts) -> Vec<Trial> {
    vec![
        test("only_who_has_an_account_is_insured_and_only_by_a_known_payer", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            let nobody = insured(&desk, coverage(Uuid::now_v7(), &payer, 1), Uuid::now_v7()).await.refused()?;
            assert_eq!((nobody.code(), slug(&nobody).as_str()), (Code::AlreadyExists, "no-account"));
            assert_eq!(fields(&nobody), ["coverage.patient_id"]);
            let stranger = Payer { payer_id: Uuid::now_v7().to_string(), ..payer };
            let unknown = insured(&desk, coverage(patient, &stranger, 1), Uuid::now_v7()).await.refused()?;
            assert_eq!((unknown.code(), slug(&unknown).as_str()), (Code::AlreadyExists, "unknown-payer"));
            assert_eq!(fields(&unknown), ["coverage.payer_id"]);
            Ok(())
        }),
        test("a_coverage_stays_with_its_patient_and_its_payer", parts, |parts| async move {
            let (desk, payer, patient) = covered(&parts).await?;
            let (_, other_payer, other_patient) = covered(&parts).await?;
            let held = insured(&desk, coverage(patient, &payer, 1), Uuid::now_v7()).await?;
            let both = ["coverage.patient_id", "coverage.payer_id"];
            for (patient, payer, wrong) in [
                (other_patient, &payer, &both[..1]),
                (patient, &other_payer, &both[1..]),
                (other_patient, &other_payer, &both[..]),
            ] {
                let given = coverage(patient, payer, 1);
                let refused = replaced(&desk, &held.coverage_id, 1, given).await.refused()?;
                assert_eq!(
                    (refused.code(), fields(&refused)),
                    (Code::InvalidArgument, wrong.iter().map(|one| (*one).to_owned()).collect())
                );
            }
            Ok(())
        }),
    ]
}
