//! `patient.v1.Replay`: what was told, for whoever did not hear it.

use std::collections::BTreeMap;

use contracts::{
    patient::v1::{
        DigestLatestEventsRequest, DigestLatestEventsResponse, ListLatestEventsRequest, ListLatestEventsResponse,
        replay_client::ReplayClient,
    },
    topic,
};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use testkit::{Parts, Result, test};
use tonic::{Code, Request, Status, transport::Endpoint};

use super::{
    amending::patch,
    charting::{added, amend, chart, reason},
    encounters::{finish, visit},
    id, person,
    place::{Place, at},
    registered, unique,
};

async fn ask(
    parts: &Parts,
    asked: ListLatestEventsRequest,
) -> Result<std::result::Result<ListLatestEventsResponse, Status>> {
    let channel = Endpoint::from_shared(parts.app_url(""))?.connect().await?;
    let mut request = Request::new(asked);
    request.metadata_mut().insert("dapr-api-token", parts.app_api_token().parse()?);
    Ok(ReplayClient::new(channel).list_latest_events(request).await.map(tonic::Response::into_inner))
}

fn named(topics: &[&str]) -> Vec<String> {
    topics.iter().map(|&topic| topic.to_owned()).collect()
}

/// Every page, each event under what it is of.
async fn told(parts: &Parts, topics: &[&str], limit: i32) -> Result<BTreeMap<String, Value>> {
    let (mut told, mut cursor) = (BTreeMap::new(), None);
    loop {
        let asked = ListLatestEventsRequest { topics: named(topics), cursor, limit: Some(limit) };
        let page = ask(parts, asked).await??;
        assert!(page.events.len() <= usize::try_from(limit)?);
        for event in page.events {
            let event: Value = serde_json::from_str(&event)?;
            let subject = event["subject"].as_str().unwrap_or_default().to_owned();
            assert!(told.insert(subject, event).is_none(), "of each thing one");
        }
        let Some(next) = page.next else { return Ok(told) };
        cursor = Some(next);
    }
}

async fn digested(
    parts: &Parts,
    topics: &[&str],
    cursor: Option<String>,
    limit: usize,
) -> Result<DigestLatestEventsResponse> {
    let channel = Endpoint::from_shared(parts.app_url(""))?.connect().await?;
    let asked = DigestLatestEventsRequest { topics: named(topics), cursor, limit: i32::try_from(limit).ok() };
    let mut request = Request::new(asked);
    request.metadata_mut().insert("dapr-api-token", parts.app_api_token().parse()?);
    Ok(ReplayClient::new(channel).digest_latest_events(request).await?.into_inner())
}

/// What a consumer would compute that has heard these: its facts are `<id> <version>`.
async fn digest(parts: &Parts, heard: &[String]) -> Result<(i64, String)> {
    if heard.is_empty() {
        return Ok((0, "0".repeat(15)));
    }
    let facts = heard.iter().map(|fact| format!("('{fact}')")).collect::<Vec<_>>().join(",");
    let sum = format!(
        "select sum(('x' || substr(md5(fact), 1, 15))::bit(60)::bigint)::text as sum from (values {facts}) as heard(fact)"
    );
    let sum: u128 = parts.sql(&sum).await?[0]["sum"].as_str().unwrap_or_default().parse()?;
    Ok((i64::try_from(heard.len())?, format!("{:015x}", sum % (1 << 60))))
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("everybody_who_was_registered_is_told_of_again", parts, |parts| async move {
            let family = unique("Replayed");
            let mut people = Vec::new();
            for _ in 0..5 {
                people.push(registered(&parts, &person(&unique(&family))).await?);
            }
            for limit in [2, 500] {
                let told = told(&parts, &[topic::PATIENT_REGISTERED], limit).await?;
                for somebody in &people {
                    let event = &told[id(somebody)];
                    assert_eq!(event["type"], "patient.v1.PatientRegistered");
                    assert_eq!(event["data"]["patient"]["patientId"], somebody["id"]);
                }
                let all = parts.sql("select count(*) from projection.patients").await?[0]["count"].as_u64();
                assert_eq!(u64::try_from(told.len()).ok(), all);
                assert!(!json!(told).to_string().contains(&family), "nobody is named");
            }
            Ok(())
        }),
        test("of_an_encounter_the_latest_that_was_told_is_told_again", parts, |parts| async move {
            let chart = chart(&parts).await?;
            let condition = added(&parts, &format!("{chart}/conditions"), r#"{"code":{"text":"x"}}"#).await?;
            let all = format!("{chart}/encounters");
            let going = added(&parts, &all, &visit("in-progress").to_string()).await?;
            let over = added(&parts, &all, &visit("in-progress").to_string()).await?;
            let one = format!("{all}/{}", id(&over));
            amend(&parts, &one, 1, &finish(&condition)).await?.error_for_status()?;
            amend(&parts, &one, 2, &reason("corrected", json!({ "services": null }))).await?.error_for_status()?;
            let found = told(&parts, &[topic::ENCOUNTER_FINISHED], 3).await?;
            assert!(!found.contains_key(id(&going)), "nothing was told of it");
            assert_eq!(found[id(&over)]["data"]["encounter"]["version"], "3");
            // What a later version does not tell stands in an earlier one.
            let silent = format!(
                "update state.state set value = convert_to(jsonb_set(jsonb_set(convert_from(value, 'UTF8')::jsonb, \
                 '{{version}}', '4'), '{{events}}', '[]')::text, 'UTF8') where key = 'encounter/{}'",
                id(&over)
            );
            parts.execute(&silent).await?;
            let found = told(&parts, &[topic::ENCOUNTER_FINISHED], 3).await?;
            assert_eq!(found[id(&over)]["data"]["encounter"]["version"], "3");
            Ok(())
        }),
        test("whoever_has_heard_everything_computes_the_same_digests", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            for hour in [9, 10, 11] {
                let somebody = registered(&parts, &person(&unique("Digest"))).await?;
                patch(&parts, id(&somebody), "\"1\"", &json!({ "gender": "other" })).await?.error_for_status()?;
                assert_eq!(place.book(&parts, &somebody, &at(hour, 0)).await?.0, 201);
                let encounters = format!("/api/patients/{}/encounters", id(&somebody));
                let seen = added(&parts, &encounters, &visit("in-progress").to_string()).await?;
                let over = json!({ "status": "finished" });
                amend(&parts, &format!("{encounters}/{}", id(&seen)), 1, &over).await?.error_for_status()?;
                // Of this one nothing is told.
                added(&parts, &encounters, &visit("planned").to_string()).await?;
            }
            for topics in [
                &[topic::PATIENT_REGISTERED, topic::PATIENT_UPDATED][..],
                &[topic::APPOINTMENT_BOOKED, topic::APPOINTMENT_CHANGED],
                &[topic::ENCOUNTER_FINISHED],
            ] {
                let events = told(&parts, topics, 500).await?;
                let (size, mut cursor, mut count) = (events.len().div_ceil(3), None::<String>, 0);
                assert!(size > 0, "{topics:?}");
                loop {
                    let page = digested(&parts, topics, cursor.clone(), size).await?;
                    // Ids of one length and in lower case have the order of uuids.
                    let is_here = |id: &String| {
                        cursor.as_ref().is_none_or(|after| id > after) && page.next.as_ref().is_none_or(|to| id <= to)
                    };
                    let heard: Vec<_> = events
                        .iter()
                        .filter(|(id, _)| is_here(id))
                        .filter_map(|(id, event)| {
                            let snapshot = event["data"].as_object()?.values().next()?;
                            Some(format!("{id} {}", snapshot["version"].as_str()?))
                        })
                        .collect();
                    assert_eq!((page.count, page.digest), digest(&parts, &heard).await?, "{topics:?}");
                    count += page.count;
                    cursor = page.next;
                    if cursor.is_none() {
                        break;
                    }
                }
                assert_eq!(count, i64::try_from(events.len())?, "{topics:?}");
            }
            Ok(())
        }),
        test("what_cannot_be_told_again_is_named", parts, |parts| async move {
            let asked = ListLatestEventsRequest {
                topics: named(&[topic::PATIENT_UPDATED, topic::ENCOUNTER_FINISHED]),
                cursor: Some("there".to_owned()),
                limit: Some(501),
            };
            let refused = ask(&parts, asked).await?.err();
            let problem = refused.map(problem::Problem::from);
            let fields: Vec<_> =
                problem.iter().flat_map(|problem| &problem.errors).map(|error| &error.pointer).collect();
            assert_eq!(fields, ["topics", "cursor", "limit"]);
            let channel = Endpoint::from_shared(parts.app_url(""))?.connect().await?;
            let asked = ListLatestEventsRequest { topics: named(&[topic::PATIENT_REGISTERED]), ..Default::default() };
            let stranger = ReplayClient::new(channel).list_latest_events(asked).await;
            assert_eq!(stranger.err().map(|status| status.code()), Some(Code::Unauthenticated), "only by the sidecar");
            Ok(())
        }),
    ]
}
