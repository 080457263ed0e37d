//! A room that is down keeps everybody out, also who looked before it was.
#![expect(clippy::unwrap_used, reason = "what is not there is a failed test")]

use std::time::Duration;

use access::Role;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use testkit::{Database, Parts, Result, test};
use uuid::Uuid;

use super::{id, person, registered, unique};
use crate::place::{Place, ask, at};

const PUT: &str = "insert into state.state (key, value) values ($1, convert_to($2, 'UTF8'))";

async fn put(database: &mut Database, kind: &str, id: Uuid, data: Value) -> Result<Option<String>> {
    let document = json!({ "schema": 1, "version": 1, "events": [], "data": data }).to_string();
    database.change(PUT, &[&format!("{kind}/{id}"), &document]).await
}

fn down(place: &Place, room: Uuid) -> Value {
    json!({ "roomId": room, "clinicId": place.clinic, "period": { "start": at(9, 0), "end": at(10, 0) },
            "reason": "maintenance", "withdrawn": false })
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("the_database_puts_nobody_where_a_room_is_down", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let mut database = parts.database().await?;
            let (room, patient) = (Uuid::now_v7(), Uuid::now_v7());
            assert_eq!(put(&mut database, "leave", Uuid::now_v7(), down(&place, room)).await?, None);
            let wanted = |room: Uuid, start: &str, end: &str, buffered: &str| {
                json!({ "status": "booked", "patientId": patient, "practitionerId": place.practitioner, "roomId": room,
                        "serviceId": place.service, "clinicId": place.clinic, "timeZone": "Europe/Berlin", "lane": 0,
                        "time": { "start": start, "end": end }, "busy": { "start": start, "end": buffered } })
            };
            let refused = Some("appointments_leave_check".to_owned());
            let during = wanted(room, &at(9, 30), &at(9, 45), &at(9, 45));
            assert_eq!(put(&mut database, "appointment", Uuid::now_v7(), during).await?, refused);
            // What has to be done after a visit needs the room, too.
            let before = wanted(room, &at(8, 30), &at(8, 55), &at(9, 5));
            assert_eq!(put(&mut database, "appointment", Uuid::now_v7(), before).await?, refused);
            let beside = wanted(Uuid::now_v7(), &at(9, 30), &at(9, 45), &at(9, 45));
            assert_eq!(put(&mut database, "appointment", Uuid::now_v7(), beside).await?, None);
            Ok(())
        }),
        test("nobody_slips_into_a_room_while_it_is_put_out_of_use", parts, |parts| async move {
            let place = Place::make(&parts).await?;
            let patient = registered(&parts, &person(&unique("Slips"))).await?;
            let mut database = parts.database().await?;
            let room = Uuid::now_v7();
            let own = json!({ "clinicId": place.clinic, "name": "1", "active": true, "lanes": 1 });
            assert_eq!(put(&mut database, "room", room, own).await?, None);
            let mut wanted = place.wanted(&patient, &at(9, 0));
            wanted["roomId"] = json!(room);
            // It is written, and nobody can see it yet.
            database.change("begin", &[]).await?;
            assert_eq!(put(&mut database, "leave", Uuid::now_v7(), down(&place, room)).await?, None);
            let key = unique("key");
            let booking = ask(&parts, Role::FrontDesk, "/api/appointments", &key, None, &wanted);
            let committing = async {
                tokio::time::sleep(Duration::from_millis(400)).await;
                database.change("commit", &[]).await
            };
            let ((status, refused), _) = futures::try_join!(booking, committing)?;
            assert_eq!((status, &refused["reason"]), (409, &json!("no-room")), "{refused}");
            wanted["start"] = json!(at(10, 0));
            let (status, made) =
                ask(&parts, Role::FrontDesk, "/api/appointments", &unique("key"), None, &wanted).await?;
            assert_eq!((status, &made["roomId"]), (201, &json!(room)), "{made}");
            assert_eq!(made["patientId"].as_str().unwrap(), id(&patient));
            Ok(())
        }),
    ]
}
