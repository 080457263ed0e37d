use serde_json::json;

use super::{super::sample, *};

fn ask(name: &str, binding: usize, parts: &Parts<'_>) -> Result<DynamicMessage, Problem> {
    let method = sample::method(name);
    message(&method, &method.bindings[binding], parts)
}

fn with_query(pairs: &[(&str, &str)]) -> Parts<'static> {
    let query = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Parts { query, ..Parts::default() }
}

fn pointers(asked: Result<DynamicMessage, Problem>) -> Vec<String> {
    asked.unwrap_err().errors.into_iter().map(|error| error.pointer).collect()
}

fn is(asked: &DynamicMessage, expected: Json) {
    let descriptor = prost_reflect::ReflectMessage::descriptor(asked);
    assert_eq!(*asked, sample::standard(descriptor, expected));
}

#[test]
fn the_path_is_in_the_message() {
    let asked = ask("GetPaint", 0, &Parts { path: vec!["a/b c"], ..Parts::default() }).unwrap();
    is(&asked, json!({ "paintId": "a/b c" }));
    let asked = ask("GetPaint", 1, &Parts { path: vec!["1", "2"], ..Parts::default() }).unwrap();
    is(&asked, json!({ "name": "shelves/1/paints/2" }));
}

#[test]
fn what_the_path_does_not_have_is_in_the_query() {
    let asked = with_query(&[
        ("colours", "dark-red"),
        ("colours", "other-blue"),
        ("page.size", "3"),
        ("page.token", "x"),
        ("since", "2026-11-25T08:30:00Z"),
        ("empty", "false"),
        ("least", "5"),
        ("fields", "label"),
    ]);
    is(
        &ask("ListPaints", 0, &asked).unwrap(),
        json!({
            "colours": ["PAINT_COLOUR_DARK_RED", "OTHER_BLUE"], "page": {"size": 3, "token": "x"},
            "since": "2026-11-25T08:30:00Z", "empty": false, "least": "5", "fields": "label",
        }),
    );
}

#[test]
fn a_parameter_that_cannot_be_meant_is_named() {
    for (name, value) in [
        ("no", "1"),
        ("page", "{}"),
        ("page.no", "1"),
        ("page.size", "x"),
        ("page.size.x", "1"),
        ("since.seconds", "1"),
        ("labels", "1"),
        ("labels.a", "1"),
        ("colours", "red"),
        ("", ""),
    ] {
        assert_eq!(pointers(ask("ListPaints", 0, &with_query(&[(name, value)]))), [name]);
    }
    assert_eq!(pointers(ask("ListPaints", 0, &with_query(&[("empty", "true"), ("empty", "true")]))), ["empty"]);
    let twice = Parts { path: vec!["1"], ..with_query(&[("paint_id", "2")]) };
    assert_eq!(pointers(ask("GetPaint", 0, &twice)), ["paint_id"]);
}

#[test]
fn the_body_is_a_field_and_the_rest_is_in_the_query() {
    let parts =
        Parts { path: vec!["s"], body: br#"{"colour": "dark-red"}"#, ..with_query(&[("validateOnly", "true")]) };
    is(
        &ask("CreatePaint", 0, &parts).unwrap(),
        json!({ "shelf": "s", "paint": {"colour": "PAINT_COLOUR_DARK_RED"}, "validateOnly": true }),
    );
    let parts = Parts { path: vec!["s"], body: br#"{"no": 1, "near": ["x"]}"#, ..with_query(&[("paint.code", "1")]) };
    let mut wrong = pointers(ask("CreatePaint", 0, &parts));
    wrong.sort();
    assert_eq!(wrong, ["/near/0", "/no", "paint.code"]);
}

#[test]
fn the_body_is_all_that_is_not_elsewhere() {
    let parts = Parts {
        path: vec!["p"],
        body: br#"{"label": "l", "pages": [{"size": 1}]}"#,
        if_match: Some("\"7\""),
        ..Parts::default()
    };
    is(
        &ask("ChangePaint", 0, &parts).unwrap(),
        json!({ "paintId": "p", "expectedVersion": "7", "label": "l", "pages": [{"size": 1}] }),
    );
    let more = Parts { body: br#"{"paintId": "q", "expectedVersion": 8}"#, ..parts.clone() };
    assert_eq!(pointers(ask("ChangePaint", 0, &more)), ["/expectedVersion", "/paintId"]);
    let query = Parts { query: vec![("label".to_owned(), "x".to_owned())], ..parts.clone() };
    assert_eq!(pointers(ask("ChangePaint", 0, &query)), ["label"]);
    let list = Parts { body: b"[]", ..parts.clone() };
    assert_eq!(pointers(ask("ChangePaint", 0, &list)), [""]);
    let broken = Parts { body: b"{", ..parts };
    assert_eq!(ask("ChangePaint", 0, &broken).unwrap_err().kind, Problems::Malformed);
}

#[test]
fn a_body_where_none_is_read_is_refused() {
    let parts = Parts { path: vec!["p"], body: b"{}", ..Parts::default() };
    assert_eq!(pointers(ask("GetPaint", 0, &parts)), [""]);
}

#[test]
fn a_change_wants_the_version_that_was_seen() {
    let parts = |if_match| Parts { path: vec!["p"], body: b"{}", if_match, ..Parts::default() };
    let kind = |if_match| ask("ChangePaint", 0, &parts(if_match)).map_err(|problem| problem.kind);
    assert_eq!(kind(None).unwrap_err(), Problems::PreconditionRequired);
    for tag in ["7", "W/\"7\"", "\"x\"", "*", "\"-1\"", ""] {
        assert_eq!(kind(Some(tag)).unwrap_err(), Problems::PreconditionFailed, "{tag}");
    }
    assert!(kind(Some("\"7\"")).is_ok());
}

#[test]
fn a_field_that_a_service_refuses_is_told_as_it_was_sent() {
    let told = |name: &str, field: &str| {
        let method = sample::method(name);
        told(&method.bindings[0], FieldError { pointer: field.to_owned(), detail: String::new() }).pointer
    };
    assert_eq!(told("GetPaint", "paint_id"), "paintId");
    assert_eq!(told("ListPaints", "page.size"), "page.size");
    assert_eq!(told("CreatePaint", "paint.paint_id"), "/paintId");
    assert_eq!(told("CreatePaint", "paint"), "");
    assert_eq!(told("CreatePaint", "validate_only"), "validateOnly");
    assert_eq!(told("ChangePaint", "pages[1].size"), "/pages/1/size");
    assert_eq!(told("ChangePaint", "paint_id"), "paintId");
    assert_eq!(told("ChangePaint", "/pages/1"), "/pages/1");
    assert_eq!(told("ChangePaint", "unheard.of"), "/unheard/of");
    assert_eq!(told("ChangePaint", "Idempotency-Key"), "Idempotency-Key");
}
