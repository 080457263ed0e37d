//! A week of a small group of clinics, as facts: Monday 5 to Sunday 11 March 2007.
//!
//! Clinic A is in New York, whose clocks go from 02:00 to 03:00 on that Sunday; clinic B is in Kathmandu, five hours and
//! forty-five minutes ahead of UTC. P works at A and Q at B; S and T are bookable services, X and Y payers.

use contracts::patient::v1::{
    AvailableDay, AvailableTime, ListAvailableMinutesRequest, ListAvailableMinutesResponse, availability_server,
};
use serde_json::{Value, json};
use tonic::{Request, Response, Status, service::Routes};
use uuid::Uuid;

use crate::events::patient;

const NEW_YORK: &str = "America/New_York";
const KATHMANDU: &str = "Asia/Kathmandu";

/// The id of something of the week.
pub(crate) fn id(name: &str) -> Uuid {
    patient(&format!("clinic week {name}"), 0)
}

/// A fact of a kind.
pub(crate) type Told = (&'static str, Value);

fn at(place: &str) -> Value {
    let (zone, practitioner) = if place == "A" { (NEW_YORK, "P") } else { (KATHMANDU, "Q") };
    json!({ "time_zone": zone, "clinic_id": id(place), "practitioner_id": id(practitioner) })
}

fn with(mut fact: Value, more: Value) -> Value {
    if let (Some(fact), Value::Object(more)) = (fact.as_object_mut(), more) {
        fact.extend(more);
    }
    fact
}

/// A patient, by the group's clock.
fn registered(name: &str, version: i64, time: &str, active: bool) -> Told {
    let fact = json!({ "id": id(name), "version": version, "time_zone": NEW_YORK, "registered_at": time, "changed_at": time,
                       "gender": null, "age_band": null, "active": active });
    ("patients", fact)
}

/// An appointment that was booked; what else became of it comes by `more`.
fn booked(name: &str, place: &str, service: &str, status: &str, times: [&str; 3], more: Value) -> Told {
    let [booked, start, end] = times;
    let fact = json!({
        "id": id(name), "version": 1, "service_id": id(service), "status": status, "created_at": booked, "booked_at": booked,
        "start_at": start, "end_at": end, "arrived_at": null, "started_at": null, "finished_at": null,
        "cancelled_late": false, "reschedules": 0, "waited": false,
    });
    ("appointments", with(with(fact, at(place)), more))
}

fn seen(times: [&str; 3]) -> Value {
    json!({ "arrived_at": times[0], "started_at": times[1], "finished_at": times[2] })
}

fn encounter(name: &str, whose: &str, place: &str, walk_in: bool, start: &str, services: &Value) -> Told {
    let fact = json!({ "id": id(name), "version": 1, "patient_id": id(whose), "walk_in": walk_in, "finished": true,
                       "started_at": start, "services": services });
    ("encounters", with(fact, at(place)))
}

fn invoice(name: &str, version: i64, currency: &str, issued: &str, open: [i64; 2]) -> Told {
    let fact = json!({ "id": id(name), "version": version, "currency": currency, "issued_at": issued,
                       "patient_open": open[0], "insurance_open": open[1] });
    ("invoices", with(at("A"), fact))
}

fn payment(name: &str, version: i64, currency: &str, captured: Option<&str>, amount: i64) -> Told {
    let fact = json!({ "id": id(name), "version": version, "time_zone": NEW_YORK, "currency": currency,
                       "captured_at": captured, "amount": amount });
    ("payments", fact)
}

/// A claim, with what was asked for, what is allowed and what is paid by the answer that stands.
fn claim(
    name: &str,
    place: &str,
    payer: &str,
    currency: &str,
    submitted: &str,
    amounts: [i64; 3],
    first: Value,
) -> Told {
    let [total, allowed, paid] = amounts;
    let fact = json!({
        "id": id(name), "version": 1, "payer_id": id(payer), "currency": currency, "submitted_at": submitted, "total": total,
        "allowed": allowed, "paid": paid, "answered_on": null, "denied": false, "first_pass": false, "billed": 0,
        "denied_amount": 0,
    });
    // Billing tells no zone: the group's is taken.
    ("claims", with(with(with(fact, at(place)), json!({ "time_zone": NEW_YORK })), first))
}

fn entry(name: &str, date: &str, currency: &str, moves: &[Value]) -> Told {
    ("entries", json!({ "id": id(name), "version": 1, "date": date, "currency": currency, "moves": moves }))
}

/// What goes from `credit` to `debit`, by service.
fn moved(place: &str, debit: &str, credit: &str, payer: Option<&str>, services: &[(&str, i64)]) -> Value {
    let shares: Vec<_> = services.iter().map(|(code, amount)| json!({ "code": code, "amount": amount })).collect();
    let amount: i64 = services.iter().map(|(_, amount)| amount).sum();
    let more =
        json!({ "debit": debit, "credit": credit, "amount": amount, "payer_id": payer.map(id), "services": shares });
    with(at(place), more)
}

const PATIENT: &str = "patient-receivable";
const INSURANCE: &str = "insurance-receivable";

/// What happened in the week, and what came before it and counts for it.
pub(crate) fn week(now: &str) -> Vec<Told> {
    let units = |lines: &[(&str, i32)]| {
        let lines = lines.iter().map(|(code, units)| json!({ "code": code, "units": units }));
        Value::Array(lines.collect())
    };
    vec![
        // Monday 10:00, Tuesday 23:30 by New York's clock (Wednesday by UTC), and Sunday; the last is not in use any more.
        registered("p1", 1, "2007-03-05T15:00:00Z", true),
        registered("p2", 1, "2007-03-07T04:30:00Z", true),
        registered("p3", 1, "2007-03-11T16:00:00Z", false),
        // a1: Monday, kept; booked 3 days before, and almost 4; waited 15 minutes and almost 16, was there for 45 and almost 46.
        booked(
            "a1",
            "A",
            "S",
            "fulfilled",
            ["2007-03-01T14:00:00.4Z", "2007-03-05T14:00:00Z", "2007-03-05T14:30:00Z"],
            seen(["2007-03-05T13:49:00.4Z", "2007-03-05T14:05:00Z", "2007-03-05T14:35:00Z"]),
        ),
        // a2: Monday, nobody came; booked 7 days and an hour before.
        booked(
            "a2",
            "A",
            "S",
            "noshow",
            ["2007-02-26T14:00:00Z", "2007-03-05T15:00:00Z", "2007-03-05T15:30:00Z"],
            json!({}),
        ),
        // a3: Tuesday, booked on Monday, a day and an hour before, and cancelled late.
        booked(
            "a3",
            "A",
            "T",
            "cancelled",
            ["2007-03-05T14:00:00Z", "2007-03-06T15:00:00Z", "2007-03-06T16:00:00Z"],
            json!({ "cancelled_late": true }),
        ),
        // a4: moved once to Wednesday, kept; booked on Monday, a day and 23 hours before; waited 20 minutes, was there for 70.
        booked(
            "a4",
            "A",
            "T",
            "fulfilled",
            ["2007-03-05T16:00:00Z", "2007-03-07T15:00:00Z", "2007-03-07T16:00:00Z"],
            with(
                seen(["2007-03-07T15:00:00Z", "2007-03-07T15:20:00Z", "2007-03-07T16:10:00Z"]),
                json!({ "reschedules": 1 }),
            ),
        ),
        // a5: Thursday 00:15 in Kathmandu, kept; booked on Wednesday; came on Wednesday 23:55, waited 30, was there for 60.
        booked(
            "a5",
            "B",
            "S",
            "fulfilled",
            ["2007-03-07T06:00:00Z", "2007-03-07T18:30:00Z", "2007-03-07T18:50:00Z"],
            seen(["2007-03-07T18:10:00Z", "2007-03-07T18:40:00Z", "2007-03-07T19:10:00Z"]),
        ),
        // a6: on the waiting list since Tuesday, booked on Thursday for Friday, 19 hours later.
        booked(
            "a6",
            "B",
            "T",
            "booked",
            ["2007-03-08T10:00:00Z", "2007-03-09T05:00:00Z", "2007-03-09T05:40:00Z"],
            json!({ "created_at": "2007-03-06T10:00:00Z", "waited": true }),
        ),
        // a7: on the waiting list since Tuesday, still without a time.
        booked(
            "a7",
            "B",
            "T",
            "waitlist",
            ["2007-03-06T11:00:00Z"; 3],
            json!({ "practitioner_id": null, "booked_at": null, "start_at": null, "end_at": null, "waited": true }),
        ),
        // a8: was never meant to be.
        booked(
            "a8",
            "A",
            "S",
            "entered-in-error",
            ["2007-03-05T14:00:00Z", "2007-03-06T17:00:00Z", "2007-03-06T18:00:00Z"],
            json!({}),
        ),
        // a9: Sunday 01:30, before the clocks change; booked 8 days before, cancelled in time.
        booked(
            "a9",
            "A",
            "S",
            "cancelled",
            ["2007-03-02T15:00:00Z", "2007-03-11T06:30:00Z", "2007-03-11T07:30:00Z"],
            json!({}),
        ),
        // Encounters: u1 on Monday, new, and on Wednesday by walking in, returning.
        encounter("e1", "u1", "A", false, "2007-03-05T14:05:00Z", &units(&[("99213", 1), ("85025", 2)])),
        encounter("e2", "u1", "A", true, "2007-03-07T20:00:00Z", &units(&[("99213", 1)])),
        // u2 on Thursday 00:25 in Kathmandu; 36 months to the minute after the one before: returning.
        encounter("e0", "u2", "A", false, "2004-03-07T18:40:00Z", &units(&[])),
        encounter("e3", "u2", "B", false, "2007-03-07T18:40:00Z", &units(&[("90471", 1)])),
        // u3 on Sunday 03:30, the half hour after 01:59; 36 months and a minute after the one before: new.
        encounter("e00", "u3", "B", false, "2004-03-11T07:29:00Z", &units(&[])),
        encounter("e4", "u3", "A", true, "2007-03-11T07:30:00Z", &units(&[])),
        // Not finished.
        (
            "encounters",
            with(
                encounter("e5", "u4", "A", true, "2007-03-06T15:00:00Z", &units(&[("99213", 9)])).1,
                json!({ "finished": false }),
            ),
        ),
        // Open: 30.00 of the week, 15.00 of today, 70 yen of the week; a draft is not yet.
        invoice("i1", 1, "CHF", "2007-03-05T15:00:00Z", [3000, 0]),
        invoice("i2", 1, "CHF", now, [1000, 500]),
        invoice("i3", 1, "JPY", "2007-03-06T15:00:00Z", [70, 0]),
        ("invoices", with(invoice("i4", 1, "CHF", now, [9000, 9000]).1, json!({ "issued_at": null }))),
        // Monday; Friday 23:00; Tuesday; not captured.
        payment("y1", 1, "CHF", Some("2007-03-05T16:00:00Z"), 2500),
        payment("y2", 1, "CHF", Some("2007-03-10T04:00:00Z"), 700),
        payment("y3", 1, "JPY", Some("2007-03-06T16:00:00Z"), 50),
        payment("y4", 1, "CHF", None, 0),
        // c1: sent on Monday, paid on Wednesday at first; c2: sent on Tuesday, denied in part on Thursday; two without an answer.
        claim(
            "c1",
            "A",
            "X",
            "CHF",
            "2007-03-05T17:00:00Z",
            [10_000, 8000, 6000],
            json!({ "answered_on": "2007-03-07", "first_pass": true, "billed": 10_000 }),
        ),
        claim(
            "c2",
            "B",
            "Y",
            "CHF",
            "2007-03-06T12:00:00Z",
            [5000, 2000, 2000],
            json!({ "answered_on": "2007-03-08", "denied": true, "billed": 5000, "denied_amount": 3000 }),
        ),
        claim("c3", "A", "X", "CHF", "2007-03-06T17:00:00Z", [2000, 0, 0], json!({})),
        claim("c4", "A", "Y", "JPY", "2007-03-07T17:00:00Z", [300, 0, 0], json!({})),
        // j0: 90.00 that were charged on 8 December 2006, the ninetieth day until 7 March 2007.
        entry("j0", "2006-12-08", "CHF", &[moved("A", PATIENT, "revenue", None, &[("99213", 9000)])]),
        // j1: Monday, 120.00 charged, 10.00 off, and 100.00 asked of X.
        entry(
            "j1",
            "2007-03-05",
            "CHF",
            &[
                moved("A", PATIENT, "revenue", None, &[("99213", 7000), ("85025", 5000)]),
                moved("A", "discount", PATIENT, None, &[("99213", 1000)]),
                moved("A", INSURANCE, PATIENT, Some("X"), &[("99213", 5000), ("85025", 5000)]),
            ],
        ),
        // j2: Wednesday, X pays 60.00, 20.00 are left by contract, and 5.00 are the patient's again.
        entry(
            "j2",
            "2007-03-07",
            "CHF",
            &[
                moved("A", "insurance-unapplied", INSURANCE, Some("X"), &[("99213", 2000), ("85025", 4000)]),
                moved("A", "contractual-adjustment", INSURANCE, Some("X"), &[("99213", 2000)]),
                moved("A", PATIENT, INSURANCE, Some("X"), &[("99213", 500)]),
            ],
        ),
        // j3: Friday, the patient pays 7.00; j4: Saturday, 3.00 are not asked for any more.
        entry("j3", "2007-03-09", "CHF", &[moved("A", "unapplied", PATIENT, None, &[("99213", 700)])]),
        entry("j4", "2007-03-10", "CHF", &[moved("A", "small-balance-write-off", PATIENT, None, &[("85025", 300)])]),
        // Tuesday: j5 40.00 at B, j6 70 yen at A.
        entry("j5", "2007-03-06", "CHF", &[moved("B", PATIENT, "revenue", None, &[("90471", 4000)])]),
        entry("j6", "2007-03-06", "JPY", &[moved("A", PATIENT, "revenue", None, &[("99213", 70)])]),
    ]
}

/// Later versions that put right what was told of the week, and acts of the journal that take back others.
pub(crate) fn corrections() -> Vec<Told> {
    let week = week("2007-03-05T15:00:00Z");
    let again = |name: &str, more: Value| {
        let told = week.iter().find(|(_, fact)| fact["id"] == json!(id(name)));
        let (kind, fact) = told.cloned().unwrap_or(("nothing", Value::Null));
        (kind, with(with(fact, json!({ "version": 2 })), more))
    };
    vec![
        // p1 is not in use any more.
        again("p1", json!({ "active": false })),
        // a2 was kept after all: waited 5 minutes, was there for 35.
        again(
            "a2",
            with(
                seen(["2007-03-05T15:05:00Z", "2007-03-05T15:10:00Z", "2007-03-05T15:40:00Z"]),
                json!({ "status": "fulfilled" }),
            ),
        ),
        // a4 is on Saturday, 4 days and 23 hours after it was booked, and has not begun.
        again(
            "a4",
            json!({ "status": "booked", "reschedules": 2, "start_at": "2007-03-10T15:00:00Z", "end_at": "2007-03-10T16:00:00Z",
                            "arrived_at": null, "started_at": null, "finished_at": null }),
        ),
        again("a5", json!({ "status": "entered-in-error" })),
        // With e1 entered in error, u1 was new on Wednesday.
        again("e1", json!({ "finished": false })),
        again("i1", json!({ "patient_open": 0 })),
        again("y2", json!({ "amount": 0 })),
        // c2 was decided again; that its first answer denied something stays.
        again("c2", json!({ "allowed": 4500, "paid": 4000 })),
        // j5 is voided on Thursday; what was paid by j3 is given back on Saturday.
        entry("j7", "2007-03-08", "CHF", &[moved("B", "revenue", PATIENT, None, &[("90471", 4000)])]),
        entry("j8", "2007-03-10", "CHF", &[moved("A", PATIENT, "unapplied", None, &[("99213", 700)])]),
    ]
}

/// The hours of P and Q, in place of `patient`: P has 120 minutes on Monday, Tuesday and Wednesday, Q 60 on Thursday and 80
/// on Friday.
struct Hours;

#[tonic::async_trait]
impl availability_server::Availability for Hours {
    async fn list_available_minutes(
        &self,
        request: Request<ListAvailableMinutesRequest>,
    ) -> Result<Response<ListAvailableMinutesResponse>, Status> {
        let asked = request.into_inner();
        let of = |practitioner: &str, clinic: &str, days: &[(&str, i32)]| AvailableTime {
            practitioner_id: id(practitioner).to_string(),
            clinic_id: id(clinic).to_string(),
            days: days
                .iter()
                .filter(|(date, _)| (asked.from.as_str()..=asked.to.as_str()).contains(date))
                .map(|(date, minutes)| AvailableDay { date: (*date).to_owned(), minutes: *minutes })
                .collect(),
        };
        let of_p = of("P", "A", &[("2007-03-05", 120), ("2007-03-06", 120), ("2007-03-07", 120)]);
        let of_q = of("Q", "B", &[("2007-03-08", 60), ("2007-03-09", 80)]);
        // On a page each.
        let (time, next) = if asked.cursor.is_none() { (of_p, Some("Q".to_owned())) } else { (of_q, None) };
        let is = |given: &Option<String>, id: &str| given.as_deref().is_none_or(|given| given == id);
        let wanted = is(&asked.practitioner_id, &time.practitioner_id) && is(&asked.clinic_id, &time.clinic_id);
        let items = if wanted && !time.days.is_empty() { vec![time] } else { Vec::new() };
        Ok(Response::new(ListAvailableMinutesResponse { items, next }))
    }
}

/// What is asked of `patient`.
pub(crate) fn hours() -> axum::Router {
    Routes::new(availability_server::AvailabilityServer::new(Hours)).prepare().into_axum_router()
}
