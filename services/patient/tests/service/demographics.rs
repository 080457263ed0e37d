//! `patient.v1.Demographics`: what an invoice shows of a patient, and who has looked.

use access::Role;
use contracts::patient::v1::{
    Address, AdministrativeGender, GetDemographicsRequest, HumanName, PatientDemographics,
    demographics_client::DemographicsClient,
};
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result, test};
use tonic::{Code, Request, transport::Endpoint};

use super::{id, person, registered, unique};

/// Somebody with more than one of everything, of which an invoice shows one.
fn somebody(family: &str) -> Value {
    json!({
        "name": [
            { "use": "maiden", "family": "Before", "given": ["Ada"] },
            { "use": "official", "family": family, "given": ["Ada", "Ngozi"], "prefix": ["Dr"], "suffix": ["PhD"] },
        ],
        "gender": "female",
        "birthDate": "1984-02",
        "telecom": [{ "system": "phone", "value": "+15555550100" }],
        "address": [
            { "use": "home", "line": ["12 High Street"], "city": "Springfield", "country": "US" },
            { "use": "billing", "line": ["c/o Okafor", "1 Bank Row"], "city": "Capital City", "state": "NT",
              "postalCode": "12345", "country": "US" },
        ],
    })
}

/// Asks as a service would on behalf of somebody of this role; answers what the request is called, too.
pub(super) async fn ask(
    parts: &Parts,
    role: Option<Role>,
    patient_id: &str,
) -> Result<(String, std::result::Result<PatientDemographics, Code>)> {
    let channel = Endpoint::from_shared(parts.app_url(""))?.connect().await?;
    let called = unique("demographics");
    let mut request = Request::new(GetDemographicsRequest { patient_id: patient_id.to_owned() });
    request.metadata_mut().insert("dapr-api-token", parts.app_api_token().parse()?);
    request.metadata_mut().insert("x-request-id", called.parse()?);
    if let Some(role) = role {
        request.metadata_mut().insert("authorization", format!("Bearer {}", parts.token(role)?).parse()?);
    }
    let answer = DemographicsClient::new(channel).get_demographics(request).await;
    let answer = answer.map(|answer| answer.into_inner().patient.unwrap_or_default());
    Ok((called, answer.map_err(|status| status.code())))
}

/// The one entry of a request, once it is sealed.
async fn entry(parts: &Parts, called: &str) -> Result<Value> {
    let query = format!(
        "select action, subtype, outcome, agent_role, entity_type, entity_id, entity_version, patient \
         from audit.entries where request_id = '{called}'"
    );
    parts.eventually("the request has an entry", || async { Ok(!parts.sql(&query).await?.is_empty()) }).await?;
    let mut entries = parts.sql(&query).await?;
    assert_eq!(entries.len(), 1, "{entries:?}");
    Ok(entries.remove(0))
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("demographics_are_those_that_were_registered", parts, as_registered),
        test("demographics_say_no_more_than_the_record", parts, partly_known),
        test("demographics_are_for_those_who_bill", parts, refused),
        test("who_asks_for_demographics_is_in_the_access_log", parts, access_log),
    ]
}

async fn as_registered(parts: Parts) -> Result {
    let family = unique("Billed");
    let patient = registered(&parts, &somebody(&family)).await?;
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let mut expected = PatientDemographics {
        patient_id: id(&patient).to_owned(),
        version: 1,
        record_number: patient["mrn"].as_str().unwrap_or_default().to_owned(),
        active: true,
        name: Some(HumanName {
            prefix: texts(&["Dr"]),
            given: texts(&["Ada", "Ngozi"]),
            family,
            suffix: texts(&["PhD"]),
        }),
        birth_date: "1984-02".to_owned(),
        gender: AdministrativeGender::Female.into(),
        billing_address: Some(Address {
            line: texts(&["c/o Okafor", "1 Bank Row"]),
            city: "Capital City".to_owned(),
            state: "NT".to_owned(),
            postal_code: "12345".to_owned(),
            country: "US".to_owned(),
        }),
    };
    assert_eq!(ask(&parts, Some(Role::Biller), id(&patient)).await?.1.as_ref(), Ok(&expected));

    let path = format!("/api/patients/{}", id(&patient));
    let amendment = json!({ "active": false, "birthDate": "1984-02-11" });
    let amended = parts.request(Method::PATCH, &path).bearer_auth(parts.token(Role::FrontDesk)?);
    let amended = amended.header("if-match", "\"1\"").json(&amendment).send().await?;
    assert_eq!(amended.status(), 200);
    (expected.version, expected.active, expected.birth_date) = (2, false, "1984-02-11".to_owned());
    assert_eq!(ask(&parts, Some(Role::Admin), id(&patient)).await?.1, Ok(expected), "as it is at this moment");
    Ok(())
}

async fn partly_known(parts: Parts) -> Result {
    let family = unique("Unknown");
    let patient = registered(&parts, &json!({ "name": [{ "family": family }] })).await?;
    let (_, told) = ask(&parts, Some(Role::FrontDesk), id(&patient)).await?;
    let told = told.unwrap_or_default();
    assert_eq!(told.name, Some(HumanName { family, ..HumanName::default() }));
    assert_eq!((told.birth_date.as_str(), told.gender()), ("", AdministrativeGender::Unspecified));
    assert_eq!(told.billing_address, None);
    Ok(())
}

async fn refused(parts: Parts) -> Result {
    let patient = registered(&parts, &person(&unique("Hidden"))).await?;
    let nobody = "0197a1b2-0000-7000-8000-000000000000";
    for role in [Role::Nurse, Role::Physician, Role::Analyst, Role::PrivacyOfficer] {
        let (called, answer) = ask(&parts, Some(role), id(&patient)).await?;
        assert_eq!(answer, Err(Code::PermissionDenied), "{role}");
        let entry = entry(&parts, &called).await?;
        let told = (&entry["outcome"], &entry["agent_role"], &entry["patient"], &entry["entity_version"]);
        assert_eq!(told, (&json!(8), &json!(role.to_string()), &patient["id"], &Value::Null));
    }
    for (asked, about) in [(nobody, json!(nobody)), ("nobody", Value::Null)] {
        let (called, answer) = ask(&parts, Some(Role::Biller), asked).await?;
        assert_eq!(answer, Err(Code::NotFound), "{asked}");
        let entry = entry(&parts, &called).await?;
        assert_eq!((&entry["outcome"], &entry["entity_id"], &entry["patient"]), (&json!(4), &about, &about));
    }
    assert_eq!(ask(&parts, None, id(&patient)).await?.1, Err(Code::Unauthenticated));
    Ok(())
}

async fn access_log(parts: Parts) -> Result {
    let patient = registered(&parts, &person(&unique("Looked"))).await?;
    let (called, answer) = ask(&parts, Some(Role::Biller), id(&patient)).await?;
    assert!(answer.is_ok(), "{answer:?}");
    let read = entry(&parts, &called).await?;
    assert_eq!(
        read,
        json!({
            "action": "R", "subtype": "read", "outcome": 0, "agent_role": "biller", "entity_type": "patient",
            "entity_id": patient["id"], "entity_version": 1, "patient": patient["id"],
        })
    );
    let path = format!("/api/patients/{}/access-log", id(&patient));
    let log = parts.request(Method::GET, &path).bearer_auth(parts.token(Role::PrivacyOfficer)?).send().await?;
    let log: Value = log.json().await?;
    let told = |item: &Value| json!([item["subtype"], item["agent"]["role"], item["category"], item["outcome"]]);
    let told: Vec<_> = log["items"].as_array().into_iter().flatten().map(told).collect();
    assert_eq!(
        told,
        [json!(["read", "biller", "demographics", 0]), json!(["create", "front-desk", "demographics", 0])]
    );
    Ok(())
}
