use std::path::PathBuf;

use super::*;

fn ours() -> Value {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    serde_json::from_str(&document(&root).unwrap().unwrap()).unwrap()
}

/// A schema of the document, with all that it may refer to.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let whole = json!({ "components": document["components"], "allOf": [schema] });
    jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap()
}

/// Every media type of every request and answer, with where it stands.
fn contents(document: &Value) -> Vec<(String, Value)> {
    fn walk(at: &str, value: &Value, found: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(fields) => {
                // A field of a body may be called so, too.
                for (name, value) in
                    fields.iter().filter(|(name, _)| !matches!(name.as_str(), "example" | "properties"))
                {
                    let at = format!("{at}/{name}");
                    if name == "content" {
                        found.extend(
                            value.as_object().unwrap().iter().map(|(kind, v)| (format!("{at}/{kind}"), v.clone())),
                        );
                    }
                    walk(&at, value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(at, item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk("", document, &mut found);
    found
}

#[test]
fn every_example_is_what_its_schema_says() {
    let document = ours();
    let mut examples = 0;
    for (at, content) in contents(&document) {
        if let Some(example) = content.get("example") {
            let errors: Vec<_> =
                validator(&document, &content["schema"]).iter_errors(example).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{at}: {errors:?}");
            examples += 1;
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for example in schema.get("example").into_iter().chain(schema["examples"].as_array().into_iter().flatten()) {
            assert!(validator(&document, schema).is_valid(example), "{name}");
            examples += 1;
        }
    }
    assert!(examples >= 8, "{examples}");
}

#[test]
fn every_request_has_an_example() {
    for (at, content) in contents(&ours()) {
        assert!(!at.contains("/requestBody/") || content.get("example").is_some(), "{at}");
    }
}

#[test]
fn an_operation_is_told_once_with_its_roles() {
    let document = ours();
    let read = &document["paths"]["/api/patients/{id}"]["get"];
    assert_eq!(read["x-roles"][0], "front-desk");
    assert_eq!(read["responses"]["403"]["$ref"], "#/components/responses/Forbidden");
    assert_eq!(document["paths"]["/auth/login"]["post"]["security"], json!([]));
}

#[test]
fn whatever_is_read_has_a_tag() {
    let document = ours();
    let tag = |path: &str, verb: &str| document["paths"][path][verb]["responses"]["200"]["headers"]["ETag"].clone();
    for (path, header) in
        [("/api/patients/{id}", "ETag"), ("/api/patients", "AnswersETag"), ("/openapi.json", "AnswersETag")]
    {
        assert_eq!(tag(path, "get")["$ref"], format!("#/components/headers/{header}"), "{path}");
        let read = &document["paths"][path]["get"];
        assert_eq!(read["responses"]["304"]["$ref"], "#/components/responses/NotModified");
        let known = json!({ "$ref": "#/components/parameters/IfNoneMatch" });
        assert_eq!(read["parameters"].as_array().unwrap().iter().filter(|one| **one == known).count(), 1, "{path}");
    }
    let stream = &document["paths"]["/api/analytics/stream"]["get"];
    assert!(
        stream["responses"].get("304").is_none() && tag("/api/analytics/stream", "get").is_null(),
        "a stream has no end"
    );
    assert!(document["paths"]["/docs"]["get"]["responses"].get("304").is_none(), "a redirection is nothing to keep");
    assert!(document["paths"]["/api/patients/{id}"]["patch"]["responses"].get("304").is_none());
}

#[test]
fn what_the_matrix_does_not_have_or_nobody_tells_is_found() {
    let head = |paths: Value| json!({ "openapi": "3.1.0", "paths": paths });
    let answers = json!({ "get": { "responses": {} } });
    let operations = |names: &[&str]| -> Vec<Operation> {
        let of = |name: &&str| Operation {
            app: "a".to_owned(),
            name: Name::parse(name).unwrap(),
            public: true,
            allowed: Allowed::Whoever(Whoever::Open),
        };
        names.iter().map(of).collect()
    };
    let ask = |paths: Value, known: &[&str]| assemble(head(paths), BTreeMap::new(), &operations(known));
    assert!(ask(json!({ "/a": answers }), &["GET /a"]).is_ok());
    assert!(ask(json!({ "/a": answers }), &[]).is_err());
    assert!(ask(json!({ "/a": answers }), &["GET /a", "GET /b"]).is_err());
    let twice = BTreeMap::from([("b".to_owned(), json!({ "paths": { "/a": answers } }))]);
    assert!(assemble(head(json!({ "/a": answers })), twice, &operations(&["GET /a"])).is_err());
}

#[test]
fn a_method_is_told_where_its_annotation_has_it() {
    let method = "billing.v1.Accounts/GetAccount";
    assert!(is_annotated(method, "GET", "/api/billing/accounts/{patientId}").is_ok());
    for (verb, path) in [("POST", "/api/billing/accounts/{patientId}"), ("GET", "/api/billing/accounts/{id}")] {
        let refused = is_annotated(method, verb, path).unwrap_err().to_string();
        assert!(refused.contains("GET /api/billing/accounts/{patientId}"), "{refused}");
    }
    assert!(is_annotated("billing.v1.Accounts/OpenAccounts", "GET", "/a").is_err());
}
