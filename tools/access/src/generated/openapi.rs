//! `docs/api/openapi.json`: the parts that stand beside each service, put together and held against the matrix of roles.

use std::{collections::BTreeMap, path::Path};

use access::{
    Allowed, Name,
    matrix::{self, Operation, Whoever},
};
use anyhow::{Context as _, Result, bail, ensure};
use contracts::rest;
use serde_json::{Map, Value, json};

use super::{names, read};

/// Where the document stands.
pub(super) const PATH: &str = "docs/api/openapi.json";

/// The part with the head of the document.
const HEAD: &str = "gateway";

/// What may stand in a path beside operations.
const BESIDE_OPERATIONS: [&str; 4] = ["parameters", "summary", "description", "servers"];

/// The document of the repository at `root`; none when no part is there.
pub(super) fn document(root: &Path) -> Result<Option<String>> {
    let mut parts = BTreeMap::new();
    for app in names(&root.join("services"))? {
        let path = format!("services/{app}/openapi.yaml");
        if root.join(&path).exists() {
            let part: serde_yaml_ng::Value =
                serde_yaml_ng::from_str(&read(root, &path)?).with_context(|| path.clone())?;
            parts.insert(app, json_of(part).with_context(|| path)?);
        }
    }
    let Some(head) = parts.remove(HEAD) else { return Ok(None) };
    let document = assemble(head, parts, matrix::operations()?)?;
    Ok(Some(serde_json::to_string_pretty(&document)? + "\n"))
}

/// YAML's merges (`<<`) are resolved; keys are text.
fn json_of(mut part: serde_yaml_ng::Value) -> Result<Value> {
    part.apply_merge()?;
    Ok(serde_json::to_value(part)?)
}

fn assemble(mut document: Value, parts: BTreeMap<String, Value>, operations: &[Operation]) -> Result<Value> {
    mark(&mut document, HEAD)?;
    for (app, mut part) in parts {
        mark(&mut part, &app)?;
        join(&mut document, part).with_context(|| format!("services/{app}/openapi.yaml"))?;
    }
    let public: Vec<_> = operations.iter().filter(|operation| operation.public).collect();
    let mut told = Vec::new();
    let paths = document["paths"].as_object_mut().context("no paths")?;
    for (path, item) in paths {
        let item = item.as_object_mut().with_context(|| format!("{path} is no object"))?;
        for (verb, operation) in item.iter_mut().filter(|(name, _)| !BESIDE_OPERATIONS.contains(&name.as_str())) {
            let operation = operation.as_object_mut().with_context(|| format!("{verb} {path} is no object"))?;
            let name = match operation.get("x-grpc-method").and_then(Value::as_str) {
                Some(method) => {
                    is_annotated(method, &verb.to_uppercase(), path)?;
                    Name::Grpc(method.to_owned())
                }
                None => Name::parse(&format!("{} {path}", verb.to_uppercase()))?,
            };
            let known = public.iter().find(|operation| operation.name == name);
            let Some(known) = known else { bail!("roles.yaml has no public operation {name}") };
            rule(operation, verb, &known.allowed)?;
            if verb == "get" {
                can_be_known(operation)?;
            }
            told.push(name);
        }
    }
    for operation in public {
        ensure!(told.contains(&operation.name), "no openapi.yaml has {}", operation.name);
    }
    Ok(document)
}

/// Whether a method's annotation in `proto/` has this route; where it takes the rest of a path, it says so by a star.
fn is_annotated(method: &str, verb: &str, path: &str) -> Result<()> {
    let bindings = rest::method(method)?.bindings;
    let is_told = bindings.iter().any(|binding| binding.verb == verb && binding.path.replace("{*", "{") == path);
    let routes: Vec<_> = bindings.iter().map(rest::Binding::route).collect();
    ensure!(is_told, "{verb} {path} is no route of {method}, which proto/ has at {}", routes.join(", "));
    Ok(())
}

/// Each operation bears the tag of its app.
fn mark(part: &mut Value, app: &str) -> Result<()> {
    for item in part["paths"].as_object_mut().context("no paths")?.values_mut() {
        let item = item.as_object_mut().context("a path is no object")?;
        for (_, operation) in item.iter_mut().filter(|(name, _)| !BESIDE_OPERATIONS.contains(&name.as_str())) {
            operation["tags"] = json!([app]);
        }
    }
    Ok(())
}

/// Adds what another document has; nothing is said twice.
fn join(document: &mut Value, part: Value) -> Result<()> {
    let Value::Object(part) = part else { bail!("no object") };
    for (name, value) in part {
        match (document.get_mut(&name), value) {
            (None, value) => document[&name] = value,
            (Some(there), Value::Object(more)) if there.is_object() => {
                join(there, Value::Object(more)).with_context(|| name)?;
            }
            (Some(_), _) => bail!("{name} is there twice"),
        }
    }
    Ok(())
}

/// What the matrix says of an operation, and what every operation can answer.
fn rule(operation: &mut Map<String, Value>, verb: &str, allowed: &Allowed) -> Result<()> {
    let who = match allowed {
        Allowed::Whoever(Whoever::Open) => json!("everyone"),
        Allowed::Whoever(Whoever::Cookie) => json!("whoever has the cookie of a browser's session"),
        Allowed::Whoever(Whoever::SignedIn) => json!("whoever is signed in"),
        Allowed::Whoever(Whoever::Enrolling) => json!("whoever is signed in, also before a second factor is set up"),
        Allowed::Roles(roles) => json!(roles),
    };
    operation.insert("x-roles".to_owned(), who);
    // A page shows its token, too, where something is changed.
    let session = if verb == "get" { json!({ "session": [] }) } else { json!({ "session": [], "csrf": [] }) };
    let security = match allowed {
        Allowed::Whoever(Whoever::Open) => json!([]),
        Allowed::Whoever(Whoever::Cookie) => json!([session]),
        _ => json!([{ "bearer": [] }, session]),
    };
    operation.insert("security".to_owned(), security);
    let has_body = operation.contains_key("requestBody");
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut).context("no responses")?;
    let mut can_answer = vec![
        ("414", "UriTooLong"),
        ("429", "TooMany"),
        ("431", "HeadersTooLarge"),
        ("503", "Unavailable"),
        ("504", "TimedOut"),
    ];
    if *allowed != Allowed::Whoever(Whoever::Open) {
        can_answer.extend([("401", "Unauthenticated"), ("403", "Forbidden")]);
    }
    if has_body {
        can_answer.extend([("400", "Malformed"), ("408", "TooSlow"), ("413", "TooLarge")]);
    }
    for (status, response) in can_answer {
        let reference = json!({ "$ref": format!("#/components/responses/{response}") });
        responses.entry(status).or_insert(reference);
    }
    Ok(())
}

/// Whatever is read has a tag, its version or one that is made of the answer, and is not sent to who has it; but a stream has
/// no end that a tag could be made at.
fn can_be_known(operation: &mut Map<String, Value>) -> Result<()> {
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut).context("no responses")?;
    let Some(success) = responses.get_mut("200").and_then(Value::as_object_mut) else { return Ok(()) };
    if success.get("content").is_some_and(|content| content.get("text/event-stream").is_some()) {
        return Ok(());
    }
    let headers = success.entry("headers").or_insert_with(|| json!({}));
    let headers = headers.as_object_mut().context("the headers are no object")?;
    headers.entry("ETag").or_insert_with(|| json!({ "$ref": "#/components/headers/AnswersETag" }));
    responses.insert("304".to_owned(), json!({ "$ref": "#/components/responses/NotModified" }));
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    let parameters = parameters.as_array_mut().context("the parameters are no list")?;
    let known = json!({ "$ref": "#/components/parameters/IfNoneMatch" });
    if !parameters.contains(&known) {
        parameters.push(known);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
