//! An appointment and the encounter that it comes to.

use access::Role;
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{
    id, person,
    place::{Place, ask, at},
    registered, unique,
};

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("checking_in_makes_the_encounter_and_starting_begins_it", parts, whole),
        test("an_appointment_is_not_over_before_its_encounter_has_begun", parts, refused),
        test("an_encounter_is_of_an_appointment_by_checking_in_alone", parts, not_given),
    ]
}

/// Somebody whose patient is here: the appointment, arrived, at version 2.
///
/// It is of another day, on which nobody could arrive today, so the database is told.
async fn arrived(parts: &Parts, place: &Place) -> Result<(Value, Value)> {
    let patient = registered(parts, &person(&unique("Here"))).await?;
    let (_, booked) = place.book(parts, &patient, &at(9, 0)).await?;
    let arrive = "update state.state set value = convert_to(jsonb_set(jsonb_set(jsonb_set(
          convert_from(value, 'UTF8')::jsonb, '{data,status}', '\"arrived\"'), '{version}', '2'), '{events}', '[]')::text, 'UTF8')
        where key = $1";
    let refused = parts.database().await?.change(arrive, &[&format!("appointment/{}", id(&booked))]).await?;
    anyhow::ensure!(refused.is_none(), "{refused:?}");
    Ok((patient, booked))
}

async fn step(parts: &Parts, of: &Value, action: &str, seen: u64) -> Result<(u16, Value)> {
    let path = format!("/api/appointments/{}/{action}", id(of));
    ask(parts, Role::Nurse, &path, &unique("key"), Some(seen), &Value::Null).await
}

async fn encounter(parts: &Parts, patient: &Value, of: &Value) -> Result<(String, Value)> {
    let path = format!("/api/patients/{}/encounters/{}", id(patient), of["encounterId"].as_str().unwrap_or_default());
    let request = parts.request(Method::GET, &path).bearer_auth(parts.token(Role::Physician)?);
    let answer = request.send().await?;
    assert_eq!(answer.status(), 200, "{path}");
    Ok((path, answer.json().await?))
}

async fn amend(parts: &Parts, path: &str, seen: u64, body: &Value) -> Result<u16> {
    let request = parts.request(Method::PATCH, path).bearer_auth(parts.token(Role::Physician)?);
    Ok(request.header("if-match", format!("\"{seen}\"")).json(body).send().await?.status().as_u16())
}

async fn whole(parts: Parts) -> Result<()> {
    let place = Place::make(&parts).await?;
    let (patient, appointment) = arrived(&parts, &place).await?;
    assert_eq!(appointment.get("encounterId"), None);
    let (status, here) = step(&parts, &appointment, "check-in", 2).await?;
    assert_eq!(status, 200, "{here}");
    let (path, made) = encounter(&parts, &patient, &here).await?;
    assert_eq!(
        (&made["status"], &made["appointmentId"], &made["clinicId"], &made["practitionerId"], &made["class"]["code"]),
        (&json!("arrived"), &appointment["id"], &json!(place.clinic), &json!(place.practitioner), &json!("AMB"))
    );
    assert_eq!(step(&parts, &appointment, "start", 3).await?.0, 200);
    let (_, begun) = encounter(&parts, &patient, &here).await?;
    assert_eq!((&begun["status"], &begun["version"]), (&json!("in-progress"), &json!(2)), "{begun}");
    let finish = json!({
        "status": "finished",
        "services": [{ "code": { "system": "urn:cpt", "code": "99213" } }],
    });
    assert_eq!(amend(&parts, &path, 2, &finish).await?, 200);
    let (status, over) = step(&parts, &appointment, "finish", 4).await?;
    assert_eq!((status, &over["status"]), (200, &json!("fulfilled")), "{over}");
    let told = format!(
        "select convert_from(value, 'UTF8')::jsonb #> '{{events,0,event,data,encounter}}' as told
         from state.state where key = 'encounter/{}'",
        here["encounterId"].as_str().unwrap_or_default()
    );
    let told = &parts.sql(&told).await?[0]["told"];
    assert_eq!((&told["appointmentId"], &told["timeZone"]), (&appointment["id"], &json!("Europe/Berlin")));
    Ok(())
}

async fn refused(parts: Parts) -> Result<()> {
    let place = Place::make(&parts).await?;
    let (patient, appointment) = arrived(&parts, &place).await?;
    let (_, here) = step(&parts, &appointment, "check-in", 2).await?;
    let (path, _) = encounter(&parts, &patient, &here).await?;
    assert_eq!(amend(&parts, &path, 1, &json!({ "status": "cancelled" })).await?, 200);
    let (status, problem) = step(&parts, &appointment, "start", 3).await?;
    let refused = "urn:patient-management:problem:encounter-refused";
    assert_eq!((status, &problem["type"]), (409, &json!(refused)), "{problem}");
    assert_eq!(step(&parts, &appointment, "finish", 3).await?.0, 409);
    Ok(())
}

async fn not_given(parts: Parts) -> Result<()> {
    let place = Place::make(&parts).await?;
    let (patient, appointment) = arrived(&parts, &place).await?;
    let body = json!({
        "status": "planned", "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
        "clinicId": place.clinic, "appointmentId": appointment["id"],
    });
    let path = format!("/api/patients/{}/encounters", id(&patient));
    let (status, problem) = ask(&parts, Role::Physician, &path, &unique("key"), None, &body).await?;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/appointmentId")), "{problem}");
    Ok(())
}
