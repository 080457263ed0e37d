//! A message as JSON: proto JSON, but for enum values, which have [names of their own](super::enums), and 64-bit
//! integers, which are numbers.
//!
//! A field without presence is written, whatever its value; one with presence when it is there.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage as _, SerializeOptions, Value};
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap as _},
};

use super::{
    enums,
    well_known::{self, LARGEST, WellKnown},
};

/// A message.
pub(super) fn message(message: &DynamicMessage) -> serde_json::Result<String> {
    serde_json::to_string(&Message(message))
}

/// The value of a field.
pub(super) fn field(value: &Value, field: &FieldDescriptor) -> serde_json::Result<String> {
    serde_json::to_string(&Field(value, field))
}

/// Written as it is read: an answer may have some ten thousand figures, and a tree of them would cost as much again.
struct Message<'a>(&'a DynamicMessage);
struct Field<'a>(&'a Value, &'a FieldDescriptor);
struct Single<'a>(&'a Value, &'a Kind);

impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (message, descriptor) = (self.0, self.0.descriptor());
        match well_known::of(&descriptor) {
            Some(WellKnown::Wrapper(value)) => Field(&message.get_field(&value), &value).serialize(serializer),
            Some(WellKnown::Own(_)) => message.serialize_with_options(serializer, &SerializeOptions::new()),
            None => {
                let mut object = serializer.serialize_map(None)?;
                for one in descriptor.fields() {
                    if !one.supports_presence() || message.has_field(&one) {
                        object.serialize_entry(one.json_name(), &Field(&message.get_field(&one), &one))?;
                    }
                }
                object.end()
            }
        }
    }
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0, self.1.kind()) {
            (Value::List(values), kind) => serializer.collect_seq(values.iter().map(|value| Single(value, &kind))),
            (Value::Map(values), Kind::Message(entry)) => {
                let kind = entry.map_entry_value_field().kind();
                serializer.collect_map(values.iter().map(|(name, value)| (key(name), Single(value, &kind))))
            }
            (value, kind) => Single(value, &kind).serialize(serializer),
        }
    }
}

impl Serialize for Single<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0, self.1) {
            (Value::Bool(value), _) => serializer.serialize_bool(*value),
            (Value::I32(value), _) => serializer.serialize_i32(*value),
            (Value::U32(value), _) => serializer.serialize_u32(*value),
            (Value::I64(value), _) => exact(i128::from(*value), serializer),
            (Value::U64(value), _) => exact(i128::from(*value), serializer),
            // By way of its text: 0.1 of 32 bits is not to be read as 0.10000000149011612.
            (Value::F32(value), _) => float(value.to_string().parse().unwrap_or(f64::NAN), serializer),
            (Value::F64(value), _) => float(*value, serializer),
            (Value::String(value), _) => serializer.serialize_str(value),
            (Value::Bytes(value), _) => serializer.serialize_str(&BASE64_STANDARD.encode(value)),
            // A value that a newer service knows is its number, as in proto JSON.
            (Value::EnumNumber(number), Kind::Enum(values)) => match values.get_value(*number) {
                Some(value) => serializer.serialize_str(&enums::name(&value)),
                None => serializer.serialize_i32(*number),
            },
            (Value::Message(value), _) => Message(value).serialize(serializer),
            _ => Err(S::Error::custom("the message is not what its descriptor says")),
        }
    }
}

/// A number that JSON's readers do not round: rounding it would be a lie.
fn exact<S: Serializer>(value: i128, serializer: S) -> Result<S::Ok, S::Error> {
    match i64::try_from(value) {
        Ok(value) if value.abs() <= LARGEST => serializer.serialize_i64(value),
        _ => Err(S::Error::custom(format_args!("{value} is too large for a number in JSON"))),
    }
}

fn float<S: Serializer>(value: f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        serializer.serialize_f64(value)
    } else if value.is_nan() {
        serializer.serialize_str("NaN")
    } else {
        serializer.serialize_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
    }
}

fn key(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{super::sample, *};

    fn told(message: &DynamicMessage) -> Json {
        serde_json::from_str(&super::message(message).unwrap()).unwrap()
    }

    #[test]
    fn numbers_are_numbers_and_enums_have_short_names() {
        let paint = sample::standard(
            sample::message("Paint"),
            json!({
                "paintId": "p", "version": "9007199254740991", "colour": "PAINT_COLOUR_DARK_RED",
                "mixedTime": "2026-11-25T08:30:00.120Z", "drying": "1.500s", "batches": ["1", "2"],
                "pages": {"-1": {"size": 3}}, "picture": "AAE=", "gloss": 0.1, "notes": {"a": [1.5, null]},
                "stock": "0", "catalogue": {}, "near": ["OTHER_BLUE"],
            }),
        );
        assert_eq!(
            told(&paint),
            json!({
                "paintId": "p", "version": 9_007_199_254_740_991_i64, "colour": "dark-red",
                "mixedTime": "2026-11-25T08:30:00.120Z", "drying": "1.500s", "batches": [1, 2],
                "pages": {"-1": {"size": 3, "token": ""}}, "picture": "AAE=", "density": 0.0, "gloss": 0.1,
                "notes": {"a": [1.5, null]}, "stock": 0, "catalogue": {"size": 0, "token": ""}, "code": 0,
                "poisonous": false, "near": ["other-blue"],
            })
        );
    }

    #[test]
    fn a_number_that_would_be_rounded_is_not_told() {
        let refused = |paint: &DynamicMessage| {
            message(paint).is_err_and(|error| error.to_string().contains("is too large for a number in JSON"))
        };
        for version in ["9007199254740992", "-9007199254740992", "9223372036854775807"] {
            let paint = sample::standard(sample::message("Paint"), json!({ "version": version }));
            assert!(refused(&paint), "{version}");
        }
        let paint = sample::standard(sample::message("Paint"), json!({ "batches": ["18446744073709551615"] }));
        assert!(refused(&paint));
        let paint = sample::standard(sample::message("Paint"), json!({ "stock": "18446744073709551615" }));
        assert!(refused(&paint));
    }

    #[test]
    fn what_json_has_no_number_for_is_a_word() {
        let paint =
            sample::standard(sample::message("Paint"), json!({ "density": "NaN", "gloss": "-Infinity", "colour": 7 }));
        let told = told(&paint);
        assert_eq!(
            (&told["density"], &told["gloss"], &told["colour"]),
            (&json!("NaN"), &json!("-Infinity"), &json!(7))
        );
    }
}
