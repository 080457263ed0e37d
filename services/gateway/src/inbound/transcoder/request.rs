//! The request message of an HTTP request.

use contracts::rest::{Binding, Body, Method, json_path};
use problem::{FieldError, Kind as Problems, Problem, input::Findings};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};
use serde_json::Value as Json;

use super::{read, well_known};

/// What `If-Match` becomes.
const EXPECTED_VERSION: &str = "expected_version";
/// What `Last-Event-ID` becomes.
const LAST_EVENT_ID: &str = "last_event_id";

/// The parts of an HTTP request that have to do with its message.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts<'a> {
    /// What the router found for the variables of the path, decoded.
    pub(super) path: Vec<&'a str>,
    /// The query, decoded.
    pub(super) query: Vec<(String, String)>,
    /// The body; empty when there is none.
    pub(super) body: &'a [u8],
    /// The header `If-Match`.
    pub(super) if_match: Option<&'a str>,
    /// The header `Last-Event-ID`.
    pub(super) last_event_id: Option<&'a str>,
}

/// The message, or every wrong part.
pub(super) fn message(method: &Method, binding: &Binding, parts: &Parts<'_>) -> Result<DynamicMessage, Problem> {
    let descriptor = method.descriptor.input();
    let mut message = DynamicMessage::new(descriptor.clone());
    let mut findings = Findings::default();

    let expected = descriptor.get_field_by_name(EXPECTED_VERSION);
    let mut taken: Vec<_> = binding.variables.iter().filter(|fields| fields.len() == 1).flatten().cloned().collect();
    taken.extend(expected.clone());
    let last_event = descriptor.get_field_by_name(LAST_EVENT_ID);
    taken.extend(last_event.clone());
    match &binding.body {
        Body::None if parts.body.is_empty() => {}
        Body::None => findings.add("", "has no place here: this request has no body"),
        Body::Whole => match json(parts.body)? {
            Json::Object(fields) => read::object(&mut message, &descriptor, fields, &taken, "", &mut findings),
            _ => findings.add("", "must be an object"),
        },
        Body::Field(field) => {
            if let Some(value) = read::field(field, json(parts.body)?, "", &mut findings) {
                message.set_field(field, value);
            }
            taken.push(field.clone());
        }
    }
    query(&mut message, binding, &parts.query, &taken, &mut findings);
    path(&mut message, binding, &parts.path, &mut findings)?;
    if let Some(field) = expected {
        message.set_field(&field, expected_version(&field.kind(), parts.if_match)?);
    }
    if let Some((field, id)) = last_event.zip(parts.last_event_id) {
        message.set_field(&field, Value::String(id.to_owned()));
    }
    findings.into_result(Some(message))
}

fn json(body: &[u8]) -> Result<Json, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        // The error's own words can quote the input; its place cannot.
        let (line, column) = (error.line(), error.column());
        Problem::new(Problems::Malformed, format!("The body is not JSON: error at line {line}, column {column}."))
    })
}

/// After the body, since what is in the path is what was asked for.
fn path(
    message: &mut DynamicMessage,
    binding: &Binding,
    found: &[&str],
    findings: &mut Findings,
) -> Result<(), Problem> {
    let values = binding.template.values(found.iter().copied());
    let values = values.ok_or_else(|| Problem::internal("the router and the template do not agree"))?;
    for (fields, text) in binding.variables.iter().zip(values) {
        let Some((last, above)) = fields.split_last() else { continue };
        match read::text(&last.kind(), &text) {
            Ok(value) => within(message, above).set_field(last, value),
            Err(detail) => findings.add(json_path(fields), detail),
        }
    }
    Ok(())
}

/// The message at the end of a path of messages.
fn within<'a>(message: &'a mut DynamicMessage, path: &[FieldDescriptor]) -> &'a mut DynamicMessage {
    let Some((first, rest)) = path.split_first() else { return message };
    // The descriptors were followed from message to message.
    if !message.has_field(first) {
        message.set_field(first, Value::default_value_for_field(first));
    }
    match message.get_field_mut(first) {
        Value::Message(inner) => within(inner, rest),
        other => unreachable!("{} is no message but {other}", first.full_name()),
    }
}

fn query(
    message: &mut DynamicMessage,
    binding: &Binding,
    query: &[(String, String)],
    taken: &[FieldDescriptor],
    findings: &mut Findings,
) {
    let mut given: Vec<Vec<FieldDescriptor>> = Vec::new();
    for (name, text) in query {
        let fields = parameter(message, name).filter(|fields| {
            let from_path = binding.variables.contains(fields);
            binding.body != Body::Whole && !from_path && !fields.first().is_some_and(|first| taken.contains(first))
        });
        let Some((last, above)) = fields.as_deref().and_then(<[_]>::split_last) else {
            findings.add(name, "is not a parameter of this request");
            continue;
        };
        let value = match read::text(&last.kind(), text) {
            Ok(value) => value,
            Err(detail) => {
                findings.add(name, detail);
                continue;
            }
        };
        let holder = within(message, above);
        if last.is_list() {
            if let Value::List(values) = holder.get_field_mut(last) {
                values.push(value);
            }
        } else if read::rival(holder, last) {
            findings.add(name, "excludes another parameter that is given");
        } else if fields.as_ref().is_some_and(|fields| given.contains(fields)) {
            findings.add(name, "is given more than once");
        } else {
            holder.set_field(last, value);
        }
        given.extend(fields);
    }
}

/// The fields that a name such as `page.size` means, if a text can be the value of the last.
fn parameter(message: &DynamicMessage, name: &str) -> Option<Vec<FieldDescriptor>> {
    let mut inner = Some(prost_reflect::ReflectMessage::descriptor(message));
    let mut fields: Vec<FieldDescriptor> = Vec::new();
    for part in name.split('.') {
        if fields.last().is_some_and(FieldDescriptor::is_list) {
            return None;
        }
        let field = read::by_name(&inner?, part).filter(|field| !field.is_map())?;
        inner = field.kind().as_message().filter(|message| well_known::of(message).is_none()).cloned();
        fields.push(field);
    }
    fields.last().is_some_and(|last| well_known::is_one_text(&last.kind())).then_some(fields)
}

/// RFC 9110, section 13.1.1. A weak or unknown tag matches nothing.
fn expected_version(kind: &Kind, if_match: Option<&str>) -> Result<Value, Problem> {
    let Some(tag) = if_match else {
        return Err(Problem::new(
            Problems::PreconditionRequired,
            "Send If-Match with the ETag of the version that you have seen.",
        ));
    };
    let version = tag.trim().strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let version = version.and_then(|version| read::text(kind, version).ok());
    version.ok_or_else(|| Problem::new(Problems::PreconditionFailed, "The If-Match is not an ETag of this thing."))
}

/// What a service calls a field, `paint.near[1]`, in the words of who has sent it: a pointer into the body, or the name
/// of a parameter.
pub(super) fn told(binding: &Binding, error: FieldError) -> FieldError {
    // A header has its name from nowhere else, and no field has a hyphen.
    if error.pointer.is_empty() || error.pointer.starts_with('/') || error.pointer.contains('-') {
        return error;
    }
    let mut message = None;
    let mut names: Vec<String> = Vec::new();
    let steps = error.pointer.replace('[', ".").replace(']', "");
    for (at, step) in steps.split('.').enumerate() {
        let descriptor = if at == 0 { Some(binding.input.clone()) } else { message.take() };
        let field = descriptor.as_ref().and_then(|descriptor| read::by_name(descriptor, step));
        names.push(field.as_ref().map_or_else(|| step.to_owned(), |field| field.json_name().to_owned()));
        // An index keeps the message that its list is of.
        message = field.map_or(descriptor, |field| field.kind().as_message().cloned());
    }
    let dotted = names.join(".");
    let in_path = binding.variables.iter().any(|fields| json_path(fields) == dotted);
    let pointer = match &binding.body {
        _ if in_path => dotted,
        Body::Whole => format!("/{}", names.join("/")),
        Body::Field(field) if names[0] == field.json_name() => {
            names[1..].iter().fold(String::new(), |pointer, name| pointer + "/" + name)
        }
        _ => dotted,
    };
    FieldError { pointer, ..error }
}

#[cfg(test)]
mod tests;
