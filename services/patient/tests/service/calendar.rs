use access::Role;
use jiff::{Timestamp, ToSpan as _, civil::Date};
use libtest_mimic::Trial;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use testkit::{Parts, Result, test};
use uuid::Uuid;

use super::{get, id, person, registered, unique};

/// A practitioner who works Mondays to Fridays from nine to half past twelve at a clinic of their own.
struct Place {
    clinic: Value,
    room: Value,
    service: Value,
    practitioner: Value,
}

async fn send(parts: &Parts, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<Response> {
    let request = parts.request(method, path).bearer_auth(parts.token(Role::Admin)?);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Ok(request.json(body).send().await?)
}

async fn post(parts: &Parts, path: &str, body: &Value) -> Result<Response> {
    send(parts, Method::POST, path, &[("idempotency-key", &unique("key"))], body).await
}

async fn made(parts: &Parts, path: &str, body: &Value) -> Result<Value> {
    let answer = post(parts, path, body).await?;
    anyhow::ensure!(answer.status() == 201, "{path}: {}", answer.text().await?);
    Ok(answer.json().await?)
}

async fn patch(parts: &Parts, path: &str, tag: &str, body: &Value) -> Result<Response> {
    send(parts, Method::PATCH, path, &[("if-match", tag)], body).await
}

async fn read(parts: &Parts, path: &str) -> Result<Value> {
    let answer = get(parts, path).await?;
    anyhow::ensure!(answer.status() == 200, "{path}: {}", answer.text().await?);
    Ok(answer.json().await?)
}

async fn pointers(answer: Response) -> Result<Vec<String>> {
    anyhow::ensure!(answer.status() == 422, "{}", answer.text().await?);
    let body: Value = answer.json().await?;
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    Ok(errors.iter().filter_map(|error| error["pointer"].as_str().map(str::to_owned)).collect())
}

impl Place {
    async fn open(parts: &Parts, zone: &str) -> Result<Self> {
        let clinic = made(parts, "/api/clinics", &json!({ "name": unique("Clinic"), "timeZone": zone })).await?;
        let room = json!({ "clinicId": clinic["id"], "name": unique("Room") });
        let room = made(parts, "/api/rooms", &room).await?;
        let service = json!({ "name": unique("Visit"), "durationMinutes": 30, "clinicId": clinic["id"] });
        let service = made(parts, "/api/services", &service).await?;
        let days = ["mon", "tue", "wed", "thu", "fri"];
        let practitioner = json!({
            "name": unique("Practitioner"),
            "schedules": [{ "clinicId": clinic["id"], "from": "2026-01-01", "week": [
                { "days": days, "start": "09:00", "end": "12:30", "roomId": room["id"] },
            ] }],
        });
        let practitioner = made(parts, "/api/practitioners", &practitioner).await?;
        Ok(Self { clinic, room, service, practitioner })
    }

    fn slots(&self, from: Date, to: Date) -> String {
        format!(
            "/api/slots?clinic={}&service={}&practitioner={}&from={from}&to={to}",
            id(&self.clinic),
            id(&self.service),
            id(&self.practitioner)
        )
    }

    /// What the clock shows of the times that are offered.
    async fn offered(&self, parts: &Parts, day: Date) -> Result<Vec<String>> {
        let page = read(parts, &self.slots(day, day)).await?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        Ok(items.iter().filter_map(|item| item["local"].as_str().map(|local| local[11..16].to_owned())).collect())
    }

    /// Puts an appointment where it would be if it was booked; answers its id.
    async fn booked(&self, parts: &Parts, start: Timestamp, minutes: i64) -> Result<Uuid> {
        let patient = registered(parts, &person(&unique("Booked"))).await?;
        let (appointment, end) = (Uuid::now_v7(), start + minutes.minutes());
        parts
            .execute(&format!(
                "insert into projection.appointments (appointment_id, patient_id, clinic_id, practitioner_id, room_id,
                   service_id, status, lane, starts, ends, busy, active)
                 values ('{appointment}', '{}', '{}', '{}', '{}', '{}', 'booked', 0, '{start}', '{end}',
                   tstzrange('{start}', '{end}'), true)",
                id(&patient),
                id(&self.clinic),
                id(&self.practitioner),
                id(&self.room),
                id(&self.service),
            ))
            .await?;
        Ok(appointment)
    }
}

/// A Monday in some weeks, which nobody is too late for.
fn monday() -> Result<Date> {
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    Ok(today.nth_weekday(3, jiff::civil::Weekday::Monday)?)
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    let mut trials = things(parts);
    trials.extend(times(parts));
    trials
}

fn things(parts: &Parts) -> Vec<Trial> {
    vec![
        test("what_the_calendar_is_made_of_is_kept_listed_and_changed", parts, |parts| async move {
            let here = Place::open(&parts, "Europe/Berlin").await?;
            for (path, made) in [
                ("/api/clinics", &here.clinic),
                ("/api/rooms", &here.room),
                ("/api/services", &here.service),
                ("/api/practitioners", &here.practitioner),
            ] {
                let own = format!("{path}/{}", id(made));
                assert_eq!(&read(&parts, &own).await?, made);
                let renamed = patch(&parts, &own, "\"1\"", &json!({ "name": unique("Renamed") })).await?;
                assert_eq!((renamed.status().as_u16(), &renamed.headers()["etag"]), (200, &"\"2\"".parse()?));
                assert_eq!(patch(&parts, &own, "\"1\"", &json!({ "name": "Late" })).await?.status(), 412);
                assert_eq!(send(&parts, Method::PATCH, &own, &[], &json!({})).await?.status(), 428);
                let nobody = format!("{path}/{}", Uuid::now_v7());
                assert_eq!(get(&parts, &nobody).await?.status(), 404);
                assert_eq!(patch(&parts, &nobody, "\"1\"", &json!({})).await?.status(), 404);
                let entries =
                    |table: &str| format!("select entry_id from audit.{table} where entity_id = '{}'", id(made));
                let audited = parts.sql(&format!("{} union {}", entries("waiting"), entries("entries"))).await?;
                assert_eq!(audited.len(), 2, "{path} {audited:?}");
            }
            Ok(())
        }),
        test("a_list_is_in_the_order_of_names_and_in_pages", parts, |parts| async move {
            let clinic = json!({ "name": unique("Paged"), "timeZone": "Asia/Kolkata" });
            let clinic = made(&parts, "/api/clinics", &clinic).await?;
            for name in ["C", "A", "B"] {
                let room = json!({ "clinicId": clinic["id"], "name": name, "active": name != "B" });
                made(&parts, "/api/rooms", &room).await?;
            }
            let names = |page: &Value| {
                let items = page["items"].as_array().cloned().unwrap_or_default();
                items.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
            };
            let list = format!("/api/rooms?clinic={}", id(&clinic));
            let first = get(&parts, &format!("{list}&limit=2")).await?;
            assert!(first.headers()["link"].to_str()?.contains("rel=\"next\""));
            let first: Value = first.json().await?;
            assert_eq!(names(&first), ["A", "B"]);
            let next = first["next"].as_str().unwrap_or_default();
            let last = read(&parts, &format!("{list}&limit=2&cursor={next}")).await?;
            assert_eq!((names(&last), &last["next"]), (vec!["C".to_owned()], &Value::Null));
            assert_eq!(names(&read(&parts, &format!("{list}&active=true")).await?), ["A", "C"]);
            let wrong = get(&parts, "/api/clinics?clinic=x&limit=0&cursor=y").await?;
            assert_eq!(pointers(wrong).await?, ["clinic", "limit", "cursor"]);
            Ok(())
        }),
        test("a_request_that_makes_something_can_be_repeated", parts, |parts| async move {
            let body = json!({ "name": unique("Keyed"), "timeZone": "Europe/Berlin" });
            let key = unique("key");
            let keyed = [("idempotency-key", key.as_str())];
            let first = send(&parts, Method::POST, "/api/clinics", &keyed, &body).await?;
            let again = send(&parts, Method::POST, "/api/clinics", &keyed, &body).await?;
            assert_eq!((first.status().as_u16(), again.status().as_u16()), (201, 201));
            assert_eq!(first.json::<Value>().await?, again.json::<Value>().await?);
            let other = json!({ "name": unique("Other"), "timeZone": "Europe/Berlin" });
            let other = send(&parts, Method::POST, "/api/clinics", &keyed, &other).await?;
            assert_eq!(pointers(other).await?, ["Idempotency-Key"]);
            assert_eq!(send(&parts, Method::POST, "/api/clinics", &[], &body).await?.status(), 400);
            Ok(())
        }),
        test("what_is_named_has_to_be_there_and_at_that_clinic", parts, |parts| async move {
            let (here, there) =
                (Place::open(&parts, "Europe/Berlin").await?, Place::open(&parts, "Europe/Berlin").await?);
            let piece = json!({
                "days": ["mon"], "start": "14:00", "end": "15:00", "roomId": there.room["id"],
                "serviceIds": [here.service["id"], there.service["id"], Uuid::now_v7()],
            });
            let schedules = json!([{ "clinicId": here.clinic["id"], "from": "2026-01-01", "week": [piece] },
                                   { "clinicId": Uuid::now_v7(), "from": "2026-01-01", "week": [piece] }]);
            let body = json!({ "name": "Somebody", "schedules": schedules });
            let found = pointers(post(&parts, "/api/practitioners", &body).await?).await?;
            let week = "/schedules/0/week/0";
            assert_eq!(
                found[..3],
                [format!("{week}/roomId"), format!("{week}/serviceIds/1"), format!("{week}/serviceIds/2")]
            );
            assert_eq!(found[3], "/schedules/1/clinicId");
            let own = format!("/api/practitioners/{}", id(&here.practitioner));
            assert_eq!(pointers(patch(&parts, &own, "\"1\"", &json!({ "schedules": schedules })).await?).await?, found);
            let room = format!("/api/rooms/{}", id(&here.room));
            let moved = patch(&parts, &room, "\"1\"", &json!({ "clinicId": there.clinic["id"] })).await?;
            assert_eq!(pointers(moved).await?, ["/clinicId"]);
            Ok(())
        }),
        test("nobody_has_hours_at_two_clinics_at_once", parts, |parts| async move {
            let (here, there) =
                (Place::open(&parts, "Europe/Berlin").await?, Place::open(&parts, "America/New_York").await?);
            let schedule = |clinic: &Value, start: &str, end: &str| {
                json!({ "clinicId": clinic["id"], "from": "2026-01-01",
                        "week": [{ "days": ["mon"], "start": start, "end": end }] })
            };
            let berlin = schedule(&here.clinic, "13:00", "18:00");
            // Nine in New York is three in the afternoon in Berlin, or two.
            let clash = json!({ "name": "Both", "schedules": [berlin, schedule(&there.clinic, "09:00", "11:00")] });
            let found = pointers(post(&parts, "/api/practitioners", &clash).await?).await?;
            assert_eq!(found, ["/schedules/1/week/0"]);
            let apart = json!({ "name": "Both", "schedules": [berlin, schedule(&there.clinic, "13:00", "18:00")] });
            let both = made(&parts, "/api/practitioners", &apart).await?;
            // The clinics stay the same, and the hours do not.
            let own = format!("/api/practitioners/{}", id(&both));
            let changed = json!({ "schedules": clash["schedules"] });
            assert_eq!(pointers(patch(&parts, &own, "\"1\"", &changed).await?).await?, ["/schedules/1/week/0"]);
            Ok(())
        }),
        test("only_an_administrator_changes_the_calendar", parts, |parts| async move {
            let body = json!({ "name": "Mine", "timeZone": "Europe/Berlin" });
            for role in [Role::FrontDesk, Role::Nurse, Role::Physician, Role::Biller] {
                let request = parts.request(Method::POST, "/api/clinics").bearer_auth(parts.token(role)?);
                assert_eq!(request.header("idempotency-key", "k").json(&body).send().await?.status(), 403);
            }
            Ok(())
        }),
    ]
}

fn times(parts: &Parts) -> Vec<Trial> {
    vec![
        test("the_times_that_are_offered_follow_hours_appointments_and_closures", parts, |parts| async move {
            let here = Place::open(&parts, "Europe/Berlin").await?;
            let (monday, tuesday) = (monday()?, monday()?.tomorrow()?);
            let whole = here.offered(&parts, monday).await?;
            assert_eq!((whole.len(), whole[0].as_str(), whole[12].as_str()), (13, "09:00", "12:00"));
            let page = read(&parts, &here.slots(monday, monday)).await?;
            assert_eq!((&page["timeZone"], &page["items"][0]["roomId"]), (&json!("Europe/Berlin"), &here.room["id"]));

            let ten = monday.at(10, 0, 0, 0).in_tz("Europe/Berlin")?.timestamp();
            here.booked(&parts, ten, 30).await?;
            let offered = here.offered(&parts, monday).await?;
            assert_eq!(offered[..4], ["09:00", "09:15", "09:30", "10:30"]);

            let closed = json!({ "closures": [{ "from": tuesday }] });
            let own = format!("/api/clinics/{}", id(&here.clinic));
            assert_eq!(patch(&parts, &own, "\"1\"", &closed).await?.status(), 200);
            assert!(here.offered(&parts, tuesday).await?.is_empty());

            // In pages, with anybody, it is the same.
            let all = read(&parts, &here.slots(monday, monday + 3.days())).await?;
            let anybody = here.slots(monday, monday + 3.days());
            let anybody = anybody.replace(&format!("&practitioner={}", id(&here.practitioner)), "");
            let (mut pages, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = read(&parts, &format!("{anybody}&limit=10{cursor}")).await?;
                pages.extend(page["items"].as_array().cloned().unwrap_or_default());
                let Some(next) = page["next"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!((pages.len(), &json!(pages)), (36, &all["items"]));

            let wrong =
                format!("/api/slots?clinic={0}&service={0}&practitioner={0}&from={monday}&to={monday}", Uuid::now_v7());
            assert_eq!(pointers(get(&parts, &wrong).await?).await?, ["clinic", "service", "practitioner"]);
            Ok(())
        }),
        test("a_leave_cancels_nothing_and_shows_what_it_lies_over", parts, |parts| async move {
            let here = Place::open(&parts, "America/New_York").await?;
            let monday = monday()?;
            let ten = monday.at(10, 0, 0, 0).in_tz("America/New_York")?.timestamp();
            let appointment = here.booked(&parts, ten, 30).await?;
            let leaves = format!("/api/practitioners/{}/leaves", id(&here.practitioner));
            let (from, to) = (format!("{monday}T09:30"), format!("{monday}T10:15"));
            let leave = json!({ "clinicId": here.clinic["id"], "from": from, "to": to, "reason": "sick" });
            let leave = made(&parts, &leaves, &leave).await?;
            assert_eq!((&leave["status"], leave["appointments"].as_array().map(Vec::len)), (&json!("active"), Some(1)));
            assert_eq!(leave["appointments"][0]["id"], json!(appointment));
            let own = format!("{leaves}/{}", id(&leave));
            assert_eq!(read(&parts, &own).await?, leave);
            assert_eq!(here.offered(&parts, monday).await?[..2], ["09:00", "10:30"]);
            assert_eq!(read(&parts, &leaves).await?["items"][0]["id"], leave["id"]);
            // It is nobody else's.
            let elsewhere = Place::open(&parts, "Europe/Berlin").await?;
            let other = format!("/api/practitioners/{}/leaves/{}", id(&elsewhere.practitioner), id(&leave));
            assert_eq!(get(&parts, &other).await?.status(), 404);
            assert_eq!(get(&parts, &format!("/api/practitioners/{}/leaves", Uuid::now_v7())).await?.status(), 404);

            let withdrawn = patch(&parts, &own, "\"1\"", &json!({ "status": "withdrawn" })).await?;
            assert_eq!(withdrawn.status(), 200);
            let withdrawn: Value = withdrawn.json().await?;
            assert_eq!((&withdrawn["status"], &withdrawn["appointments"]), (&json!("withdrawn"), &json!([])));
            assert_eq!(here.offered(&parts, monday).await?[..3], ["09:00", "09:15", "09:30"]);
            assert_eq!(
                pointers(patch(&parts, &own, "\"2\"", &json!({ "status": "active" })).await?).await?,
                ["/status"]
            );
            Ok(())
        }),
        test("a_leave_of_whole_days_is_as_long_as_the_days_are", parts, |parts| async move {
            let here = Place::open(&parts, "Europe/Berlin").await?;
            let leaves = format!("/api/practitioners/{}/leaves", id(&here.practitioner));
            let leave =
                |from, to| json!({ "clinicId": here.clinic["id"], "from": from, "to": to, "reason": "vacation" });
            let made = made(&parts, &leaves, &leave("2028-10-29", "2028-10-29")).await?;
            assert_eq!(
                (&made["from"], &made["to"]),
                (&json!("2028-10-29T00:00:00+02:00"), &json!("2028-10-30T00:00:00+01:00"))
            );
            // What the clock does not show, or shows twice, is asked again.
            let wrong = leave("2028-03-26T02:30", "2028-10-29T02:30");
            assert_eq!(pointers(post(&parts, &leaves, &wrong).await?).await?, ["/from", "/to"]);
            let told = leave("2028-10-29T02:30+02:00", "2028-10-29T02:30+01:00");
            assert_eq!(post(&parts, &leaves, &told).await?.status(), 201);
            assert_eq!(pointers(post(&parts, &leaves, &leave("2028-10-29", "2028-10-28")).await?).await?, ["/to"]);
            Ok(())
        }),
        test("a_room_that_is_down_is_not_offered", parts, |parts| async move {
            let here = Place::open(&parts, "Australia/Lord_Howe").await?;
            let monday = monday()?;
            let leaves = format!("/api/rooms/{}/leaves", id(&here.room));
            let (from, to) = (format!("{monday}T09:00"), format!("{monday}T12:00"));
            let down = json!({ "clinicId": here.clinic["id"], "from": from, "to": to, "reason": "maintenance" });
            let down = made(&parts, &leaves, &down).await?;
            assert_eq!(down["roomId"], here.room["id"]);
            assert_eq!(here.offered(&parts, monday).await?, ["12:00"]);
            let elsewhere = Place::open(&parts, "Europe/Berlin").await?;
            let wrong = json!({ "clinicId": elsewhere.clinic["id"], "from": from, "to": to, "reason": "maintenance" });
            assert_eq!(pointers(post(&parts, &leaves, &wrong).await?).await?, ["/clinicId"]);
            Ok(())
        }),
    ]
}
