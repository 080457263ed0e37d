//! A message as JSON: proto JSON, but for enum values, which have [names of their own](super::enums), and 64-bit
//! integers, which are numbers.
//!
//! A field without presence is written, whatever its value; one with presence when it is there.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage as _, SerializeOptions, Value};
use serde_json::{Map, Number, Value as Json};

use super::{
    enums,
    well_known::{self, LARGEST, WellKnown},
};

/// Why a service's answer cannot be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwritable {
    /// Rounding it would be a lie.
    #[error("{0} is too large for a number in JSON")]
    TooLarge(i128),
    /// A message of `google.protobuf` has contents that it may not have.
    #[error(transparent)]
    WellKnown(#[from] serde_json::Error),
    /// What the descriptor has is not what the message has.
    #[error("the message is not what its descriptor says")]
    Mismatch,
}

/// A message.
pub(super) fn message(message: &DynamicMessage) -> Result<Json, Unwritable> {
    match well_known::of(&message.descriptor()) {
        Some(WellKnown::Wrapper(value)) => field(&message.get_field(&value), &value),
        Some(WellKnown::Own(_)) => {
            Ok(message.serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new())?)
        }
        None => {
            let mut object = Map::new();
            for one in message.descriptor().fields() {
                if !one.supports_presence() || message.has_field(&one) {
                    object.insert(one.json_name().to_owned(), field(&message.get_field(&one), &one)?);
                }
            }
            Ok(Json::Object(object))
        }
    }
}

/// The value of a field.
pub(super) fn field(value: &Value, field: &FieldDescriptor) -> Result<Json, Unwritable> {
    match (value, field.kind()) {
        (Value::List(values), kind) => values.iter().map(|value| single(value, &kind)).collect(),
        (Value::Map(values), Kind::Message(entry)) => {
            let kind = entry.map_entry_value_field().kind();
            let mut object = Map::new();
            for (name, value) in values {
                object.insert(key(name), single(value, &kind)?);
            }
            Ok(Json::Object(object))
        }
        (value, kind) => single(value, &kind),
    }
}

fn single(value: &Value, kind: &Kind) -> Result<Json, Unwritable> {
    Ok(match (value, kind) {
        (Value::Bool(value), _) => Json::Bool(*value),
        (Value::I32(value), _) => Json::from(*value),
        (Value::U32(value), _) => Json::from(*value),
        (Value::I64(value), _) => exact(i128::from(*value))?,
        (Value::U64(value), _) => exact(i128::from(*value))?,
        // By way of its text: 0.1 of 32 bits is not to be read as 0.10000000149011612.
        (Value::F32(value), _) => float(value.to_string().parse().unwrap_or(f64::NAN)),
        (Value::F64(value), _) => float(*value),
        (Value::String(value), _) => Json::from(value.as_str()),
        (Value::Bytes(value), _) => Json::from(BASE64_STANDARD.encode(value)),
        // A value that a newer service knows is its number, as in proto JSON.
        (Value::EnumNumber(number), Kind::Enum(values)) => {
            values.get_value(*number).map_or_else(|| Json::from(*number), |value| Json::from(enums::name(&value)))
        }
        (Value::Message(value), _) => message(value)?,
        _ => return Err(Unwritable::Mismatch),
    })
}

fn exact(value: i128) -> Result<Json, Unwritable> {
    i64::try_from(value).ok().filter(|value| value.abs() <= LARGEST).map(Json::from).ok_or(Unwritable::TooLarge(value))
}

fn float(value: f64) -> Json {
    match Number::from_f64(value) {
        Some(number) => Json::Number(number),
        None if value.is_nan() => Json::from("NaN"),
        None if value > 0.0 => Json::from("Infinity"),
        None => Json::from("-Infinity"),
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
    use serde_json::json;

    use super::{super::sample, *};

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
            message(&paint).unwrap(),
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
        for version in ["9007199254740992", "-9007199254740992", "9223372036854775807"] {
            let paint = sample::standard(sample::message("Paint"), json!({ "version": version }));
            assert!(matches!(message(&paint), Err(Unwritable::TooLarge(_))), "{version}");
        }
        let paint = sample::standard(sample::message("Paint"), json!({ "batches": ["18446744073709551615"] }));
        assert!(matches!(message(&paint), Err(Unwritable::TooLarge(_))));
        let paint = sample::standard(sample::message("Paint"), json!({ "stock": "18446744073709551615" }));
        assert!(matches!(message(&paint), Err(Unwritable::TooLarge(_))));
    }

    #[test]
    fn what_json_has_no_number_for_is_a_word() {
        let paint =
            sample::standard(sample::message("Paint"), json!({ "density": "NaN", "gloss": "-Infinity", "colour": 7 }));
        let told = message(&paint).unwrap();
        assert_eq!(
            (&told["density"], &told["gloss"], &told["colour"]),
            (&json!("NaN"), &json!("-Infinity"), &json!(7))
        );
    }
}
