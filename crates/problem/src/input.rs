//! Reading a JSON body field by field, so that every wrong field is found at once and named.
//!
//! A derived deserialiser stops at the first error and gives a line and a column; a clerk's form needs all of them,
//! each with a pointer.

use serde_json::{Map, Value};

use crate::{FieldError, Kind, Problem};

/// The wrong fields found so far.
#[derive(Debug, Default)]
pub struct Findings(Vec<FieldError>);

impl Findings {
    /// Notes that a field is wrong.
    pub fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.into(), detail: detail.into() });
    }

    /// What was read, if nothing is wrong.
    pub fn into_result<T>(self, read: Option<T>) -> Result<T, Problem> {
        match read {
            Some(read) if self.0.is_empty() => Ok(read),
            _ => Err(Problem::invalid(self.0)),
        }
    }
}

/// A JSON object whose fields are taken one by one; what is left at [`finish`](Self::finish) is unknown.
#[derive(Debug)]
pub struct Object {
    pointer: String,
    fields: Map<String, Value>,
}

/// Reads a body; a body that is no JSON is malformed, one that is no object is invalid.
pub fn body(bytes: &[u8]) -> Result<Object, Problem> {
    let value = serde_json::from_slice(bytes).map_err(|error| {
        // The error's own words can quote the input; its place cannot.
        Problem::new(
            Kind::Malformed,
            format!("The body is not JSON: error at line {}, column {}.", error.line(), error.column()),
        )
    })?;
    object(value)
}

/// Takes a value as the object of a whole body.
pub fn object(value: Value) -> Result<Object, Problem> {
    match value {
        Value::Object(fields) => Ok(Object { pointer: String::new(), fields }),
        _ => Err(Problem::invalid_field("", "must be an object")),
    }
}

/// Refuses text that no field may hold.
pub fn check_text(text: &str, most: usize) -> Result<(), String> {
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    if text.chars().count() > most {
        return Err(format!("must have at most {most} characters"));
    }
    Ok(())
}

impl Object {
    /// The pointer to a field of this object.
    pub fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }

    /// Text without white space around it, of at least one and at most `most` characters.
    pub fn text(&mut self, name: &str, most: usize, findings: &mut Findings) -> Option<String> {
        let pointer = self.pointer(name);
        text(self.fields.remove(name)?, &pointer, most, findings)
    }

    /// Text that has to be there.
    pub fn required_text(&mut self, name: &str, most: usize, findings: &mut Findings) -> Option<String> {
        self.require(name, findings).then(|| self.text(name, most, findings)).flatten()
    }

    /// Text that a rule turns into a value.
    pub fn parsed<T, E: ToString>(
        &mut self,
        name: &str,
        most: usize,
        findings: &mut Findings,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let read = self.text(name, most, findings)?;
        parse(&read).map_err(|error| findings.add(self.pointer(name), error.to_string())).ok()
    }

    /// Text exactly as it was sent, of which the rule alone says what it may hold: a password keeps its blanks.
    pub fn parsed_exactly<T, E: ToString>(
        &mut self,
        name: &str,
        findings: &mut Findings,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let pointer = self.pointer(name);
        let value = self.fields.remove(name)?;
        let Some(read) = value.as_str() else {
            findings.add(pointer, "must be text");
            return None;
        };
        parse(read).map_err(|error| findings.add(pointer, error.to_string())).ok()
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, name: &str, findings: &mut Findings) -> Option<bool> {
        let value = self.fields.remove(name)?;
        if value.is_boolean() {
            return value.as_bool();
        }
        findings.add(self.pointer(name), "must be true or false");
        None
    }

    /// A list of texts.
    pub fn texts(&mut self, name: &str, items: usize, most: usize, findings: &mut Findings) -> Vec<String> {
        let pointer = self.pointer(name);
        self.list(name, items, findings)
            .into_iter()
            .enumerate()
            .filter_map(|(index, item)| text(item, &format!("{pointer}/{index}"), most, findings))
            .collect()
    }

    /// A list of objects.
    pub fn objects(&mut self, name: &str, items: usize, findings: &mut Findings) -> Vec<Self> {
        let list = self.pointer(name);
        let read = self.list(name, items, findings);
        let mut objects = Vec::with_capacity(read.len());
        for (index, item) in read.into_iter().enumerate() {
            let pointer = format!("{list}/{index}");
            match item {
                Value::Object(fields) => objects.push(Self { pointer, fields }),
                _ => findings.add(pointer, "must be an object"),
            }
        }
        objects
    }

    /// An object in this one.
    pub fn nested(&mut self, name: &str, findings: &mut Findings) -> Option<Self> {
        let pointer = self.pointer(name);
        let Value::Object(fields) = self.fields.remove(name)? else {
            findings.add(pointer, "must be an object");
            return None;
        };
        Some(Self { pointer, fields })
    }

    /// Whatever stands there, for a rule that is none of these.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name)
    }

    /// Whether a field is there.
    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Notes an absent field; answers whether it is there.
    pub fn require(&self, name: &str, findings: &mut Findings) -> bool {
        let there = self.has(name);
        if !there {
            findings.add(self.pointer(name), "is required");
        }
        there
    }

    /// Notes every field that nothing has read.
    pub fn finish(self, findings: &mut Findings) {
        for name in self.fields.keys() {
            findings.add(self.pointer(name), "is not a field of this object");
        }
    }

    fn list(&mut self, name: &str, most: usize, findings: &mut Findings) -> Vec<Value> {
        match self.fields.remove(name) {
            None => Vec::new(),
            Some(Value::Array(items)) if (1..=most).contains(&items.len()) => items,
            Some(Value::Array(_)) => {
                findings.add(self.pointer(name), format!("must have 1 to {most} items, or be left out"));
                Vec::new()
            }
            Some(_) => {
                findings.add(self.pointer(name), "must be a list");
                Vec::new()
            }
        }
    }
}

fn text(value: Value, pointer: &str, most: usize, findings: &mut Findings) -> Option<String> {
    let Value::String(read) = value else {
        findings.add(pointer, "must be text");
        return None;
    };
    let read = read.trim();
    match check_text(read, most) {
        Ok(()) => Some(read.to_owned()),
        Err(detail) => {
            findings.add(pointer, detail);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named() {
        let mut findings = Findings::default();
        let mut read =
            body(br#"{"family":5,"given":["Ada","","a\u0000b"],"name":[{"a/b":1},2],"text":"  x ","more":1}"#).unwrap();
        assert_eq!(read.text("family", 10, &mut findings), None);
        assert_eq!(read.texts("given", 5, 10, &mut findings), ["Ada"]);
        for name in read.objects("name", 5, &mut findings) {
            name.finish(&mut findings);
        }
        assert_eq!(read.text("text", 10, &mut findings).as_deref(), Some("x"));
        assert_eq!(read.required_text("absent", 10, &mut findings), None);
        read.finish(&mut findings);

        let problem = findings.into_result(Some(())).unwrap_err();
        let found: Vec<_> = problem.errors.iter().map(|e| (e.pointer.as_str(), e.detail.as_str())).collect();
        assert_eq!(
            found,
            [
                ("/family", "must be text"),
                ("/given/1", "must not be empty"),
                ("/given/2", "must not contain control characters"),
                ("/name/1", "must be an object"),
                ("/name/0/a~1b", "is not a field of this object"),
                ("/absent", "is required"),
                ("/more", "is not a field of this object"),
            ]
        );
    }

    #[test]
    fn an_object_in_an_object_has_its_own_pointers() {
        let mut findings = Findings::default();
        let mut read = body(br#"{"a":{"b":5,"c":[1]},"d":[]}"#).unwrap();
        let mut nested = read.nested("a", &mut findings).unwrap();
        assert!(nested.has("c") && !nested.has("a"));
        assert_eq!(nested.take("c"), Some(serde_json::json!([1])));
        nested.finish(&mut findings);
        assert!(read.nested("d", &mut findings).is_none() && read.nested("e", &mut findings).is_none());
        let problem = findings.into_result(Some(())).unwrap_err();
        let found: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(found, ["/a/b", "/d"]);
    }

    #[test]
    fn what_is_no_json_is_malformed_and_not_quoted() {
        let problem = body(br#"{"family": Okafor}"#).unwrap_err();
        assert_eq!(problem.kind, Kind::Malformed);
        assert!(!problem.detail.contains("Okafor"), "{}", problem.detail);
        assert_eq!(body(b"[]").unwrap_err().kind, Kind::Invalid);
    }
}
