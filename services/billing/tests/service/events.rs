use contracts::{
    patient::v1::{PatientRegistered, PatientSnapshot},
    topic,
};
use libtest_mimic::Trial;
use serde_json::json;
use testkit::{App, Parts, test};
use uuid::Uuid;

use super::{
    accounts_of,
    drafting::{event, finished},
    open,
    people::{has_told, times_asked},
};

fn registered(patient: Uuid) -> anyhow::Result<(String, Vec<u8>)> {
    let snapshot =
        PatientSnapshot { patient_id: patient.to_string(), version: 1, active: true, ..PatientSnapshot::default() };
    let event = json!({
        "specversion": "1.0", "id": Uuid::now_v7(), "source": "patient", "type": "patient.v1.PatientRegistered",
        "subject": patient, "time": "2026-01-01T00:00:00Z", "datacontenttype": "application/json",
        "data": serde_json::to_value(PatientRegistered { patient: Some(snapshot) })?,
    });
    Ok((patient.to_string(), event.to_string().into_bytes()))
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("an_event_opens_the_account_that_no_call_opened", parts, |parts| async move {
            let patients: Vec<_> = (0..50).map(|_| Uuid::now_v7()).collect();
            open(&parts, &patients[..10]).await?;
            let mut events = patients.iter().map(|&patient| registered(patient)).collect::<Result<Vec<_>, _>>()?;
            events.extend_from_within(..);
            parts.publish(App::Patient, topic::PATIENT_REGISTERED, &events).await?;
            let list = patients.iter().map(|patient| format!("'{patient}'")).collect::<Vec<_>>().join(",");
            let count = format!(
                "select count(*), count(distinct patient_id) as patients from projection.accounts where patient_id in ({list})"
            );
            parts
                .eventually("everyone has an account", || async { Ok(parts.sql(&count).await?[0]["patients"] == 50) })
                .await?;
            assert_eq!(parts.sql(&count).await?[0]["count"], 50);
            Ok(())
        }),
        test("one_poison_among_a_hundred_is_one_dead_letter", parts, |parts| async move {
            let before = parts.sql("select count(*) from document.dead_letters").await?[0]["count"].as_i64();
            let patients: Vec<_> = (0..99).map(|_| Uuid::now_v7()).collect();
            let mut events = patients.iter().map(|&patient| registered(patient)).collect::<Result<Vec<_>, _>>()?;
            events.insert(50, ("poison".to_owned(), b"{\"specversion\":\"1.0\"".to_vec()));
            parts.publish(App::Patient, topic::PATIENT_REGISTERED, &events).await?;
            for patient in patients {
                parts
                    .eventually("the others have accounts", || async { Ok(accounts_of(&parts, patient).await? == 1) })
                    .await?;
            }
            let letters = parts.sql("select topic, reason from document.dead_letters").await?;
            assert_eq!(i64::try_from(letters.len()).ok(), before.map(|before| before + 1));
            assert_eq!(letters[letters.len() - 1]["topic"], topic::PATIENT_REGISTERED);
            Ok(())
        }),
        test("what_was_told_and_never_heard_is_asked_for", parts, |parts| async move {
            let (patient, visitor, encounter) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
            has_told(topic::PATIENT_REGISTERED, b"{\"specversion\": \"0.3\"}");
            has_told(topic::PATIENT_REGISTERED, &registered(patient)?.1);
            has_told(topic::PATIENT_REGISTERED, &registered(visitor)?.1);
            let visit = finished(encounter, visitor, 3, &[("99213", 1)]);
            has_told(topic::ENCOUNTER_FINISHED, &event(&visit)?.1);
            let drafted = || async {
                let drafts = format!("select count(*) from projection.invoices where encounter_id = '{encounter}'");
                anyhow::Ok(parts.sql(&drafts).await?[0]["count"].as_i64())
            };
            parts
                .eventually("they have accounts, and a draft", || async {
                    let accounts = accounts_of(&parts, patient).await? + accounts_of(&parts, visitor).await?;
                    Ok((accounts, drafted().await?) == (2, Some(1)))
                })
                .await?;
            // It is asked for again and again, and heard once. The first of these may have begun before.
            let before = times_asked();
            parts.eventually("it is asked for again", || async { Ok(times_asked() >= before + 2) }).await?;
            assert_eq!(drafted().await?, Some(1));
            let versions = format!(
                "select convert_from(value, 'UTF8')::jsonb -> 'version' as version from state.state, projection.invoices \
                 where encounter_id = '{encounter}' and key = 'invoice/' || invoice_id::text"
            );
            assert_eq!(parts.sql(&versions).await?[0]["version"], 1);
            Ok(())
        }),
        test("without_its_database_it_loses_no_event", parts, |parts| async move {
            let letters = parts.sql("select count(*) from document.dead_letters").await?;
            parts.stop_postgres().await?;
            let patient = Uuid::now_v7();
            parts.publish(App::Patient, topic::PATIENT_REGISTERED, &[registered(patient)?]).await?;
            assert!(open(&parts, &[Uuid::now_v7()]).await.is_err());
            parts.start_postgres().await?;
            parts
                .eventually("the event is applied", || async {
                    Ok(accounts_of(&parts, patient).await.unwrap_or(0) == 1)
                })
                .await?;
            assert_eq!(parts.sql("select count(*) from document.dead_letters").await?, letters);
            Ok(())
        }),
    ]
}
