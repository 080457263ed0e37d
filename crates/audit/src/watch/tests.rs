use access::Role;
use serde_json::{Value, json};

use super::*;

const COLLECTIONS: Collections = Collections {
    kinds: &[
        ("patients", "patient"),
        ("observations", "observation"),
        ("appointments", "appointment"),
        ("rooms", "room"),
    ],
    unwatched: &["rooms", "audit"],
};
const ADA: &str = "0197a1b2-7c11-7000-8000-1b2c3d4e5f60";
const RECORD: &str = "0197a1b2-7c11-7000-8000-1b2c3d4e5f61";

fn deed(operation: &str) -> Deed {
    let name = Box::leak(Box::new(Name::parse(operation).unwrap()));
    Deed::of(name, &COLLECTIONS).unwrap()
}

fn answer(status: u16) -> Response {
    let mut response = StatusCode::from_u16(status).unwrap().into_response();
    response.headers_mut().insert(header::ETAG, http::HeaderValue::from_static("\"3\""));
    response
}

/// The entry, without what is another each time.
fn entry(operation: &str, path: &str, response: &Response) -> Option<Value> {
    let agent = Agent { who: Uuid::from_u128(7), role: Some(Role::Nurse), session: None };
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut entry = serde_json::to_value(deed(operation).entry(agent, path, query, response)?).unwrap();
    for own in ["id", "recorded", "agent"] {
        assert!(entry.as_object_mut().unwrap().remove(own).is_some(), "{own}");
    }
    Some(entry)
}

#[test]
fn what_is_done_is_read_of_the_path() {
    for (operation, action, subtype, kind, watched) in [
        ("GET /api/patients", "R", "search", "patient", true),
        ("POST /api/patients", "C", "create", "patient", false),
        ("GET /api/patients/{id}", "R", "read", "patient", true),
        ("PATCH /api/patients/{id}", "U", "update", "patient", false),
        ("GET /api/patients/{id}/observations", "R", "search", "observation", true),
        ("GET /api/patients/{id}/observations/{recordId}", "R", "read", "observation", true),
        ("GET /api/patients/{id}/observations/{recordId}/history", "R", "history", "observation", true),
        ("GET /api/patients/{id}/summary", "R", "summary", "patient", true),
        ("POST /api/appointments/{id}/cancel", "E", "cancel", "appointment", false),
        ("DELETE /api/appointments/{id}", "D", "delete", "appointment", false),
        ("GET /api/patients/audit", "R", "audit", "patient", false),
        ("GET /api/rooms/{id}", "R", "read", "room", false),
        ("GET /api/rooms/{id}/appointments", "R", "search", "appointment", true),
        // What nobody has thought of is recorded.
        ("GET /api/secrets/{id}", "R", "read", "secrets", true),
        ("GET /api/secrets", "R", "secrets", "api", true),
    ] {
        let deed = deed(operation);
        let told = (json!(deed.action), deed.subtype, deed.kind, deed.watched);
        assert_eq!(told, (json!(action), subtype, kind, watched), "{operation}");
    }
}

#[test]
fn a_read_says_what_of_whom_and_which_version() {
    let patient = format!("/api/patients/{ADA}");
    assert_eq!(
        entry("GET /api/patients/{id}", &patient, &answer(200)).unwrap(),
        json!({ "action": "R", "subtype": "read", "outcome": 0, "patient": ADA,
                "entity": { "type": "patient", "id": ADA, "version": 3 } })
    );
    let record = format!("{patient}/observations/{RECORD}");
    assert_eq!(
        entry("GET /api/patients/{id}/observations/{recordId}", &record, &answer(304)).unwrap(),
        json!({ "action": "R", "subtype": "read", "outcome": 0, "patient": ADA,
                "entity": { "type": "observation", "id": RECORD, "version": 3 } })
    );
    let missing = entry("GET /api/patients/{id}", &patient, &StatusCode::NOT_FOUND.into_response()).unwrap();
    assert_eq!((&missing["outcome"], &missing["entity"]), (&json!(4), &json!({ "type": "patient", "id": ADA })));
    let mut shown = answer(200);
    shown.extensions_mut().insert(OfPatient(Uuid::from_u128(9)));
    let appointment = entry("GET /api/appointments/{id}", &format!("/api/appointments/{RECORD}"), &shown).unwrap();
    assert_eq!(appointment["patient"], json!(Uuid::from_u128(9)));
    let within = entry("GET /api/rooms/{id}/appointments", &format!("/api/rooms/{ADA}/appointments"), &answer(200));
    assert_eq!(within.unwrap()["details"], json!({ "within": format!("room/{ADA}") }));
}

#[test]
fn nothing_that_was_asked_for_is_in_an_entry() {
    let path = "/api/patients?family=Okafor&birthDate=1984";
    let search = entry("GET /api/patients", path, &answer(200)).unwrap();
    assert_eq!(
        search,
        json!({ "action": "R", "subtype": "search", "outcome": 0, "entity": { "type": "patient" },
                "details": { "parameters": "family birthDate" } })
    );
    // What is refused may be called anything.
    let refused = entry("GET /api/patients", "/api/patients?Okafor", &answer(422)).unwrap();
    assert_eq!((&refused["outcome"], refused.get("details")), (&json!(4), None));
    let named = entry("GET /api/patients/{id}", "/api/patients/Ada%20Okafor", &answer(404)).unwrap();
    assert_eq!((&named["entity"], named.get("patient")), (&json!({ "type": "patient" }), None));
}

#[test]
fn a_refused_role_is_recorded_whatever_it_wanted() {
    for operation in ["GET /api/patients/{id}", "PATCH /api/patients/{id}", "GET /api/rooms/{id}"] {
        let refused = entry(operation, &format!("/api/x/{ADA}"), &answer(403)).unwrap();
        assert_eq!(refused["outcome"], 8, "{operation}");
    }
    // The entry of a change goes with its document, and who failed was not shown anything.
    for (operation, status) in [
        ("PATCH /api/patients/{id}", 200),
        ("PATCH /api/patients/{id}", 412),
        ("GET /api/patients/{id}", 503),
        ("GET /api/rooms/{id}", 200),
    ] {
        assert_eq!(entry(operation, "/api/x/y", &answer(status)), None, "{operation} {status}");
    }
}

#[test]
fn a_change_that_changes_nothing_is_a_read() {
    let change = deed("PATCH /api/patients/{id}");
    for (seen, status, action) in [
        (Some(3), 200, Action::Read),
        (Some(2), 200, Action::Update),
        (Some(3), 412, Action::Update),
        (None, 200, Action::Update),
    ] {
        let came_out = change.as_it_came_out(seen, &answer(status));
        assert_eq!((came_out.action, came_out.watched), (action, action == Action::Read), "{seen:?} {status}");
    }
    assert_eq!(deed("POST /api/patients").as_it_came_out(Some(3), &answer(200)).action, Action::Create);
}
