use problem::input;

use super::*;
use crate::domain::calendar::{clinic::Clinic, practitioner::Practitioner, room::Room, service::Service};

fn read<T: Resource>(value: &Value) -> Result<T, Vec<String>> {
    let mut findings = Findings::default();
    let mut body = input::object(value.clone()).unwrap();
    let read = T::read(&mut body, &mut findings);
    body.finish(&mut findings);
    findings.into_result(read).map_err(|problem| problem.errors.into_iter().map(|error| error.pointer).collect())
}

#[track_caller]
fn written_alike<T: Resource>(value: &Value) {
    assert_eq!(&Value::Object(read::<T>(value).unwrap().write()), value);
}

const CLINIC: &str = "0197a1b2-7c11-7000-8000-000000000001";
const ROOM: &str = "0197a1b2-7c11-7000-8000-000000000002";
const SERVICE: &str = "0197a1b2-7c11-7000-8000-000000000003";

#[test]
fn what_is_read_is_written_alike() {
    written_alike::<Clinic>(&json!({
        "name": "High Street", "timeZone": "Europe/Berlin",
        "closures": [{ "from": "2026-12-25", "to": "2026-12-26", "reason": "Christmas" }],
    }));
    written_alike::<Room>(&json!({ "clinicId": CLINIC, "name": "Room 1", "active": true, "lanes": 1 }));
    written_alike::<Service>(&json!({
        "clinicId": CLINIC, "name": "Visit", "code": { "system": "http://snomed.info/sct", "code": "185349003" },
        "active": true, "durationMinutes": 20, "bufferBeforeMinutes": 0, "bufferAfterMinutes": 10, "stepMinutes": 15,
        "priceCode": { "system": "https://example.org/prices", "code": "V1", "display": "Visit" },
        "needsRoom": true, "minLeadMinutes": 60, "maxLeadDays": 90,
    }));
    written_alike::<Practitioner>(&json!({
        "name": "Dr Mensah", "active": true, "userId": CLINIC, "lanes": 2,
        "specialty": { "system": "http://snomed.info/sct", "code": "394814009" },
        "schedules": [{
            "clinicId": CLINIC, "from": "2026-01-01", "to": "2026-12-31",
            "week": [
                { "days": ["mon", "fri"], "start": "09:00", "end": "12:30", "roomId": ROOM, "serviceIds": [SERVICE] },
                { "days": ["tue"], "start": "18:00", "end": "24:00" },
            ],
        }],
        "exceptions": [
            { "clinicId": CLINIC, "date": "2026-04-07", "open": [{ "start": "10:00", "end": "11:00" }] },
            { "clinicId": CLINIC, "date": "2026-04-08" },
        ],
    }));
}

#[test]
fn every_wrong_field_has_its_pointer() {
    let clinic = json!({
        "timeZone": "Mars/Olympus",
        "closures": [{ "to": "2026-12-24" }, { "from": "2026-12-25", "to": "2026-12-24" }, { "from": "25.12." }],
    });
    let pointers = ["/name", "/timeZone", "/closures/0/from", "/closures/1/to", "/closures/2/from"];
    assert_eq!(read::<Clinic>(&clinic).unwrap_err(), pointers);
    let room = json!({ "clinicId": "x", "name": "", "lanes": 0, "beds": 2 });
    assert_eq!(read::<Room>(&room).unwrap_err(), ["/clinicId", "/name", "/lanes", "/beds"]);
    let service = json!({ "name": "Visit", "code": 7, "durationMinutes": 1.5, "stepMinutes": "15", "priceCode": {} });
    let pointers = ["/code", "/durationMinutes", "/stepMinutes", "/priceCode/system", "/priceCode/code"];
    assert_eq!(read::<Service>(&service).unwrap_err(), pointers);
    let piece = json!({ "days": ["mon", "mon", "monday"], "start": "09:60", "end": "9:00", "serviceIds": ["x"] });
    let practitioner = json!({
        "name": "Dr Mensah",
        "schedules": [{ "from": "2026-02-30", "week": [piece, { "start": "12:00", "end": "11:00", "days": ["tue"] }] }],
        "exceptions": [{ "clinicId": CLINIC }],
    });
    assert_eq!(
        read::<Practitioner>(&practitioner).unwrap_err(),
        [
            "/schedules/0/clinicId",
            "/schedules/0/from",
            "/schedules/0/week/0/days/1",
            "/schedules/0/week/0/days/2",
            "/schedules/0/week/0/start",
            "/schedules/0/week/0/end",
            "/schedules/0/week/0/serviceIds/0",
            "/schedules/0/week/1/end",
            "/exceptions/0/date",
        ]
    );
}

#[test]
fn hours_that_overlap_are_refused_where_they_do() {
    let piece = |days: &[&str], start, end| json!({ "days": days, "start": start, "end": end });
    let schedule = |from, to, week: Value| json!({ "clinicId": CLINIC, "from": from, "to": to, "week": week });
    let practitioner = |schedules: &[Value]| json!({ "name": "Dr Mensah", "schedules": schedules });
    let morning = schedule("2026-01-01", "2026-06-30", json!([piece(&["mon"], "09:00", "12:00")]));
    let after = [
        piece(&["mon"], "12:00", "13:00"),
        piece(&["tue"], "09:00", "12:00"),
        piece(&["fri", "mon"], "11:59", "12:01"),
    ];
    let pointers = |schedules: &[Value]| read::<Practitioner>(&practitioner(schedules)).map(|_| ()).unwrap_err();
    let other = schedule("2026-06-01", "2026-12-31", json!(after));
    assert_eq!(pointers(&[morning.clone(), other]), ["/schedules/1/week/2"]);
    // In June they share a Monday, in July no day, and from Tuesday to Thursday no Monday.
    let later = schedule("2026-07-01", "2026-12-31", json!([piece(&["mon"], "09:00", "12:00")]));
    let days = schedule("2026-06-02", "2026-06-04", json!([piece(&["mon"], "09:00", "12:00")]));
    assert!(read::<Practitioner>(&practitioner(&[morning, later, days])).is_ok());
    let day = json!([{ "start": "09:00", "end": "10:00" }, { "start": "09:30", "end": "11:00" }]);
    let exceptions = json!([
        { "clinicId": CLINIC, "date": "2026-04-07", "open": day }, { "clinicId": CLINIC, "date": "2026-04-07" },
    ]);
    let twice = json!({ "name": "Dr Mensah", "exceptions": exceptions });
    assert_eq!(read::<Practitioner>(&twice).unwrap_err(), ["/exceptions/0/open/1", "/exceptions/1/date"]);
}
