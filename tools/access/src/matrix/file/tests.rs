use super::*;

const GOOD: &str = "\
apps:
  a: {blocks: [10], components: [statestore]}
  b: {blocks: [20]}
calls:
  a:
    GET /x: [b]
  b: {}
topics:
  - name: a.made
    publish: [a]
    subscribe: [b]
  - name: b.dead-letter
    publish: [b]
    subscribe: [b]
";

fn refusal(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    Matrix::parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn a_good_file_is_read_in_its_order() {
    let matrix = Matrix::parse(GOOD).unwrap();
    assert_eq!(matrix.apps.iter().map(|app| app.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(matrix.calls.len(), 1);
    assert!(matrix.uses_pubsub("a") && matrix.uses_pubsub("b"));
    assert!(matrix.topics[1].is_dead_letter());
}

#[test]
fn an_unknown_app_is_refused_with_its_line() {
    assert_eq!(refusal("GET /x: [b]", "GET /x: [c]"), "line 6: there is no app \"c\"");
    assert_eq!(refusal("  b: {}", "  c: {}"), "line 7: there is no app \"c\"");
    assert_eq!(refusal("publish: [a]", "publish: [c]"), "line 10: there is no app \"c\"");
    assert_eq!(refusal("subscribe: [b]", "subscribe: [b, c]"), "line 11: there is no app \"c\"");
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let reason = refusal("publish: [a]", "publishes: [a]");
    assert!(reason.contains("publishes") && reason.contains("line 10"), "{reason}");
}

#[test]
fn what_stands_twice_is_refused() {
    assert!(refusal("  b: {}", "  a: {}").contains("\"a\" stands here twice"));
    assert!(refusal("b.dead-letter", "a.made").contains("twice"));
    assert_eq!(refusal("blocks: [20]", "blocks: [10]"), "line 3: the port block 10 has another app already");
}

#[test]
fn an_odd_operation_is_refused_with_its_line() {
    assert!(refusal("GET /x", "GET /X").starts_with("line 6: \"X\" is neither"));
}

#[test]
fn a_call_to_itself_is_refused() {
    assert!(refusal("GET /x: [b]", "GET /x: [a]").starts_with("line 6: a calls itself"));
}

#[test]
fn dead_letters_are_for_one_app_alone() {
    assert_eq!(
        refusal("    publish: [b]\n    subscribe: [b]\n", "    publish: [a]\n    subscribe: [b]\n"),
        "line 12: b.dead-letter is for b alone"
    );
    assert_eq!(Matrix::parse(GOOD).unwrap().dead_letter_topic("b"), Some("b.dead-letter"));
    assert_eq!(Matrix::parse(GOOD).unwrap().dead_letter_topic("a"), None);
}

#[test]
fn a_line_is_found_past_comments_and_longer_words() {
    let text = "# calls: a\ncalls:\n  ab:\n  a: # b\n    b: x\n";
    assert_eq!(line(text, &["calls", "a"]), 4);
    assert_eq!(line(text, &["calls", "a", "b"]), 5);
}
