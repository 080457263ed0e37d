//! Series: what follows one of its appointments is moved, and another series has it.
#![expect(clippy::unwrap_used, reason = "what is not there is a failed test")]

use access::Role;
use futures::future::try_join_all;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{get, id, person, registered, unique};
use crate::place::{Place, ask, at};

const PATH: &str = "/api/appointments/series";

/// What the clinic's clock shows so many days later than a week from now, without its offset.
fn local(days: i64, hour: i8, minute: i8) -> String {
    let first: jiff::civil::DateTime = at(hour, minute)[..16].parse().unwrap();
    (first + jiff::Span::new().days(days)).strftime("%Y-%m-%dT%H:%M").to_string()
}

async fn book(parts: &Parts, place: &Place, patient: &Value, start: &str, rule: Value) -> Result<Value> {
    let mut wanted = place.wanted(patient, start);
    wanted["rule"] = rule;
    let (status, made) = ask(parts, Role::FrontDesk, PATH, &unique("key"), None, &wanted).await?;
    anyhow::ensure!(status == 201, "{made}");
    Ok(made)
}

async fn reschedule(parts: &Parts, series: &Value, key: &str, body: &Value) -> Result<(u16, Value)> {
    let path = format!("{PATH}/{}/reschedule", id(series));
    ask(parts, Role::FrontDesk, &path, key, series["version"].as_u64(), body).await
}

async fn read(parts: &Parts, path: &str) -> Result<Value> {
    Ok(get(parts, path).await?.json().await?)
}

/// Status, what the clock shows, and whether it is of the series, of each appointment that a series was made with.
async fn lives(parts: &Parts, made: &Value, series: &Value) -> Result<Vec<(String, String, bool)>> {
    let mut lives = Vec::new();
    for planned in made["occurrences"].as_array().unwrap() {
        let path = format!("/api/appointments/{}", planned["appointmentId"].as_str().unwrap());
        let own = read(parts, &path).await?;
        let text = |name: &str| own[name].as_str().unwrap_or_default().to_owned();
        lives.push((text("status"), text("localStart")[..16].to_owned(), own["seriesId"] == series["id"]));
    }
    Ok(lives)
}

async fn deadlocks(parts: &Parts) -> Result<Value> {
    let asked = "select deadlocks from pg_stat_database where datname = current_database()";
    Ok(parts.sql(asked).await?[0]["deadlocks"].clone())
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    let mut trials = splits(parts);
    trials.extend(together(parts));
    trials
}

fn splits(parts: &Parts) -> Vec<Trial> {
    vec![
        test("what_follows_moves_into_a_series_of_its_own", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let patient = registered(&parts, &person(&unique("Split"))).await?;
            let made =
                book(&parts, &place, &patient, &local(0, 9, 0), json!({ "frequency": "daily", "count": 6 })).await?;
            let appointment = |number: usize| {
                format!("/api/appointments/{}", made["occurrences"][number - 1]["appointmentId"].as_str().unwrap())
            };
            // The third is moved by itself, the fourth called off.
            let alone = json!({ "start": local(2, 15, 0) });
            let step = format!("{}/reschedule", appointment(3));
            assert_eq!(ask(&parts, Role::FrontDesk, &step, &unique("key"), Some(1), &alone).await?.0, 200);
            let step = format!("{}/cancel", appointment(4));
            assert_eq!(
                ask(&parts, Role::FrontDesk, &step, &unique("key"), Some(1), &json!({ "reason": "pat" })).await?.0,
                200
            );

            // By a day: each goes to where the next one is.
            let (key, body) = (unique("key"), json!({ "from": 2, "start": local(2, 9, 0) }));
            let (status, next) = reschedule(&parts, &made, &key, &body).await?;
            assert_eq!(status, 201, "{next}");
            assert_eq!(
                (&next["continues"], &next["version"], &next["rule"]["count"]),
                (&made["id"], &json!(1), &json!(5))
            );
            let occurrences: Vec<_> = next["occurrences"].as_array().unwrap().iter().collect();
            let of = |name: &str| occurrences.iter().map(|own| own.get(name).is_some()).collect::<Vec<_>>();
            assert_eq!(of("appointmentId"), [true, true, false, true, true], "{next}");
            assert_eq!(of("kept"), [false, true, false, false, false], "{next}");
            let life = |status: &str, at: String, own| (status.to_owned(), at, own);
            let expected = [
                life("booked", local(0, 9, 0), false),
                life("booked", local(2, 9, 0), true),
                life("booked", local(2, 15, 0), true),
                life("cancelled", local(3, 9, 0), false),
                life("booked", local(5, 9, 0), true),
                life("booked", local(6, 9, 0), true),
            ];
            assert_eq!(lives(&parts, &made, &next).await?, expected);
            let old = read(&parts, &format!("{PATH}/{}", id(&made))).await?;
            assert_eq!(
                (&old["endedFrom"], &old["continuedBy"], &old["version"]),
                (&json!(2), &next["id"], &json!(2)),
                "{old}"
            );

            // Who asks again with the same key is told the same; another body is another request.
            assert_eq!(reschedule(&parts, &made, &key, &body).await?, (201, next.clone()));
            let other = json!({ "from": 2, "start": local(3, 9, 0) });
            assert_eq!(reschedule(&parts, &made, &key, &other).await?.0, 422);
            assert_eq!(reschedule(&parts, &made, &unique("key"), &body).await?.0, 412);

            // The old series calls off nothing that it has handed on, and moves nothing of it.
            let (status, wrong) = reschedule(&parts, &old, &unique("key"), &body).await?;
            assert_eq!((status, &wrong["errors"][0]["pointer"]), (422, &json!("/from")), "{wrong}");
            let cancel = format!("{PATH}/{}/cancel", id(&made));
            let reason = json!({ "from": 1, "reason": "pat" });
            assert_eq!(ask(&parts, Role::FrontDesk, &cancel, &unique("key"), Some(2), &reason).await?.0, 200);
            let after = lives(&parts, &made, &next).await?;
            assert_eq!((after[0].0.as_str(), &after[1..]), ("cancelled", &expected[1..]));
            // The new one does.
            let cancel = format!("{PATH}/{}/cancel", id(&next));
            assert_eq!(ask(&parts, Role::FrontDesk, &cancel, &unique("key"), Some(1), &reason).await?.0, 200);
            let after = lives(&parts, &made, &next).await?;
            assert!(after.iter().all(|(status, ..)| status == "cancelled"), "{after:?}");
            Ok(())
        }),
        test("moving_what_follows_is_all_or_nothing_or_leaves_some_where_they_are", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let first = registered(&parts, &person(&unique("There"))).await?;
            let second = registered(&parts, &person(&unique("Moves"))).await?;
            let made =
                book(&parts, &place, &second, &local(0, 9, 0), json!({ "frequency": "daily", "count": 5 })).await?;
            let (status, other) = place.book(&parts, &first, &local(3, 8, 30)).await?;
            assert_eq!(status, 201, "{other}");
            let mut body = json!({ "from": 1, "start": local(0, 8, 45) });
            let (status, refused) = reschedule(&parts, &made, &unique("key"), &body).await?;
            assert_eq!((status, refused["conflicts"].as_array().map(Vec::len)), (409, Some(1)), "{refused}");
            let conflict = &refused["conflicts"][0];
            assert_eq!((&conflict["number"], &conflict["reason"]), (&json!(4), &json!("taken")), "{refused}");
            assert_eq!(conflict["overlaps"][0]["appointmentId"], other["id"], "{refused}");
            let untouched: Vec<_> = lives(&parts, &made, &made).await?;
            assert!(untouched.iter().all(|(_, at, own)| at.ends_with("T09:00") && *own), "{untouched:?}");

            body["skipConflicts"] = json!(true);
            let (status, next) = reschedule(&parts, &made, &unique("key"), &body).await?;
            assert_eq!(status, 201, "{next}");
            assert_eq!((&next["occurrences"][3]["kept"], next["occurrences"][2].get("kept")), (&json!(true), None));
            let times: Vec<_> =
                lives(&parts, &made, &next).await?.iter().map(|(_, at, own)| (at[11..].to_owned(), *own)).collect();
            let expected = ["08:45", "08:45", "08:45", "09:00", "08:45"].map(|at| (at.to_owned(), true));
            assert_eq!(times, expected);
            // Who stays is in the way of the one that would come to its place, and so on.
            let body = json!({ "from": 1, "start": local(1, 8, 45), "skipConflicts": true });
            let (status, last) = reschedule(&parts, &next, &unique("key"), &body).await?;
            assert_eq!(status, 201, "{last}");
            let times: Vec<_> = lives(&parts, &made, &last).await?.iter().map(|(_, at, _)| at.clone()).collect();
            assert_eq!(times, [local(0, 8, 45), local(1, 8, 45), local(2, 8, 45), local(3, 9, 0), local(5, 8, 45)]);
            Ok(())
        }),
        test("what_a_series_cannot_become_is_said_with_a_pointer", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let patient = registered(&parts, &person(&unique("Rules"))).await?;
            let rule = json!({ "frequency": "weekly", "count": 3 });
            let made = book(&parts, &place, &patient, &local(0, 9, 0), rule).await?;
            for (body, pointers) in [
                (json!({}), vec!["/from", "/start"]),
                (json!({ "from": 0, "start": at(9, 0), "roomId": "x" }), vec!["/from", "/start", "/roomId"]),
                (json!({ "from": 4, "start": local(0, 9, 0) }), vec!["/from"]),
                (
                    json!({ "from": 1, "start": local(0, 9, 0), "practitionerId": id(&patient) }),
                    vec!["/practitionerId"],
                ),
                (json!({ "from": 1, "start": local(0, 9, 0), "overbook": true }), vec!["/overbook"]),
            ] {
                let (status, wrong) = reschedule(&parts, &made, &unique("key"), &body).await?;
                let found: Vec<_> =
                    wrong["errors"].as_array().unwrap().iter().map(|own| own["pointer"].clone()).collect();
                assert_eq!((status, found), (422, pointers.into_iter().map(Value::from).collect()), "{body} {wrong}");
            }
            let path = format!("{PATH}/{}/reschedule", id(&made));
            let body = json!({ "from": 1, "start": local(1, 9, 0) });
            assert_eq!(ask(&parts, Role::FrontDesk, &path, &unique("key"), None, &body).await?.0, 428);
            assert_eq!(ask(&parts, Role::Biller, &path, &unique("key"), Some(1), &body).await?.0, 403);
            let nobody = format!("{PATH}/{}/reschedule", id(&patient));
            assert_eq!(ask(&parts, Role::FrontDesk, &nobody, &unique("key"), Some(1), &body).await?.0, 404);
            Ok(())
        }),
    ]
}

/// Several at the same time.
fn together(parts: &Parts) -> Vec<Trial> {
    vec![
        test("series_that_cross_each_other_move_without_a_deadlock", parts, |parts| async move {
            let before = deadlocks(&parts).await?;
            let (left, right) = (Place::make(&parts).await?, Place::make(&parts).await?);
            let right = Place { clinic: left.clinic, service: left.service, ..right };
            right.works_at(&parts).await?;
            let rule = || json!({ "frequency": "daily", "count": 12 });
            let mut both = Vec::new();
            for (place, other, name) in [(&left, &right, "Left"), (&right, &left, "Right")] {
                let patient = registered(&parts, &person(&unique(name))).await?;
                both.push((book(&parts, place, &patient, &local(0, 9, 0), rule()).await?, other.practitioner));
            }
            // Each goes to the other's practitioner, an hour later, and back, while others book there one by one.
            for round in 0..4_i8 {
                let start = local(0, 10 + round, 0);
                let moves = try_join_all(both.iter().map(async |(series, practitioner)| {
                    let body = json!({ "from": 1, "start": start, "practitionerId": practitioner });
                    reschedule(&parts, series, &unique("key"), &body).await
                }));
                let patient = registered(&parts, &person(&unique("Beside"))).await?;
                let beside = try_join_all((0..12).map(async |day| {
                    let place = if day % 2 == 0 { &left } else { &right };
                    place.book(&parts, &patient, &local(day, 9, 30)).await
                }));
                let (moved, _) = futures::try_join!(moves, beside)?;
                for (at, (status, next)) in moved.into_iter().enumerate() {
                    assert_eq!(status, 201, "{next}");
                    let practitioner =
                        if both[at].1 == left.practitioner { right.practitioner } else { left.practitioner };
                    both[at] = (next, practitioner);
                }
            }
            assert_eq!(deadlocks(&parts).await?, before);
            Ok(())
        }),
        test("of_two_who_move_one_series_one_does", parts, |parts| async move {
            let before = deadlocks(&parts).await?;
            let place = Place::make(&parts).await?;
            let patient = registered(&parts, &person(&unique("Both"))).await?;
            let rule = json!({ "frequency": "daily", "count": 10 });
            let made = book(&parts, &place, &patient, &local(0, 9, 0), rule).await?;
            let bodies = [10, 11, 12, 13].map(|hour| json!({ "from": 3, "start": local(2, hour, 0) }));
            let moves =
                try_join_all(bodies.iter().map(async |body| reschedule(&parts, &made, &unique("key"), body).await));
            // Meanwhile some of them are moved by themselves.
            let alone = try_join_all((2..10).map(async |at: usize| {
                let own = made["occurrences"][at]["appointmentId"].as_str().unwrap();
                let body = json!({ "start": local(i64::try_from(at)?, 15, 0) });
                ask(
                    &parts,
                    Role::FrontDesk,
                    &format!("/api/appointments/{own}/reschedule"),
                    &unique("key"),
                    Some(1),
                    &body,
                )
                .await
            }));
            let (moved, alone) = futures::try_join!(moves, alone)?;
            let mut statuses: Vec<_> = moved.iter().map(|(status, _)| *status).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 412, 412, 412], "{moved:?}");
            let next = moved.into_iter().find(|(status, _)| *status == 201).unwrap().1;
            let lives = lives(&parts, &made, &next).await?;
            for (at, (status, _)) in (2..).zip(&alone) {
                // Who was first by themselves stays there, and is of the new series.
                let by_itself = lives[at].1.ends_with("T15:00");
                assert_eq!((*status == 200, lives[at].2), (by_itself, true), "{lives:?}");
            }
            assert_eq!(deadlocks(&parts).await?, before);
            Ok(())
        }),
    ]
}
