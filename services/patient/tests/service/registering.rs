use futures::future::try_join_all;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use testkit::{Parts, test};

use super::{counts, get, id, person, register, registered, unique};

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_registration_is_answered_whole_and_can_be_read", parts, |parts| async move {
            let body = person(&unique("Okafor"));
            let answer = register(&parts, &unique("key"), &body).await?;
            assert_eq!(answer.status(), 201);
            assert_eq!(answer.headers()["etag"], "\"1\"");
            let location = answer.headers()["location"].to_str()?.to_owned();
            let patient: Value = answer.json().await?;
            assert_eq!(location, format!("/api/patients/{}", id(&patient)));
            assert_eq!(patient["mrn"].as_str().map(str::len), Some(11));
            assert_eq!((&patient["version"], &patient["active"]), (&json!(1), &json!(true)));
            for field in ["name", "gender", "birthDate", "telecom", "address"] {
                assert_eq!(patient[field], body[field], "{field}");
            }
            // Nobody is at billing's place here.
            assert_eq!(patient["billingAccount"]["status"], "pending");

            let read = get(&parts, &location).await?;
            assert_eq!(read.headers()["etag"], "\"1\"");
            let read: Value = read.json().await?;
            assert_eq!(
                read["billingAccount"],
                json!({ "id": patient["billingAccount"]["id"] }),
                "its state is billing's to tell"
            );
            assert_eq!((&read["mrn"], &read["name"]), (&patient["mrn"], &patient["name"]));
            Ok(())
        }),
        test("the_same_request_again_is_the_same_patient", parts, |parts| async move {
            let (key, body) = (unique("key"), person(&unique("Again")));
            let first: Value = register(&parts, &key, &body).await?.json().await?;
            let before = counts(&parts).await?;
            let second = register(&parts, &key, &body).await?;
            assert_eq!(second.status(), 201);
            assert_eq!(second.json::<Value>().await?, first);
            assert_eq!(counts(&parts).await?, before);

            let mut other = body;
            other["gender"] = json!("male");
            let reused = register(&parts, &key, &other).await?;
            assert_eq!(reused.status(), 422);
            assert_eq!(reused.json::<Value>().await?["errors"][0]["pointer"], "Idempotency-Key");
            assert_eq!(counts(&parts).await?, before);
            Ok(())
        }),
        test("a_retry_after_an_amendment_answers_what_was_registered", parts, |parts| async move {
            let (key, body) = (unique("key"), person(&unique("Early")));
            let first: Value = register(&parts, &key, &body).await?.json().await?;
            let amended = super::amending::patch(&parts, id(&first), "\"1\"", &json!({ "gender": "other" })).await?;
            assert_eq!(amended.status(), 200);
            assert_eq!(register(&parts, &key, &body).await?.json::<Value>().await?, first);
            Ok(())
        }),
        test("many_at_once_with_one_key_make_one_patient", parts, |parts| async move {
            let (key, body) = (unique("key"), person(&unique("Once")));
            let answers = try_join_all((0..24).map(|_| register(&parts, &key, &body))).await?;
            let mut ids = Vec::new();
            for answer in answers {
                assert_eq!(answer.status(), 201);
                ids.push(id(&answer.json().await?).to_owned());
            }
            ids.dedup();
            assert_eq!(ids.len(), 1);
            let stored =
                parts.sql(&format!("select count(*) from state.state where key = 'patient/{}'", ids[0])).await?;
            assert_eq!(stored[0]["count"], 1);
            Ok(())
        }),
        test("many_at_once_for_one_person_make_one_patient", parts, |parts| async move {
            let body = person(&unique("Rush"));
            let keys: Vec<_> = (0..24).map(|_| unique("key")).collect();
            let answers = try_join_all(keys.iter().map(|key| register(&parts, key, &body))).await?;
            let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 201);
            assert_eq!(won.len(), 1);
            let winner: Value = won.into_iter().next().ok_or_else(|| anyhow::anyhow!("nobody"))?.json().await?;
            for answer in lost {
                assert_eq!(answer.status(), 409);
                assert_eq!(answer.json::<Value>().await?["duplicateOf"], winner["id"]);
            }
            Ok(())
        }),
        test("an_identifier_belongs_to_one_patient", parts, |parts| async move {
            let with = |family: &str, values: &[&str]| {
                let mut body = person(&unique(family));
                body["identifier"] =
                    values.iter().map(|value| json!({ "system": "urn:test", "value": value })).collect();
                body
            };
            let (a, b) = (unique("a"), unique("b"));
            let first = registered(&parts, &with("Holder", &[&a])).await?;
            let before = counts(&parts).await?;
            let answer = register(&parts, &unique("key"), &with("Other", &[&b, &a])).await?;
            assert_eq!(answer.status(), 409);
            let problem: Value = answer.json().await?;
            assert_eq!(problem["duplicateOf"], first["id"]);
            assert_eq!(problem["errors"][0]["pointer"], "/identifier/1");
            assert_eq!(problem["type"], "urn:patient-management:problem:duplicate-patient");
            assert_eq!(counts(&parts).await?, before);

            // Crosswise at once: nobody waits for ever, one of each pair wins.
            let (c, d) = (unique("c"), unique("d"));
            let bodies: Vec<_> =
                (0..16).map(|n| with("Cross", if n % 2 == 0 { [&*c, &*d] } else { [&*d, &*c] }.as_slice())).collect();
            let keys: Vec<_> = bodies.iter().map(|_| unique("key")).collect();
            let begun = std::time::Instant::now();
            let answers = try_join_all(keys.iter().zip(&bodies).map(|(key, body)| register(&parts, key, body))).await?;
            let statuses: Vec<_> = answers.iter().map(|answer| answer.status().as_u16()).collect();
            assert_eq!(statuses.iter().filter(|&&status| status == 201).count(), 1, "{statuses:?}");
            assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
            assert!(begun.elapsed().as_secs() < 5);
            Ok(())
        }),
        test("an_event_leaves_and_the_outbox_is_empty_again", parts, |parts| async move {
            registered(&parts, &person(&unique("Leaver"))).await?;
            parts
                .eventually("the outbox is empty", || async {
                    Ok(parts.sql("select count(*) from document.outbox").await?[0]["count"] == 0)
                })
                .await
        }),
    ]
}
