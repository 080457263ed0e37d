//! Who did what with whose record.

use std::{collections::BTreeMap, time::Duration};

use access::Role;
use anyhow::Context as _;
use futures::future::try_join_all;
use libtest_mimic::Trial;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::{Parts, Result, test};
use tokio::time::{Instant, sleep};
use tonic::Code;

use super::{
    demographics::ask as ask_for,
    id, person,
    place::{Place, at},
    register, registered, unique,
};

/// A request by somebody of this role, by whose id its entry is found.
fn ask(parts: &Parts, role: Role, method: Method, path: &str) -> Result<(String, RequestBuilder)> {
    let called = unique("audited");
    let request = parts.request(method, path).bearer_auth(parts.token(role)?).header("x-request-id", &called);
    Ok((called, request))
}

/// Reads; answers the id of the request.
async fn read(parts: &Parts, role: Role, path: &str, status: u16) -> Result<String> {
    let (called, request) = ask(parts, role, Method::GET, path)?;
    let answer = request.send().await?;
    anyhow::ensure!(answer.status() == status, "{path} for {role}: {} {}", answer.status(), answer.text().await?);
    Ok(called)
}

/// Every entry of these requests, once all of them are sealed.
async fn sealed(parts: &Parts, requests: &[String]) -> Result<Vec<Value>> {
    let names: Vec<_> = requests.iter().map(|request| format!("'{request}'")).collect();
    let query = format!(
        "select request_id, action, subtype, outcome, agent_role, entity_type, entity_id, entity_version, patient, \
         details from audit.entries left join audit.details using (position) where request_id in ({}) order by position",
        names.join(", ")
    );
    let all = async || Ok(parts.sql(&query).await?.len() >= requests.len());
    parts.eventually("every request has an entry", all).await?;
    parts.sql(&query).await
}

/// A page for the privacy officer, and the address of the next.
async fn page(parts: &Parts, path: &str) -> Result<(Vec<Value>, Option<String>)> {
    let answer = parts.request(Method::GET, path).bearer_auth(parts.token(Role::PrivacyOfficer)?).send().await?;
    anyhow::ensure!(answer.status() == 200, "{path}: {} {}", answer.status(), answer.text().await?);
    let link = answer.headers().get("link").and_then(|link| link.to_str().ok());
    let next = link.and_then(|link| link.strip_prefix('<')?.split_once('>')).map(|(next, _)| next.to_owned());
    let page: Value = answer.json().await?;
    assert_eq!(next.is_some(), page["next"].is_string());
    Ok((page["items"].as_array().cloned().context("no items")?, next))
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_read_is_recorded_once_with_what_was_read", parts, reads),
        test("a_search_is_recorded_without_what_was_searched_for", parts, searches),
        test("a_change_leaves_one_entry_however_often_it_is_sent", parts, changes),
        test("a_role_that_is_refused_is_recorded", parts, refusals),
        test("the_privacy_officer_sees_the_audit_and_is_seen", parts, viewing),
        test("an_access_log_has_all_that_was_done_with_one_record_and_nothing_else", parts, access_log),
        test("a_chart_is_recorded_though_its_routes_know_nothing_of_it", parts, charts),
        test("an_appointment_says_whose_it_is_though_its_path_does_not", parts, appointments),
        test("an_access_log_is_for_who_may_and_asks_what_it_can", parts, refused_logs),
        test("nobody_is_answered_without_a_trace", parts, fails_closed),
        test("every_operation_has_its_entry_though_the_database_is_killed", parts, counts),
    ]
}

async fn reads(parts: Parts) -> Result {
    let patient = registered(&parts, &person(&unique("Read"))).await?;
    let path = format!("/api/patients/{}", id(&patient));
    let nobody = "/api/patients/0197a1b2-0000-7000-8000-000000000000";
    let (known, request) = ask(&parts, Role::Nurse, Method::GET, &path)?;
    assert_eq!(request.header("if-none-match", "\"1\"").send().await?.status(), 304);
    let whole = read(&parts, Role::Nurse, &path, 200).await?;
    let missing = read(&parts, Role::Nurse, nobody, 404).await?;
    let entries = sealed(&parts, &[known, whole, missing.clone()]).await?;
    assert_eq!(entries.len(), 3, "{entries:?}");
    for entry in &entries {
        let told = (&entry["action"], &entry["subtype"], &entry["agent_role"], &entry["entity_type"]);
        assert_eq!(told, (&json!("R"), &json!("read"), &json!("nurse"), &json!("patient")));
        if entry["request_id"] == missing {
            assert_eq!((&entry["outcome"], &entry["entity_version"]), (&json!(4), &Value::Null));
        } else {
            assert_eq!((&entry["outcome"], &entry["entity_version"]), (&json!(0), &json!(1)));
            assert_eq!((&entry["entity_id"], &entry["patient"]), (&patient["id"], &patient["id"]));
        }
    }
    Ok(())
}

async fn searches(parts: Parts) -> Result {
    let family = unique("Sought");
    registered(&parts, &person(&family)).await?;
    let found = read(&parts, Role::Biller, &format!("/api/patients?family={family}&limit=5"), 200).await?;
    let refused = read(&parts, Role::Biller, &format!("/api/patients?{family}"), 422).await?;
    let entries = sealed(&parts, &[found, refused]).await?;
    let told: Vec<_> =
        entries.iter().map(|entry| (&entry["subtype"], &entry["outcome"], &entry["entity_id"])).collect();
    assert_eq!(told, [(&json!("search"), &json!(0), &Value::Null), (&json!("search"), &json!(4), &Value::Null)]);
    assert_eq!(entries[0]["details"], r#"{"parameters": "family limit"}"#);
    let all = "select count(*) as count from audit.entries left join audit.details using (position) \
               where concat(to_jsonb(entries)::text, details) ilike";
    assert_eq!(parts.sql(&format!("{all} '%{family}%'")).await?[0]["count"], 0);
    Ok(())
}

async fn changes(parts: Parts) -> Result {
    let key = unique("key");
    let body = person(&unique("Change"));
    let patient: Value = register(&parts, &key, &body).await?.json().await?;
    register(&parts, &key, &body).await?;
    let path = format!("/api/patients/{}", id(&patient));
    for (seen, gender, status) in [("\"1\"", "other", 200), ("\"1\"", "male", 412), ("\"2\"", "other", 200)] {
        let request = parts.request(Method::PATCH, &path).bearer_auth(parts.token(Role::Physician)?);
        let request = request.header("if-match", seen).json(&json!({ "gender": gender }));
        assert_eq!(request.send().await?.status(), status, "{seen} {gender}");
    }
    let query = format!(
        "select action, subtype, outcome, agent_role, entity_type, entity_version, patient from audit.entries \
         where entity_id = '{}' order by position",
        id(&patient)
    );
    parts.eventually("all are sealed", || async { Ok(parts.sql(&query).await?.len() >= 3) }).await?;
    let entry = |action: &str, subtype: &str, role: &str, version: u64| {
        json!({ "action": action, "subtype": subtype, "outcome": 0, "agent_role": role, "entity_type": "patient",
                "entity_version": version, "patient": patient["id"] })
    };
    // Who changes nothing has read.
    let expected = [
        entry("C", "create", "front-desk", 1),
        entry("U", "update", "physician", 2),
        entry("R", "read", "physician", 2),
    ];
    assert_eq!(parts.sql(&query).await?, expected);
    Ok(())
}

async fn refusals(parts: Parts) -> Result {
    let patient = registered(&parts, &person(&unique("Refused"))).await?;
    let path = format!("/api/patients/{}", id(&patient));
    let mut requests = vec![read(&parts, Role::Analyst, &path, 403).await?];
    requests.push(read(&parts, Role::Admin, &format!("{path}/access-log"), 403).await?);
    let (called, request) = ask(&parts, Role::Biller, Method::PATCH, &path)?;
    assert_eq!(request.header("if-match", "\"1\"").json(&json!({ "gender": "male" })).send().await?.status(), 403);
    requests.push(called);
    let entries = sealed(&parts, &requests).await?;
    for (called, told) in requests.iter().zip([("R", "read"), ("R", "access-log"), ("U", "update")]) {
        let of: Vec<_> = entries.iter().filter(|entry| entry["request_id"] == called.as_str()).collect();
        assert_eq!(of.len(), 1, "{entries:?}");
        assert_eq!((&of[0]["action"], &of[0]["subtype"]), (&json!(told.0), &json!(told.1)));
        assert_eq!((&of[0]["outcome"], &of[0]["patient"]), (&json!(8), &patient["id"]));
    }
    Ok(())
}

async fn viewing(parts: Parts) -> Result {
    let patient = registered(&parts, &person(&unique("Viewed"))).await?;
    let called = read(&parts, Role::Nurse, &format!("/api/patients/{}", id(&patient)), 200).await?;
    sealed(&parts, std::slice::from_ref(&called)).await?;
    let path = format!("/api/patients/audit?patient={}", id(&patient));
    let (entries, _) = page(&parts, &path).await?;
    let told: Vec<_> = entries.iter().map(|entry| (&entry["subtype"], &entry["patient"])).collect();
    assert_eq!(told, [(&json!("read"), &patient["id"]), (&json!("create"), &patient["id"])]);
    assert_eq!(entries[0]["requestId"], called);
    for role in [Role::Admin, Role::Physician, Role::FrontDesk] {
        read(&parts, role, "/api/patients/audit", 403).await?;
    }
    let looked = read(&parts, Role::PrivacyOfficer, &path, 200).await?;
    let entries = sealed(&parts, &[looked]).await?;
    assert_eq!((entries.len(), &entries[0]["subtype"]), (1, &json!("audit-log-used")));
    Ok(())
}

async fn appointments(parts: Parts) -> Result {
    let patient = registered(&parts, &person(&unique("Booked"))).await?;
    let (status, booked) = Place::make(&parts).await?.book(&parts, &patient, &at(11, 0)).await?;
    assert_eq!(status, 201, "{booked}");
    let path = format!("/api/appointments/{}", id(&booked));
    let one = read(&parts, Role::Nurse, &path, 200).await?;
    let all = read(&parts, Role::Nurse, &format!("{path}/history"), 200).await?;
    for entry in sealed(&parts, &[one, all]).await? {
        let told = (&entry["patient"], &entry["entity_type"], &entry["entity_id"]);
        assert_eq!(told, (&patient["id"], &json!("appointment"), &booked["id"]), "{entry}");
    }
    Ok(())
}

async fn access_log(parts: Parts) -> Result {
    let (patient, other) = (person(&unique("Logged")), person(&unique("Logged")));
    let (patient, other) = (registered(&parts, &patient).await?, registered(&parts, &other).await?);
    let path = format!("/api/patients/{}", id(&patient));
    let mut requests = Vec::new();
    for role in [Role::Nurse, Role::Physician, Role::Nurse] {
        requests.push(read(&parts, role, &path, 200).await?);
        requests.push(read(&parts, role, &format!("/api/patients/{}", id(&other)), 200).await?);
        requests.push(read(&parts, role, "/api/patients?family=logged", 200).await?);
    }
    requests.push(read(&parts, Role::Analyst, &path, 403).await?);
    sealed(&parts, &requests).await?;

    let (whole, next) = page(&parts, &format!("{path}/access-log?limit=200")).await?;
    let told: Vec<_> =
        whole.iter().map(|item| json!([item["subtype"], item["agent"]["role"], item["outcome"]])).collect();
    let expected = [
        json!(["read", "analyst", 8]),
        json!(["read", "nurse", 0]),
        json!(["read", "physician", 0]),
        json!(["read", "nurse", 0]),
        json!(["create", "front-desk", 0]),
    ];
    assert_eq!((told.as_slice(), next), (&expected[..], None));
    for item in &whole {
        assert_eq!((&item["category"], item.get("details")), (&json!("demographics"), None), "{item}");
        assert!(item["agent"]["who"].is_string() && item["agent"].get("session").is_none(), "{item}");
    }

    // Page by page it is the same, whoever comes meanwhile; and who looked at the log is in the log.
    let (mut seen, mut next) = (Vec::new(), Some(format!("{path}/access-log?limit=2")));
    while let Some(path) = next {
        let (items, after) = page(&parts, &path).await?;
        seen.extend(items);
        next = after;
    }
    let before: Vec<_> = seen.iter().filter(|item| item["subtype"] != "access-log").cloned().collect();
    assert_eq!(before, whole);
    let looked = read(&parts, Role::PrivacyOfficer, &format!("{path}/access-log"), 200).await?;
    sealed(&parts, &[looked]).await?;
    let (newest, _) = page(&parts, &format!("{path}/access-log?limit=1")).await?;
    assert_eq!((&newest[0]["subtype"], &newest[0]["category"]), (&json!("access-log"), &json!("audit")));
    Ok(())
}

async fn charts(parts: Parts) -> Result {
    let patient = registered(&parts, &person(&unique("Charted"))).await?;
    let path = format!("/api/patients/{}", id(&patient));
    let all = format!("{path}/notes");
    let (called, request) = ask(&parts, Role::Physician, Method::POST, &all)?;
    let body = json!({ "status": "final", "type": { "text": "visit" }, "text": "well" });
    let made = request.header("idempotency-key", unique("key")).json(&body).send().await?;
    anyhow::ensure!(made.status() == 201, "{}", made.text().await?);
    let note: Value = made.json().await?;
    let one = format!("{all}/{}", id(&note));
    let mut requests = vec![called];
    for (role, path, status) in [
        (Role::Nurse, all.clone(), 200),
        (Role::Nurse, one.clone(), 200),
        (Role::Nurse, format!("{one}/history"), 200),
        (Role::FrontDesk, one.clone(), 403),
        (Role::Nurse, format!("{all}/{}", id(&patient)), 404),
    ] {
        requests.push(read(&parts, role, &path, status).await?);
    }
    sealed(&parts, &requests).await?;
    let (items, _) = page(&parts, &format!("{path}/access-log?limit=200")).await?;
    let told: Vec<_> = items
        .iter()
        .filter(|item| item["category"] == "clinical")
        .map(|item| json!([item["action"], item["subtype"], item["outcome"], item["entity"]]))
        .collect();
    let entity = json!({ "type": "note", "id": note["id"] });
    let version = json!({ "type": "note", "id": note["id"], "version": 1 });
    let expected = [
        json!(["R", "read", 4, { "type": "note", "id": patient["id"] }]),
        json!(["R", "read", 8, entity]),
        json!(["R", "history", 0, entity]),
        json!(["R", "read", 0, version]),
        json!(["R", "search", 0, { "type": "note" }]),
        json!(["C", "create", 0, version]),
    ];
    assert_eq!(told, expected);
    Ok(())
}

async fn refused_logs(parts: Parts) -> Result {
    let patient = registered(&parts, &person(&unique("Closed"))).await?;
    let log = format!("/api/patients/{}/access-log", id(&patient));
    for role in Role::ALL.into_iter().filter(|role| *role != Role::PrivacyOfficer) {
        read(&parts, role, &log, 403).await?;
    }
    for nobody in ["0197a1b2-0000-7000-8000-000000000000", "nobody"] {
        read(&parts, Role::PrivacyOfficer, &format!("/api/patients/{nobody}/access-log"), 404).await?;
    }
    let wrong = format!("{log}?limit=0&from=yesterday&patient=x&outcome=8");
    let (_, request) = ask(&parts, Role::PrivacyOfficer, Method::GET, &wrong)?;
    let problem: Value = request.send().await?.json().await?;
    let pointers: Vec<_> = problem["errors"].as_array().context("no errors")?.iter().map(|e| &e["pointer"]).collect();
    assert_eq!(pointers, ["patient", "outcome"], "{problem}");
    let (_, request) = ask(&parts, Role::PrivacyOfficer, Method::GET, &format!("{log}?limit=0&from=yesterday"))?;
    let problem: Value = request.send().await?.json().await?;
    assert_eq!((&problem["status"], problem["errors"].as_array().map(Vec::len)), (&json!(422), Some(2)), "{problem}");
    Ok(())
}

/// What the store is not needed for shows what is refused for the trace alone.
async fn fails_closed(parts: Parts) -> Result {
    let no_id = "/api/patients/nobody";
    let first = read(&parts, Role::Nurse, no_id, 404).await?;
    sealed(&parts, &[first]).await?;
    parts.stop_postgres().await?;
    let taken = read(&parts, Role::Nurse, no_id, 404).await?;
    sleep(Duration::from_millis(2300)).await;
    let lost = read(&parts, Role::Nurse, no_id, 503).await?;
    let refused = read(&parts, Role::Analyst, no_id, 403).await;
    let (biller, analyst) = (Some(Role::Biller), Some(Role::Analyst));
    let over_grpc = [ask_for(&parts, biller, "nobody").await, ask_for(&parts, analyst, "nobody").await];
    parts.start_postgres().await?;
    refused?;
    for (answer, code) in over_grpc.into_iter().zip([Code::Unavailable, Code::PermissionDenied]) {
        assert_eq!(answer?.1, Err(code));
    }
    parts.ready().await?;
    let entries = sealed(&parts, &[taken]).await?;
    assert_eq!(entries.len(), 1);
    let untold = format!("select 1 from audit.entries where request_id = '{lost}'");
    assert!(parts.sql(&untold).await?.is_empty(), "nobody was answered");
    Ok(())
}

/// As many as each sort of work is done in the count below.
const TIMES: usize = 60;

async fn counts(parts: Parts) -> Result {
    let patients: Vec<Value> =
        try_join_all((0..8).map(|_| async { registered(&parts, &person(&unique("Count"))).await })).await?;
    let until = Instant::now() + Duration::from_mins(1);
    let kill = async {
        sleep(Duration::from_millis(400)).await;
        parts.stop_postgres().await?;
        sleep(Duration::from_millis(1200)).await;
        parts.start_postgres().await
    };
    // Each attempt has an id of its own; an attempt that was answered has one entry, and a change has one in all.
    let work = try_join_all((0..TIMES).map(|number| {
        let (parts, patient) = (&parts, &patients[number % patients.len()]);
        async move {
            let (key, body) = (unique("key"), person(&unique("Counted")));
            let (mut made, mut read) = (None, None);
            sleep(Duration::from_millis(u64::try_from(number)? * 40)).await;
            while made.is_none() || read.is_none() {
                anyhow::ensure!(Instant::now() < until, "it does not come back");
                if made.is_none() {
                    let answer = register(parts, &key, &body).await?;
                    made = (answer.status() == 201).then_some(answer.json::<Value>().await?["id"].clone());
                }
                if read.is_none() {
                    let (called, request) =
                        ask(parts, Role::Nurse, Method::GET, &format!("/api/patients/{}", id(patient)))?;
                    read = (request.send().await?.status() == 200).then_some(called);
                }
                sleep(Duration::from_millis(50)).await;
            }
            anyhow::Ok((made.context("made")?, read.context("read")?))
        }
    }));
    let (done, ()) = tokio::try_join!(work, kill)?;
    parts.ready().await?;

    let reads: Vec<_> = done.iter().map(|(_, read)| read.clone()).collect();
    let entries = sealed(&parts, &reads).await?;
    let mut by_request: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &entries {
        *by_request.entry(entry["request_id"].as_str().unwrap_or_default()).or_default() += 1;
    }
    assert_eq!((by_request.len(), entries.len()), (TIMES, TIMES), "a read has one entry");
    let made: Vec<_> = done.iter().map(|(made, _)| format!("'{}'", made.as_str().unwrap_or_default())).collect();
    let query = format!(
        "select count(*) as entries, count(distinct entity_id) as patients from audit.entries \
         where subtype = 'create' and entity_id in ({})",
        made.join(", ")
    );
    let all = json!({ "entries": TIMES, "patients": TIMES });
    parts.eventually("each change has one entry", || async { Ok(parts.sql(&query).await?[0] == all) }).await
}
