//! Health records, kind by kind.

use access::Role;
use futures::future::try_join_all;
use libtest_mimic::Trial;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{id, person, registered, unique};

/// What stands for each kind: its path, a record, a change of it, and what is found where the change was made.
pub(super) const KINDS: [(&str, &str, &str, &str); 8] = [
    (
        "encounters",
        r#"{"status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"clinicId":"0197a1b2-7c11-7000-8000-000000000001"}"#,
        r#"{"reasonCode":[{"text":"cough"}]}"#,
        "/reasonCode/0/text",
    ),
    (
        "observations",
        r#"{"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"valueQuantity":{"value":72.50,"unit":"kg"},"effectiveDateTime":"2026-11-01"}"#,
        r#"{"valueQuantity":{"value":73.50}}"#,
        "/valueQuantity/value",
    ),
    (
        "conditions",
        r#"{"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"code":{"text":"asthma"}}"#,
        r#"{"severity":{"text":"mild"}}"#,
        "/severity/text",
    ),
    (
        "allergies",
        r#"{"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},"code":{"text":"nuts"}}"#,
        r#"{"criticality":"high"}"#,
        "/criticality",
    ),
    (
        "medication-requests",
        r#"{"status":"active","intent":"order","medicationCodeableConcept":{"text":"metformin"}}"#,
        r#"{"status":"stopped"}"#,
        "/status",
    ),
    (
        "immunizations",
        r#"{"status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"208"}]},"occurrenceDateTime":"2026-10-01"}"#,
        r#"{"lotNumber":"EL9262"}"#,
        "/lotNumber",
    ),
    (
        "procedures",
        r#"{"status":"completed","code":{"text":"sutures"},"performedDateTime":"2026-11-20"}"#,
        r#"{"outcome":{"text":"good"}}"#,
        "/outcome/text",
    ),
    (
        "notes",
        r#"{"status":"final","type":{"text":"note"},"text":"feels well"}"#,
        r#"{"text":"feels better"}"#,
        "/text",
    ),
];

/// A patient who has a chart; their path.
pub(super) async fn chart(parts: &Parts) -> Result<String> {
    let patient = registered(parts, &person(&unique("Chart"))).await?;
    Ok(format!("/api/patients/{}", id(&patient)))
}

pub(super) async fn add(parts: &Parts, path: &str, key: &str, body: &str) -> Result<Response> {
    let request = parts.request(Method::POST, path).bearer_auth(parts.token(Role::Physician)?);
    let request = request.header("idempotency-key", key).header("content-type", "application/json");
    Ok(request.body(body.to_owned()).send().await?)
}

/// Puts a record into a chart; answers it.
pub(super) async fn added(parts: &Parts, path: &str, body: &str) -> Result<Value> {
    let answer = add(parts, path, &unique("key"), body).await?;
    anyhow::ensure!(answer.status() == 201, "{path}: {}", answer.text().await?);
    Ok(answer.json().await?)
}

pub(super) async fn amend(parts: &Parts, path: &str, seen: u64, patch: &Value) -> Result<Response> {
    let request = parts.request(Method::PATCH, path).bearer_auth(parts.token(Role::Physician)?);
    let request = request.header("if-match", format!("\"{seen}\"")).header("content-type", "application/json");
    Ok(request.body(patch.to_string()).send().await?)
}

pub(super) async fn get(parts: &Parts, path: &str) -> Result<Response> {
    Ok(parts.request(Method::GET, path).bearer_auth(parts.token(Role::Physician)?).send().await?)
}

pub(super) async fn items(parts: &Parts, path: &str) -> Result<Vec<Value>> {
    let answer = get(parts, path).await?;
    anyhow::ensure!(answer.status() == 200, "{path}: {}", answer.text().await?);
    Ok(answer.json::<Value>().await?["items"].as_array().cloned().unwrap_or_default())
}

pub(super) fn reason(kind: &str, changes: Value) -> Value {
    let mut patch = changes;
    patch["amendment"] = json!({ "kind": kind, "reason": "of a test" });
    patch
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_record_of_each_kind_is_answered_whole_read_and_listed", parts, |parts| async move {
            let chart = chart(&parts).await?;
            for (name, body, _, _) in KINDS {
                let all = format!("{chart}/{name}");
                let answer = add(&parts, &all, &unique("key"), body).await?;
                assert_eq!((answer.status().as_u16(), &answer.headers()["etag"]), (201, &"\"1\"".parse()?), "{name}");
                let location = answer.headers()["location"].to_str()?.to_owned();
                let text = answer.text().await?;
                let record: Value = serde_json::from_str(&text)?;
                assert_eq!(location, format!("{all}/{}", id(&record)));
                let given: Value = serde_json::from_str(body)?;
                for (field, value) in given.as_object().into_iter().flatten() {
                    assert_eq!(&record[field], value, "{name} {field}");
                }
                assert_eq!(record["recorder"], record["changedBy"]);
                assert_eq!(get(&parts, &location).await?.text().await?, text, "{name}");
                assert_eq!(items(&parts, &all).await?, [record], "{name}");
            }
            Ok(())
        }),
        test("an_amendment_of_each_kind_keeps_every_version_with_its_reason", parts, |parts| async move {
            let chart = chart(&parts).await?;
            for (name, body, change, pointer) in KINDS {
                let all = format!("{chart}/{name}");
                let first = added(&parts, &all, body).await?;
                let one = format!("{all}/{}", id(&first));
                let change: Value = serde_json::from_str(change)?;
                let answer = amend(&parts, &one, 1, &reason("corrected", change.clone())).await?;
                assert_eq!(answer.status(), 200, "{name}: {}", answer.text().await?);
                let second: Value = answer.json().await?;
                assert_eq!(second.pointer(pointer), change.pointer(pointer), "{name}");
                assert_eq!(second["amendment"], json!({ "kind": "corrected", "reason": "of a test" }), "{name}");
                assert_eq!(second["recordedAt"], first["recordedAt"]);
                let last = amend(&parts, &one, 2, &reason("entered-in-error", json!({}))).await?;
                assert_eq!(last.status(), 200, "{name}: {}", last.text().await?);
                let last: Value = last.json().await?;
                assert!(last.pointer(pointer).is_some(), "{name}: the content stays");

                assert_eq!(items(&parts, &format!("{one}/history")).await?, [last.clone(), second, first], "{name}");
                assert_eq!(items(&parts, &all).await?, [] as [Value; 0], "{name}");
                assert_eq!(items(&parts, &format!("{all}?status=entered-in-error")).await?, [last], "{name}");
                let more = amend(&parts, &one, 3, &reason("corrected", change)).await?;
                assert_eq!(more.status(), 409, "{name}");
                let problem: Value = more.json().await?;
                assert_eq!(problem["type"], "urn:patient-management:problem:entered-in-error");
            }
            Ok(())
        }),
        test("a_decimal_keeps_every_digit_through_store_history_and_list", parts, |parts| async move {
            let all = format!("{}/observations", chart(&parts).await?);
            let weight = r#"{"status":"final","code":{"text":"weight"},"valueQuantity":{"value":72.50}}"#;
            let one = format!("{all}/{}", id(&added(&parts, &all, weight).await?));
            amend(&parts, &one, 1, &reason("amended", json!({ "note": [{ "text": "x" }] })))
                .await?
                .error_for_status()?;
            for path in [one.clone(), format!("{one}/history"), all] {
                let text = get(&parts, &path).await?.text().await?;
                assert!(text.contains("\"value\":72.50"), "{path}: {text}");
            }
            Ok(())
        }),
        test("the_same_request_again_is_the_same_record", parts, |parts| async move {
            let all = format!("{}/notes", chart(&parts).await?);
            let (key, body) = (unique("key"), r#"{"status":"final","type":{"text":"t"},"text":"one"}"#);
            let answers = try_join_all((0..16).map(|_| add(&parts, &all, &key, body))).await?;
            let mut ids = Vec::new();
            for answer in answers {
                assert_eq!(answer.status(), 201);
                ids.push(id(&answer.json().await?).to_owned());
            }
            ids.dedup();
            assert_eq!((ids.len(), items(&parts, &all).await?.len()), (1, 1));
            amend(&parts, &format!("{all}/{}", ids[0]), 1, &reason("amended", json!({ "text": "two" }))).await?;
            let again: Value = add(&parts, &all, &key, body).await?.json().await?;
            assert_eq!((&again["version"], &again["text"]), (&json!(1), &json!("one")), "what that request made");
            let other = add(&parts, &all, &key, &body.replace("one", "other")).await?;
            assert_eq!(other.status(), 422);
            assert_eq!(other.json::<Value>().await?["errors"][0]["pointer"], "Idempotency-Key");
            assert_eq!(add(&parts, &all, "", body).await?.status(), 400);
            Ok(())
        }),
        test("a_chart_is_of_a_patient_who_is_there_and_in_use", parts, |parts| async move {
            let body = KINDS[7].1;
            let nobody = "/api/patients/0197a1b2-0000-7000-8000-000000000000/notes";
            assert_eq!(add(&parts, nobody, &unique("key"), body).await?.status(), 404);
            assert_eq!(get(&parts, nobody).await?.status(), 404);
            let chart = chart(&parts).await?;
            let note = added(&parts, &format!("{chart}/notes"), body).await?;
            super::amending::patch(&parts, &chart["/api/patients/".len()..], "\"1\"", &json!({ "active": false }))
                .await?;
            let refused = add(&parts, &format!("{chart}/notes"), &unique("key"), body).await?;
            assert_eq!(refused.status(), 409);
            assert_eq!(refused.json::<Value>().await?["type"], "urn:patient-management:problem:inactive-patient");
            let path = format!("{chart}/notes/{}", id(&note));
            assert_eq!(amend(&parts, &path, 1, &reason("corrected", json!({ "text": "y" }))).await?.status(), 200);
            Ok(())
        }),
        test("a_record_is_in_one_chart_alone", parts, |parts| async move {
            let (mine, other) = (chart(&parts).await?, chart(&parts).await?);
            for (name, body, change, _) in KINDS {
                let record = added(&parts, &format!("{mine}/{name}"), body).await?;
                let foreign = format!("{other}/{name}/{}", id(&record));
                assert_eq!(get(&parts, &foreign).await?.status(), 404, "{name}");
                assert_eq!(get(&parts, &format!("{foreign}/history")).await?.status(), 404, "{name}");
                let change = reason("corrected", serde_json::from_str(change)?);
                assert_eq!(amend(&parts, &foreign, 1, &change).await?.status(), 404, "{name}");
                assert_eq!(items(&parts, &format!("{other}/{name}")).await?, [] as [Value; 0], "{name}");
                assert_eq!(get(&parts, &format!("{mine}/{name}/nonsense")).await?.status(), 404);
            }
            let encounter = added(&parts, &format!("{mine}/encounters"), KINDS[0].1).await?;
            let mut note: Value = serde_json::from_str(KINDS[7].1)?;
            note["encounterId"] = encounter["id"].clone();
            assert_eq!(
                added(&parts, &format!("{mine}/notes"), &note.to_string()).await?["encounterId"],
                encounter["id"]
            );
            let refused = add(&parts, &format!("{other}/notes"), &unique("key"), &note.to_string()).await?;
            assert_eq!(refused.status(), 422);
            assert_eq!(refused.json::<Value>().await?["errors"][0]["pointer"], "/encounterId");
            Ok(())
        }),
        test("an_amendment_of_a_record_wants_the_version_and_a_reason", parts, |parts| async move {
            let all = format!("{}/notes", chart(&parts).await?);
            let one = format!("{all}/{}", id(&added(&parts, &all, KINDS[7].1).await?));
            let change = |n: u32| reason("amended", json!({ "text": format!("other {n}") }));
            assert_eq!(amend(&parts, &one, 2, &change(0)).await?.status(), 412);
            let blind = parts.request(Method::PATCH, &one).bearer_auth(parts.token(Role::Physician)?).json(&change(0));
            assert_eq!(blind.send().await?.status(), 428);
            for (patch, pointer) in [
                (json!({ "text": "x" }), "/amendment"),
                (json!({ "text": "x", "amendment": { "kind": "amended" } }), "/amendment/reason"),
                (json!({ "text": "x", "amendment": { "kind": "better", "reason": "y" } }), "/amendment/kind"),
                (reason("amended", json!({ "id": "x" })), "/id"),
                (reason("amended", json!({ "recorder": "x" })), "/recorder"),
                (reason("amended", json!({ "text": null })), "/text"),
                (reason("entered-in-error", json!({ "text": "x" })), "/amendment/kind"),
            ] {
                let answer = amend(&parts, &one, 1, &patch).await?;
                assert_eq!(answer.status(), 422, "{patch}");
                assert_eq!(answer.json::<Value>().await?["errors"][0]["pointer"], pointer);
            }
            let changes: Vec<_> = (1..=8).map(change).collect();
            let answers = try_join_all(changes.iter().map(|change| amend(&parts, &one, 1, change))).await?;
            let statuses: Vec<_> = answers.iter().map(|answer| answer.status().as_u16()).collect();
            assert_eq!(statuses.iter().filter(|&&status| status == 200).count(), 1, "{statuses:?}");
            assert_eq!(statuses.iter().filter(|&&status| status == 412).count(), 7, "{statuses:?}");
            assert_eq!(items(&parts, &format!("{one}/history")).await?.len(), 2);
            Ok(())
        }),
        test("every_change_of_a_chart_is_in_the_audit_without_what_it_says", parts, |parts| async move {
            let chart = chart(&parts).await?;
            let all = format!("{chart}/notes");
            let secret = unique("secret");
            let body = json!({ "status": "final", "type": { "text": secret }, "text": secret }).to_string();
            let note = added(&parts, &all, &body).await?;
            let patch = json!({ "title": secret, "amendment": { "kind": "amended", "reason": secret } });
            amend(&parts, &format!("{all}/{}", id(&note)), 1, &patch).await?.error_for_status()?;
            // Wherever the sealer is with them.
            let entries = format!(
                "select to_jsonb(waiting)::text as entry, recorded from audit.waiting
                 where entity_type = 'note' and entity_id = '{0}'
                 union all
                 select to_jsonb(entries)::text || coalesce(details, ''), recorded
                 from audit.entries left join audit.details using (position)
                 where entity_type = 'note' and entity_id = '{0}' order by recorded",
                id(&note)
            );
            let entries = parts.sql(&entries).await?;
            assert_eq!(entries.len(), 2);
            for (entry, subtype) in entries.iter().zip(["create", "update"]) {
                let entry = entry["entry"].as_str().unwrap_or_default();
                for held in [subtype, "physician", &chart["/api/patients/".len()..]] {
                    assert!(entry.contains(held), "{held} is not in {entry}");
                }
                assert!(!entry.contains(&secret), "{entry}");
            }
            Ok(())
        }),
    ]
}
