//! JSON whose decimal numbers keep their digits.
//!
//! A number in memory is a float, to which 72.50 is 72.5. So a number that is no whole one stands as text that begins
//! with [`Decimal::MARK`], from when it is read to when it is written.

use std::collections::BTreeMap;

use problem::{
    Problem,
    input::{self},
};
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap as _, SerializeSeq as _},
};
use serde_json::{Map, Value, value::RawValue};

use crate::domain::quantity::Decimal;

/// No record is deeper.
const DEEPEST: usize = 32;

/// Reads a body, or what is stored.
pub fn read(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    // The reader's words for what is no JSON, or no object.
    input::body(bytes)?;
    let raw: &RawValue = serde_json::from_slice(bytes).map_err(Problem::internal)?;
    match value(raw, DEEPEST)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(Problem::invalid_field("", "must be an object")),
    }
}

fn value(raw: &RawValue, deeper: usize) -> Result<Value, Problem> {
    let text = raw.get();
    let Some(next) = deeper.checked_sub(1) else { return Err(Problem::invalid_field("", "is nested too deeply")) };
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(Problem::internal)?;
            let fields = fields.into_iter().map(|(name, field)| Ok((name, value(field, next)?)));
            Value::Object(fields.collect::<Result<_, Problem>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(Problem::internal)?;
            Value::Array(items.into_iter().map(|item| value(item, next)).collect::<Result<_, _>>()?)
        }
        Some(b'-' | b'0'..=b'9') if text.parse::<i64>().is_err() => format!("{}{text}", Decimal::MARK).into(),
        _ => match serde_json::from_str(text).map_err(Problem::internal)? {
            Value::String(text) if text.starts_with(Decimal::MARK) => {
                return Err(Problem::invalid_field("", "must not contain control characters"));
            }
            plain => plain,
        },
    })
}

/// Writes what was read, or what was made of a record.
pub fn write(fields: &Map<String, Value>) -> Result<Box<RawValue>, serde_json::Error> {
    serde_json::value::to_raw_value(&Fields(fields))
}

/// A record as JSON, absent left out as FHIR wants it.
pub fn fields(record: &impl Serialize) -> Result<Map<String, Value>, serde_json::Error> {
    match pruned(serde_json::to_value(record)?) {
        Some(Value::Object(fields)) => Ok(fields),
        _ => Ok(Map::new()),
    }
}

fn pruned(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(items) => {
            let items: Vec<_> = items.into_iter().filter_map(pruned).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(fields) => {
            let fields: Map<_, _> =
                fields.into_iter().filter_map(|(name, field)| Some((name, pruned(field)?))).collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        plain => Some(plain),
    }
}

struct Fields<'a>(&'a Map<String, Value>);
struct Exact<'a>(&'a Value);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, &Exact(value))?;
        }
        map.end()
    }
}

impl Serialize for Exact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(fields) => Fields(fields).serialize(serializer),
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Exact(item))?;
                }
                list.end()
            }
            Value::String(text) => match text.strip_prefix(Decimal::MARK) {
                Some(number) => {
                    RawValue::from_string(number.to_owned()).map_err(S::Error::custom)?.serialize(serializer)
                }
                None => serializer.serialize_str(text),
            },
            plain => plain.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_comes_back() {
        let text = r#"{"a":72.50,"b":[1,-0.10,1e3,123456789012345678901],"c":{"d":"1.50","e":null,"f":true}}"#;
        let read = read(text.as_bytes()).unwrap();
        assert_eq!(write(&read).unwrap().get(), text);
        assert_eq!((&read["b"][0], &read["c"]["d"]), (&1.into(), &"1.50".into()), "text and whole numbers stay");
    }

    #[test]
    fn no_text_can_pass_for_a_number() {
        let refused = read(br#"{"a":["\u00011.5"]}"#).unwrap_err();
        assert_eq!(refused.kind, problem::Kind::Invalid);
    }

    #[test]
    fn what_is_nested_without_end_is_refused() {
        let deep = |depth| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(deep(DEEPEST - 2).as_bytes()).is_ok());
        assert!(read(deep(DEEPEST).as_bytes()).is_err());
        assert!(read(deep(100_000).as_bytes()).is_err());
        assert_eq!(read(b"{\"a\":").unwrap_err().kind, problem::Kind::Malformed);
    }

    #[test]
    fn absent_is_left_out() {
        let record = serde_json::json!({ "a": null, "b": [], "c": [{ "d": null }], "e": 1, "f": false });
        assert_eq!(Value::Object(fields(&record).unwrap()), serde_json::json!({ "e": 1, "f": false }));
    }
}
