//! How an encounter goes, and what others are told of it.

use access::Role;
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{
    charting::{add, added, amend, chart, get, items, reason},
    id,
    place::Place,
    unique,
};

pub(super) fn visit(status: &str) -> Value {
    json!({
        "status": status,
        "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
        "reasonCode": [{ "text": "a cough that nobody is told of" }],
        "clinicId": "0197a1b2-7c11-7000-8000-000000000001",
        "practitionerId": "0197a1b2-7c11-7000-8000-000000000002",
    })
}

pub(super) fn finish(condition: &Value) -> Value {
    json!({
        "status": "finished",
        "diagnosis": [
            { "code": { "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9", "display": "nobody is told" }, "conditionId": condition["id"] },
        ],
        "services": [{ "code": { "system": "urn:cpt", "code": "99213" }, "modifiers": ["25"], "units": 2, "diagnoses": [1] }],
    })
}

/// The events of the version of an encounter that is there.
async fn events(parts: &Parts, encounter: &str) -> Result<Vec<Value>> {
    let sql = format!(
        "select convert_from(value, 'UTF8')::jsonb -> 'events' as events from state.state where key = 'encounter/{encounter}'"
    );
    Ok(parts.sql(&sql).await?.remove(0)["events"].as_array().cloned().unwrap_or_default())
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test(
            "an_encounter_goes_from_planned_to_finished_and_billing_can_charge_from_the_event",
            parts,
            |parts| async move {
                let chart = chart(&parts).await?;
                let all = format!("{chart}/encounters");
                let asthma = json!({ "code": { "text": "diabetes" } });
                let condition = added(&parts, &format!("{chart}/conditions"), &asthma.to_string()).await?;
                let encounter = added(&parts, &all, &visit("planned").to_string()).await?;
                let one = format!("{all}/{}", id(&encounter));
                for (version, step) in
                    [json!({ "status": "arrived" }), json!({ "status": "in-progress" })].iter().enumerate()
                {
                    let answer = amend(&parts, &one, version as u64 + 1, step).await?;
                    assert_eq!(answer.status(), 200, "{}", answer.text().await?);
                    assert_eq!(events(&parts, id(&encounter)).await?, [] as [Value; 0]);
                }
                let answer = amend(&parts, &one, 3, &finish(&condition)).await?;
                assert_eq!(answer.status(), 200, "{}", answer.text().await?);
                let finished: Value = answer.json().await?;
                let told = events(&parts, id(&encounter)).await?;
                assert_eq!((told.len(), &told[0]["topic"]), (1, &json!("encounter.finished")));
                let event = &told[0]["event"];
                assert_eq!(
                    (&event["type"], &event["subject"]),
                    (&json!("patient.v1.EncounterFinished"), &encounter["id"])
                );
                let snapshot = &event["data"]["encounter"];
                assert_eq!(snapshot["patientId"].as_str(), chart.rsplit('/').next());
                assert_eq!(
                    (&snapshot["encounterId"], &snapshot["version"], &snapshot["status"]),
                    (&encounter["id"], &json!("4"), &json!("ENCOUNTER_STATUS_FINISHED"))
                );
                for field in ["clinicId", "practitionerId"] {
                    assert_eq!(snapshot[field], encounter[field], "{field}");
                }
                assert_eq!(
                    snapshot["diagnoses"],
                    json!([{ "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9" }])
                );
                assert_eq!(
                    snapshot["services"],
                    json!([{ "code": { "system": "urn:cpt", "code": "99213" }, "modifiers": ["25"], "units": 2, "diagnoses": [1] }])
                );
                let steps: Vec<_> =
                    snapshot["steps"].as_array().into_iter().flatten().map(|step| step["status"].clone()).collect();
                assert_eq!(
                    steps,
                    ["PLANNED", "ARRIVED", "IN_PROGRESS", "FINISHED"].map(|step| format!("ENCOUNTER_STATUS_{step}"))
                );
                assert_eq!(snapshot["steps"][3]["endTime"], Value::Null);
                for (told, kept) in [("periodStart", "/period/start"), ("periodEnd", "/period/end")] {
                    let told: jiff::Timestamp = snapshot[told].as_str().unwrap_or_default().parse()?;
                    let kept: jiff::Timestamp =
                        finished.pointer(kept).and_then(Value::as_str).unwrap_or_default().parse()?;
                    assert_eq!(told, kept);
                }
                assert!(!event.to_string().contains("nobody"), "{event}");
                parts
                    .eventually("the event leaves", || async {
                        let waiting = "select count(*) from document.outbox where topic = 'encounter.finished'";
                        Ok(parts.sql(waiting).await?[0]["count"] == 0)
                    })
                    .await
            },
        ),
        test("whatever_becomes_of_a_finished_encounter_is_told_with_its_version", parts, |parts| async move {
            let chart = chart(&parts).await?;
            let condition = added(&parts, &format!("{chart}/conditions"), r#"{"code":{"text":"x"}}"#).await?;
            let all = format!("{chart}/encounters");
            let encounter = added(&parts, &all, &visit("in-progress").to_string()).await?;
            let one = format!("{all}/{}", id(&encounter));
            amend(&parts, &one, 1, &finish(&condition)).await?.error_for_status()?;
            let silent = amend(&parts, &one, 2, &json!({ "services": null })).await?;
            assert_eq!(silent.status(), 422, "a finished encounter is amended with a reason alone");
            amend(&parts, &one, 2, &reason("corrected", json!({ "services": null }))).await?.error_for_status()?;
            let told = events(&parts, id(&encounter)).await?;
            let snapshot = &told[0]["event"]["data"]["encounter"];
            assert_eq!((&snapshot["version"], &snapshot["services"]), (&json!("3"), &json!([])));
            amend(&parts, &one, 3, &reason("entered-in-error", json!({}))).await?.error_for_status()?;
            let told = events(&parts, id(&encounter)).await?;
            let status = &told[0]["event"]["data"]["encounter"]["status"];
            assert_eq!(status, "ENCOUNTER_STATUS_ENTERED_IN_ERROR");
            Ok(())
        }),
        test("the_clock_of_its_clinic_goes_with_an_encounter", parts, |parts| async move {
            let chart = chart(&parts).await?;
            let all = format!("{chart}/encounters");
            let (berlin, tokyo) =
                (Place::make(&parts).await?, Place::open(&parts, "Asia/Tokyo", ("08:00", "17:00")).await?);
            let zone = async |encounter: &Value| {
                let told = events(&parts, id(encounter)).await?;
                anyhow::Ok(told[0]["event"]["data"]["encounter"]["timeZone"].clone())
            };
            let at = |clinic: Value| {
                let mut visit = visit("in-progress");
                visit["clinicId"] = clinic;
                visit
            };
            let over = json!({ "status": "finished" });
            let known = added(&parts, &all, &at(json!(berlin.clinic)).to_string()).await?;
            let one = format!("{all}/{}", id(&known));
            amend(&parts, &one, 1, &over).await?.error_for_status()?;
            assert_eq!(zone(&known).await?, "Europe/Berlin");
            // It was somewhere else.
            let moved = reason("corrected", json!({ "clinicId": tokyo.clinic }));
            amend(&parts, &one, 2, &moved).await?.error_for_status()?;
            assert_eq!(zone(&known).await?, "Asia/Tokyo");
            amend(&parts, &one, 3, &reason("corrected", json!({ "practitionerId": tokyo.practitioner })))
                .await?
                .error_for_status()?;
            assert_eq!(zone(&known).await?, "Asia/Tokyo");

            let unknown = added(&parts, &all, &visit("in-progress").to_string()).await?;
            amend(&parts, &format!("{all}/{}", id(&unknown)), 1, &over).await?.error_for_status()?;
            assert_eq!(zone(&unknown).await?, "");
            // An earlier release did not ask; what is told next has it.
            let early = added(&parts, &all, &at(json!(tokyo.clinic)).to_string()).await?;
            let forgotten = format!(
                "update state.state set value = convert_to(jsonb_set(convert_from(value, 'UTF8')::jsonb #- '{{data,timeZone}}', \
                 '{{version}}', '2')::text, 'UTF8') where key = 'encounter/{}'",
                id(&early)
            );
            parts.execute(&forgotten).await?;
            amend(&parts, &format!("{all}/{}", id(&early)), 2, &over).await?.error_for_status()?;
            assert_eq!(zone(&early).await?, "Asia/Tokyo");
            Ok(())
        }),
        test("a_step_that_does_not_follow_is_refused_and_leaves_nothing", parts, |parts| async move {
            let chart = chart(&parts).await?;
            let all = format!("{chart}/encounters");
            let encounter = added(&parts, &all, &visit("planned").to_string()).await?;
            let one = format!("{all}/{}", id(&encounter));
            for (patch, pointer) in [
                (json!({ "status": "finished" }), "/status"),
                (json!({ "status": "onleave" }), "/status"),
                (json!({ "status": "arrived", "statusSince": "2020" }), "/statusSince"),
                (json!({ "status": "arrived", "statusHistory": [] }), "/statusHistory"),
                (json!({ "reasonCode": null }), "/amendment"),
                (
                    json!({ "status": "arrived", "services": [{ "code": { "system": "urn:x", "code": "1" } }] }),
                    "/services",
                ),
            ] {
                let answer = amend(&parts, &one, 1, &patch).await?;
                assert_eq!(answer.status(), 422, "{patch}");
                assert_eq!(answer.json::<Value>().await?["errors"][0]["pointer"], pointer, "{patch}");
            }
            assert_eq!(items(&parts, &format!("{one}/history")).await?.len(), 1);
            let finished = add(&parts, &all, &unique("key"), &visit("finished").to_string()).await?;
            assert_eq!(finished.status(), 422);
            Ok(())
        }),
        test("a_diagnosis_refers_to_a_condition_of_the_same_chart", parts, |parts| async move {
            let (mine, other) = (chart(&parts).await?, chart(&parts).await?);
            let foreign = added(&parts, &format!("{other}/conditions"), r#"{"code":{"text":"x"}}"#).await?;
            let all = format!("{mine}/encounters");
            let one = format!("{all}/{}", id(&added(&parts, &all, &visit("in-progress").to_string()).await?));
            let answer = amend(&parts, &one, 1, &finish(&foreign)).await?;
            assert_eq!(answer.status(), 422);
            assert_eq!(answer.json::<Value>().await?["errors"][0]["pointer"], "/diagnosis/0/conditionId");
            assert_eq!(get(&parts, &one).await?.headers()["etag"], "\"1\"");
            Ok(())
        }),
        test("the_front_desk_sees_that_somebody_came_and_not_what_was_found", parts, |parts| async move {
            let chart = chart(&parts).await?;
            let condition = added(&parts, &format!("{chart}/conditions"), r#"{"code":{"text":"x"}}"#).await?;
            let all = format!("{chart}/encounters");
            let one = format!("{all}/{}", id(&added(&parts, &all, &visit("in-progress").to_string()).await?));
            amend(&parts, &one, 1, &finish(&condition)).await?.error_for_status()?;
            for path in [one.clone(), all, format!("{one}/history")] {
                for (role, seen) in [(Role::FrontDesk, false), (Role::Biller, true)] {
                    let answer = parts.request(Method::GET, &path).bearer_auth(parts.token(role)?).send().await?;
                    let text = answer.error_for_status()?.text().await?;
                    assert_eq!((text.contains("E11.9"), text.contains("99213")), (seen, seen), "{path} {role}");
                    assert!(text.contains("finished"), "{text}");
                }
            }
            Ok(())
        }),
    ]
}
