use access::Role;
use contracts::billing::{
    account_id,
    v1::{
        AccountRefusal, AccountStatus, GetAccountRequest, GetBalanceRequest, OpenAccountsRequest,
        account_opening_result::Outcome,
    },
};
use futures::future::try_join_all;
use libtest_mimic::Trial;
use testkit::{Parts, test};
use tonic::Code;
use uuid::Uuid;

use super::{accounts_of, client, open, opening};

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("an_account_is_opened_once_however_often_it_is_asked_for", parts, |parts| async move {
            let patient = Uuid::now_v7();
            let first = open(&parts, &[patient]).await?;
            let Some(Outcome::Account(account)) = &first[0].outcome else { anyhow::bail!("no account: {first:?}") };
            assert_eq!(account.account_id, account_id(patient).to_string());
            assert_eq!((account.status(), account.version), (AccountStatus::Active, 1));
            assert_eq!(open(&parts, &[patient]).await?, first);
            assert_eq!(accounts_of(&parts, patient).await?, 1);
            Ok(())
        }),
        test("batches_that_overlap_open_each_account_once", parts, |parts| async move {
            let patients: Vec<_> = (0..20).map(|_| Uuid::now_v7()).collect();
            let batches: Vec<Vec<_>> =
                (0..8).map(|n| patients.iter().cycle().skip(n * 3).take(10).copied().collect()).collect();
            let answers = try_join_all(batches.iter().map(|batch| open(&parts, batch))).await?;
            for (batch, results) in batches.iter().zip(&answers) {
                let answered: Vec<_> = results.iter().map(|result| result.patient_id.clone()).collect();
                assert_eq!(
                    answered,
                    batch.iter().map(Uuid::to_string).collect::<Vec<_>>(),
                    "in the order of the request"
                );
                assert!(
                    results.iter().all(|result| matches!(result.outcome, Some(Outcome::Account(_)))),
                    "{results:?}"
                );
            }
            for patient in patients {
                assert_eq!(accounts_of(&parts, patient).await?, 1);
            }
            Ok(())
        }),
        test("a_batch_speaks_for_each_person_apart", parts, |parts| async move {
            let good = parts.token(Role::FrontDesk)?;
            let analyst = parts.token(Role::Analyst)?;
            let (patient, other) = (Uuid::now_v7(), Uuid::now_v7());
            let mut openings = vec![
                opening(patient, &good),
                opening(other, &analyst),
                opening(other, "forged"),
                opening(other, &good),
            ];
            openings[3].patient_id = "nobody".to_owned();
            let results =
                client(&parts, None).await?.open_accounts(OpenAccountsRequest { openings }).await?.into_inner().results;
            assert!(matches!(results[0].outcome, Some(Outcome::Account(_))));
            for (result, refusal) in results[1..].iter().zip([
                AccountRefusal::Forbidden,
                AccountRefusal::Unauthenticated,
                AccountRefusal::Invalid,
            ]) {
                assert_eq!(result.outcome, Some(Outcome::Refusal(refusal.into())));
            }
            assert_eq!(accounts_of(&parts, other).await?, 0);
            Ok(())
        }),
        test("a_patient_with_an_account_owes_nothing_until_something_is_charged", parts, |parts| async move {
            let patient = Uuid::now_v7();
            open(&parts, &[patient]).await?;
            let ask = async |token: Option<String>, patient_id: String| {
                anyhow::Ok(client(&parts, token).await?.get_balance(GetBalanceRequest { patient_id }).await)
            };
            for role in [Role::FrontDesk, Role::Biller, Role::Admin] {
                let balance = ask(Some(parts.token(role)?), patient.to_string()).await??.into_inner();
                assert!(balance.open.is_empty(), "{balance:?}");
            }
            for (token, patient, code) in [
                (Some(parts.token(Role::Biller)?), Uuid::now_v7(), Code::NotFound),
                (Some(parts.token(Role::Nurse)?), patient, Code::PermissionDenied),
                (None, patient, Code::Unauthenticated),
            ] {
                assert_eq!(ask(token, patient.to_string()).await?.map_err(|status| status.code()).err(), Some(code));
            }
            Ok(())
        }),
        test("an_account_is_shown_to_those_who_may_see_it", parts, |parts| async move {
            let patient = Uuid::now_v7();
            open(&parts, &[patient]).await?;
            let ask = |token: Option<String>, patient_id: String| {
                let parts = &parts;
                async move {
                    Ok::<_, anyhow::Error>(
                        client(parts, token).await?.get_account(GetAccountRequest { patient_id }).await,
                    )
                }
            };
            let biller = Some(parts.token(Role::Biller)?);
            let account = ask(biller.clone(), patient.to_string()).await??.into_inner().account;
            assert_eq!(account.map(|account| account.patient_id), Some(patient.to_string()));
            for (token, patient, code) in [
                (biller.clone(), Uuid::now_v7().to_string(), Code::NotFound),
                (biller, "nobody".to_owned(), Code::NotFound),
                (Some(parts.token(Role::Analyst)?), patient.to_string(), Code::PermissionDenied),
                (Some("forged".to_owned()), patient.to_string(), Code::Unauthenticated),
                (None, patient.to_string(), Code::Unauthenticated),
            ] {
                assert_eq!(ask(token, patient).await?.map_err(|status| status.code()).err(), Some(code));
            }
            Ok(())
        }),
    ]
}
