//! Appointments: one time, one patient, whoever asks at the same moment.
#![expect(clippy::unwrap_used, reason = "what is not there is a failed test")]

use std::{collections::BTreeSet, time::Instant};

use access::Role;
use futures::future::try_join_all;
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{get, id, person, registered, unique};
use crate::place::{Place, ask, at, decided};

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    let mut trials = bookings(parts);
    trials.extend(lives(parts));
    trials
}

fn bookings(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_time_is_booked_once_and_answered_again_for_the_same_key", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let patient = registered(&parts, &person(&unique("Booked"))).await?;
            let wanted = place.wanted(&patient, &at(9, 0));
            let key = unique("key");
            let (status, made) = ask(&parts, Role::FrontDesk, "/api/appointments", &key, None, &wanted).await?;
            assert_eq!(status, 201, "{made}");
            assert_eq!((&made["status"], &made["version"], &made["lane"]), (&json!("booked"), &json!(1), &json!(0)));
            assert_eq!(made["localStart"], json!(at(9, 0)));
            let again = ask(&parts, Role::FrontDesk, "/api/appointments", &key, None, &wanted).await?;
            assert_eq!(again, (201, made.clone()));
            let other = place.wanted(&patient, &at(10, 0));
            let (status, refused) = ask(&parts, Role::FrontDesk, "/api/appointments", &key, None, &other).await?;
            assert_eq!(status, 422, "{refused}");

            let answer = get(&parts, &format!("/api/appointments/{}", id(&made))).await?;
            assert_eq!(answer.headers()["etag"], "\"1\"");
            assert_eq!(answer.json::<Value>().await?, made);
            Ok(())
        }),
        test("what_overlaps_is_listed_without_a_word_of_whose_it_is", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let first = registered(&parts, &person(&unique("First"))).await?;
            let second = registered(&parts, &person(&unique("Second"))).await?;
            let (_, made) = place.book(&parts, &first, &at(9, 0)).await?;
            let (status, refused) = place.book(&parts, &second, &at(9, 15)).await?;
            assert_eq!(status, 409, "{refused}");
            assert!(refused["type"].as_str().unwrap_or_default().ends_with("slot-taken"), "{refused}");
            let overlap = &refused["overlaps"][0];
            assert_eq!((&overlap["appointmentId"], &overlap["of"]), (&made["id"], &json!(["practitioner"])));
            assert!(!refused.to_string().contains(id(&first)), "{refused}");
            // Back to back is no overlap.
            assert_eq!(place.book(&parts, &second, &at(9, 30)).await?.0, 201);
            Ok(())
        }),
        test("what_the_calendar_does_not_have_cannot_be_booked", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let patient = registered(&parts, &person(&unique("Late"))).await?;
            for (start, reason) in [(at(7, 0), "outside-hours"), (at(16, 45), "outside-hours")] {
                let (status, refused) = place.book(&parts, &patient, &start).await?;
                assert_eq!((status, &refused["reason"]), (409, &json!(reason)), "{refused}");
            }
            let mut nowhere = place.wanted(&patient, &at(9, 0));
            nowhere["serviceId"] = json!("0197a1b2-0000-7000-8000-000000000000");
            nowhere["patientId"] = json!("0197a1b2-0000-7000-8000-000000000001");
            let (status, refused) =
                ask(&parts, Role::FrontDesk, "/api/appointments", &unique("key"), None, &nowhere).await?;
            let pointers: Vec<_> =
                refused["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
            assert_eq!((status, pointers), (422, vec![&json!("/patientId"), &json!("/serviceId")]));
            Ok(())
        }),
        test("overbooking_takes_a_role_a_reason_and_a_lane", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let mut statuses = Vec::new();
            for role in [Role::FrontDesk, Role::Nurse, Role::Nurse, Role::Physician] {
                let patient = registered(&parts, &person(&unique("Over"))).await?;
                let mut wanted = place.wanted(&patient, &at(9, 0));
                wanted["overbook"] = json!({ "reason": "cannot wait" });
                let (status, answer) = ask(&parts, role, "/api/appointments", &unique("key"), None, &wanted).await?;
                statuses.push((status, answer["lane"].as_u64()));
            }
            assert_eq!(statuses, [(403, None), (201, Some(0)), (201, Some(1)), (409, None)]);
            // While a lane is taken, nobody comes in without saying so.
            let patient = registered(&parts, &person(&unique("Plain"))).await?;
            assert_eq!(place.book(&parts, &patient, &at(9, 0)).await?.0, 409);
            Ok(())
        }),
        test("of_two_hundred_who_want_one_time_one_gets_it", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let mut people = Vec::new();
            // So that they are all there before anybody hurries.
            for _ in 0..20 {
                let some = (0..10).map(async |_| registered(&parts, &person(&unique("Rush"))).await);
                people.extend(try_join_all(some).await?);
            }
            let keys: Vec<_> = people.iter().map(|_| unique("rush")).collect();
            let rush = async || {
                try_join_all(people.iter().zip(&keys).map(async |(patient, key)| {
                    let wanted = place.wanted(patient, &at(9, 0));
                    decided(&parts, key, &wanted).await
                }))
                .await
            };
            let begun = Instant::now();
            let answers = rush().await?;
            let taken = begun.elapsed();
            let winners: Vec<_> = answers.iter().filter(|(status, _)| *status == 201).collect();
            assert_eq!(winners.len(), 1, "{:?}", answers.iter().map(|(status, _)| status).collect::<BTreeSet<_>>());
            for (_, refused) in answers.iter().filter(|(status, _)| *status != 201) {
                assert_eq!(refused["status"], 409, "{refused}");
                assert_eq!(refused["overlaps"][0]["appointmentId"], winners[0].1["id"], "{refused}");
            }
            assert!(taken.as_secs_f64() < 3.0, "{taken:?}");
            // Who won has won, however often they ask.
            let again = rush().await?;
            assert_eq!(
                again.iter().map(|(status, _)| status).collect::<Vec<_>>(),
                answers.iter().map(|(status, _)| status).collect::<Vec<_>>()
            );
            let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
            assert_eq!(parts.sql(deadlocks).await?[0]["deadlocks"], 0);
            assert_eq!(overlapping(&parts).await?, 0);
            Ok(())
        }),
        test("everybody_at_once_on_every_time_leaves_no_overlap", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let people =
                try_join_all((0..12).map(async |_| registered(&parts, &person(&unique("Many"))).await)).await?;
            let wanted: Vec<_> = (0..96)
                .map(|n| {
                    place.wanted(
                        &people[n % people.len()],
                        &at(9 + i8::try_from(n % 7).unwrap(), i8::try_from(n * 5 % 60).unwrap()),
                    )
                })
                .collect();
            let answers =
                try_join_all(wanted.iter().map(async |wanted| decided(&parts, &unique("key"), wanted).await)).await?;
            let statuses: BTreeSet<_> = answers.iter().map(|(status, _)| *status).collect();
            assert_eq!(statuses, BTreeSet::from([201, 409]));
            assert_eq!(overlapping(&parts).await?, 0);
            Ok(())
        }),
    ]
}

/// What becomes of appointments.
fn lives(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_visit_goes_through_its_states_and_keeps_every_version", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let patient = registered(&parts, &person(&unique("Visit"))).await?;
            let (_, made) = place.book(&parts, &patient, &at(9, 0)).await?;
            let step = async |action: &str, seen: u64, body: Value| {
                let path = format!("/api/appointments/{}/{action}", id(&made));
                ask(&parts, Role::Nurse, &path, &unique("key"), Some(seen), &body).await
            };
            assert_eq!(step("confirm", 1, Value::Null).await?.0, 200);
            assert_eq!(step("confirm", 1, Value::Null).await?.0, 412);
            let (status, refused) = step("check-in", 2, Value::Null).await?;
            assert_eq!((status, &refused["appointmentStatus"]), (409, &json!("booked")), "{refused}");
            assert!(refused["allowed"].as_array().unwrap().contains(&json!("arrive")), "{refused}");
            // It is not its day.
            assert_eq!(step("arrive", 2, Value::Null).await?.0, 409);
            let (status, moved) = step("reschedule", 2, json!({ "start": at(11, 0) })).await?;
            assert_eq!((status, &moved["reschedules"], moved.get("confirmedAt")), (200, &json!(1), None), "{moved}");
            assert_eq!(place.book(&parts, &patient, &at(9, 0)).await?.0, 201, "the old time is free");
            let (status, wrong) = step("cancel", 3, json!({ "reason": "weather", "by": "me" })).await?;
            assert_eq!((status, wrong["errors"].as_array().unwrap().len()), (422, 2), "{wrong}");
            let (status, off) = step("cancel", 3, json!({ "reason": "pat" })).await?;
            assert_eq!((status, &off["cancelationReason"], &off["cancelledLate"]), (200, &json!("pat"), &json!(false)));

            let history: Value =
                get(&parts, &format!("/api/appointments/{}/history?limit=2", id(&made))).await?.json().await?;
            let versions = |page: &Value| {
                page["items"].as_array().unwrap().iter().map(|one| one["version"].clone()).collect::<Vec<_>>()
            };
            assert_eq!((versions(&history), &history["next"]), (vec![json!(4), json!(3)], &json!("3")));
            let rest: Value =
                get(&parts, &format!("/api/appointments/{}/history?cursor=3", id(&made))).await?.json().await?;
            assert_eq!((versions(&rest), &rest["next"]), (vec![json!(2), json!(1)], &Value::Null));

            let events = format!("select topic, event::jsonb #> '{{data,appointment}}' as told from document.outbox where partition_key = '{}'
                union all select event ->> 'topic', event #> '{{event,data,appointment}}' from document.history, jsonb_array_elements(document -> 'events') as event where key = 'appointment/{}'", id(&made), id(&made));
            let events = parts.sql(&events).await?;
            assert!(
                events
                    .iter()
                    .any(|event| event["topic"] == "appointment.booked" && event["told"]["status"] == "booked"),
                "{events:?}"
            );
            assert!(!events.iter().any(|event| event.to_string().contains("Okafor")));
            Ok(())
        }),
        test("a_step_with_a_key_can_be_repeated", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let patient = registered(&parts, &person(&unique("Again"))).await?;
            let (_, made) = place.book(&parts, &patient, &at(9, 0)).await?;
            let path = format!("/api/appointments/{}/reschedule", id(&made));
            let body = json!({ "start": at(10, 0) });
            let first = ask(&parts, Role::FrontDesk, &path, "step-1", Some(1), &body).await?;
            assert_eq!(first.0, 200, "{}", first.1);
            let confirm = format!("/api/appointments/{}/confirm", id(&made));
            assert_eq!(ask(&parts, Role::FrontDesk, &confirm, &unique("key"), Some(2), &Value::Null).await?.0, 200);
            assert_eq!(ask(&parts, Role::FrontDesk, &path, "step-1", Some(1), &body).await?, first);
            let other = ask(&parts, Role::FrontDesk, &path, "step-1", Some(1), &json!({ "start": at(12, 0) })).await?;
            assert_eq!(other.0, 422, "{}", other.1);
            Ok(())
        }),
        test("a_day_and_a_patient_list_their_appointments", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let patient = registered(&parts, &person(&unique("Lists"))).await?;
            for hour in [9, 10, 11] {
                assert_eq!(place.book(&parts, &patient, &at(hour, 0)).await?.0, 201);
            }
            let starts = |page: &Value| {
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one["localStart"].as_str().unwrap()[11..13].to_owned())
                    .collect::<Vec<_>>()
            };
            let own = format!("/api/patients/{}/appointments?limit=2", id(&patient));
            let answer = get(&parts, &own).await?;
            assert!(answer.headers()["link"].to_str()?.contains("rel=\"next\""));
            let page: Value = answer.json().await?;
            assert_eq!(starts(&page), ["11", "10"]);
            let rest: Value =
                get(&parts, &format!("{own}&cursor={}", page["next"].as_str().unwrap())).await?.json().await?;
            assert_eq!((starts(&rest), &rest["next"]), (vec!["09".to_owned()], &Value::Null));

            let day = format!(
                "/api/practitioners/{}/appointments?clinic={}&from={day}&to={day}",
                place.practitioner,
                place.clinic,
                day = &at(9, 0)[..10]
            );
            let page: Value = get(&parts, &format!("{day}&limit=2")).await?.json().await?;
            assert_eq!(starts(&page), ["09", "10"]);
            let rest: Value =
                get(&parts, &format!("{day}&cursor={}", page["next"].as_str().unwrap())).await?.json().await?;
            assert_eq!(starts(&rest), ["11"]);
            let wrong = get(&parts, &day.replace("&to=", "&until=")).await?;
            assert_eq!(wrong.status(), 422);
            let nobody = get(&parts, "/api/patients/0197a1b2-0000-7000-8000-000000000000/appointments").await?;
            assert_eq!(nobody.status(), 404);
            let biller = parts.request(Method::GET, &own).bearer_auth(parts.token(Role::Biller)?).send().await?;
            assert_eq!(biller.status(), 200);
            Ok(())
        }),
        test("a_series_is_booked_whole_or_not_at_all", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let first = registered(&parts, &person(&unique("Once"))).await?;
            let second = registered(&parts, &person(&unique("Weekly"))).await?;
            assert_eq!(place.book(&parts, &first, &at(9, 0)).await?.0, 201);
            let mut wanted = place.wanted(&second, &at(9, 0)[..16]);
            wanted["rule"] = json!({ "frequency": "daily", "count": 5 });
            let path = "/api/appointments/series";
            let (status, refused) = ask(&parts, Role::FrontDesk, path, &unique("key"), None, &wanted).await?;
            assert_eq!((status, refused["conflicts"].as_array().map(Vec::len)), (409, Some(1)), "{refused}");
            assert_eq!(
                (&refused["conflicts"][0]["number"], &refused["conflicts"][0]["reason"]),
                (&json!(1), &json!("taken"))
            );
            let own = format!("/api/patients/{}/appointments", id(&second));
            let page: Value = get(&parts, &own).await?.json().await?;
            assert_eq!(page["items"], json!([]));

            wanted["skipConflicts"] = json!(true);
            let key = unique("key");
            let (status, made) = ask(&parts, Role::FrontDesk, path, &key, None, &wanted).await?;
            assert_eq!(status, 201, "{made}");
            let booked: Vec<_> =
                made["occurrences"].as_array().unwrap().iter().map(|one| one.get("appointmentId").is_some()).collect();
            assert_eq!(booked, [false, true, true, true, true]);
            assert_eq!(ask(&parts, Role::FrontDesk, path, &key, None, &wanted).await?, (201, made.clone()));

            // One of them is moved by itself, and then the last three are called off.
            let third = made["occurrences"][2]["appointmentId"].as_str().unwrap();
            let moved = json!({ "start": at(15, 0) });
            let step = format!("/api/appointments/{third}/reschedule");
            assert_eq!(ask(&parts, Role::FrontDesk, &step, &unique("key"), Some(1), &moved).await?.0, 200);
            let cancel = format!("{path}/{}/cancel", id(&made));
            let (status, ended) =
                ask(&parts, Role::FrontDesk, &cancel, &unique("key"), Some(1), &json!({ "from": 3, "reason": "pat" }))
                    .await?;
            assert_eq!((status, &ended["endedFrom"], &ended["version"]), (200, &json!(3), &json!(2)), "{ended}");
            let page: Value = get(&parts, &own).await?.json().await?;
            let statuses: Vec<_> =
                page["items"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
            assert_eq!(statuses.iter().filter(|status| **status == "booked").count(), 1, "{statuses:?}");
            assert_eq!(statuses.iter().filter(|status| **status == "cancelled").count(), 3, "{statuses:?}");
            Ok(())
        }),
    ]
}

/// Pairs of appointments that both take the same practitioner's, room's or patient's time; by a query of its own.
async fn overlapping(parts: &Parts) -> Result<Value> {
    let pairs = "select count(*) as pairs
        from projection.appointments as one join projection.appointments as other
          on one.appointment_id < other.appointment_id and one.starts < other.ends and other.starts < one.ends
        where one.status in ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled')
          and other.status in ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled')
          and (one.patient_id = other.patient_id or one.overbooking is null and other.overbooking is null
            and (one.practitioner_id = other.practitioner_id or one.room_id = other.room_id))";
    Ok(parts.sql(pairs).await?.remove(0)["pairs"].clone())
}
