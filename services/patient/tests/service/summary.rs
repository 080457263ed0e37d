//! A patient on one page.

use access::Role;
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result, test};
use uuid::Uuid;

use super::{
    charting::{KINDS, added},
    id, person,
    place::{Place, at},
    registered, unique,
};

async fn summary(parts: &Parts, role: Role, patient: &str) -> Result<(u16, Value)> {
    let path = format!("/api/patients/{patient}/summary");
    let answer = parts.request(Method::GET, &path).bearer_auth(parts.token(role)?).send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

fn texts(section: &Value, pointer: &str) -> Vec<Value> {
    let items = section["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| item.pointer(pointer).cloned().unwrap_or_default()).collect()
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_summary_has_what_is_active_and_what_is_newest", parts, |parts| async move {
            let patient = registered(&parts, &person(&unique("Summary"))).await?;
            let path = format!("/api/patients/{}", id(&patient));
            let place = Place::make(&parts).await?;
            for (kind, record, ..) in KINDS.iter().filter(|(kind, ..)| *kind != "observations") {
                added(&parts, &format!("{path}/{kind}"), record).await?;
            }
            let over = KINDS[2].1.replace(r#""code":"active""#, r#""code":"resolved""#).replace("asthma", "mumps");
            added(&parts, &format!("{path}/conditions"), &over).await?;
            for (beats, day) in [(61, "2026-11-01"), (93, "2026-11-03"), (70, "2026-11-02")] {
                let rate = json!({
                    "status": "final", "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4" }] },
                    "valueQuantity": { "value": beats, "unit": "/min" }, "effectiveDateTime": day,
                });
                added(&parts, &format!("{path}/observations"), &rate.to_string()).await?;
            }
            let (_, later) = place.book(&parts, &patient, &at(15, 0)).await?;
            let (_, next) = place.book(&parts, &patient, &at(9, 0)).await?;
            assert!(later["id"].is_string(), "{later}");

            let (status, told) = summary(&parts, Role::Physician, id(&patient)).await?;
            assert_eq!(status, 200, "{told}");
            assert_eq!(texts(&told["problems"], "/code/text"), ["asthma"]);
            assert_eq!(texts(&told["allergies"], "/code/text"), ["nuts"]);
            assert_eq!(texts(&told["medications"], "/medicationCodeableConcept/text"), ["metformin"]);
            assert_eq!(texts(&told["vitalSigns"], "/valueQuantity/value"), [93]);
            assert_eq!(told["nextAppointment"]["appointment"]["id"], next["id"], "{told}");
            assert_eq!(told["balance"]["status"], "withheld", "{told}");
            Ok(())
        }),
        test("a_role_sees_of_a_summary_what_it_sees_elsewhere", parts, |parts| async move {
            let patient = registered(&parts, &person(&unique("Summary"))).await?;
            let sections = ["problems", "allergies", "medications", "vitalSigns", "nextAppointment", "balance"];
            for (role, expected) in [
                (Role::Nurse, ["known", "known", "known", "known", "known", "withheld"]),
                // Nobody is at billing's place here.
                (Role::FrontDesk, ["withheld", "withheld", "withheld", "withheld", "known", "unavailable"]),
                (Role::Biller, ["known", "withheld", "withheld", "withheld", "known", "unavailable"]),
            ] {
                let (status, told) = summary(&parts, role, id(&patient)).await?;
                assert_eq!(status, 200, "{told}");
                assert_eq!(sections.map(|section| told[section]["status"].clone()), expected, "{role}: {told}");
                for section in sections.iter().filter(|section| told[**section]["status"] != "known") {
                    assert!(told[section]["reason"].is_string(), "{told}");
                }
            }
            assert_eq!(summary(&parts, Role::Analyst, id(&patient)).await?.0, 403);
            assert_eq!(summary(&parts, Role::Nurse, &Uuid::now_v7().to_string()).await?.0, 404);
            Ok(())
        }),
    ]
}
