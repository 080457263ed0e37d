//! JSON as a message, by the rules of [`write`](super::write), every wrong field found at once.

use std::collections::{BTreeSet, HashMap};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use problem::input::Findings;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use serde_json::{Map, Value as Json};

use super::{
    enums,
    well_known::{self, LARGEST, WellKnown},
};

/// Proto JSON takes both alphabets, with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads an object into a message; what is in `taken` comes from elsewhere and is no field of the object.
pub(super) fn object(
    message: &mut DynamicMessage,
    descriptor: &MessageDescriptor,
    object: Map<String, Json>,
    taken: &[FieldDescriptor],
    pointer: &str,
    findings: &mut Findings,
) {
    let mut seen = BTreeSet::new();
    for (name, json) in object {
        let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        let Some(field) = by_name(descriptor, &name).filter(|field| !taken.contains(field)) else {
            findings.add(pointer, "is not a field of this object");
            continue;
        };
        if !seen.insert(field.number()) {
            findings.add(pointer, "is given by its other name, too");
        } else if rival(message, &field) {
            findings.add(pointer, "excludes another field that is given");
        } else if let Some(value) = self::field(&field, json, &pointer, findings) {
            message.set_field(&field, value);
        }
    }
}

/// A field by its name in JSON, or by that in the proto file.
pub(super) fn by_name(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))
}

/// Whether another field of the same `oneof` is set.
pub(super) fn rival(message: &DynamicMessage, field: &FieldDescriptor) -> bool {
    let fields = field.containing_oneof().into_iter().flat_map(|oneof| oneof.fields().collect::<Vec<_>>());
    fields.into_iter().any(|other| other != *field && message.has_field(&other))
}

/// The value of a field; none when it is not given (`null`) or wrong.
pub(super) fn field(field: &FieldDescriptor, json: Json, pointer: &str, findings: &mut Findings) -> Option<Value> {
    let kind = field.kind();
    if json.is_null() && kind.as_message().is_none_or(|message| message.full_name() != "google.protobuf.Value") {
        return None;
    }
    if field.is_map() {
        return map(kind.as_message()?, json, pointer, findings);
    }
    if !field.is_list() {
        return single(&kind, json, pointer, findings);
    }
    let Json::Array(items) = json else {
        findings.add(pointer, "must be a list");
        return None;
    };
    let items = items.into_iter().enumerate();
    let values = items.filter_map(|(at, item)| single(&kind, item, &format!("{pointer}/{at}"), findings));
    Some(Value::List(values.collect()))
}

fn map(entry: &MessageDescriptor, json: Json, pointer: &str, findings: &mut Findings) -> Option<Value> {
    let Json::Object(object) = json else {
        findings.add(pointer, "must be an object");
        return None;
    };
    let (keys, values) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
    let mut map: HashMap<MapKey, Value> = HashMap::new();
    for (name, json) in object {
        let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        let key = match text(&keys, &name) {
            Ok(key) => key.into_map_key(),
            Err(detail) => {
                findings.add(pointer.as_str(), format!("its name {detail}"));
                continue;
            }
        };
        if let (Some(key), Some(value)) = (key, single(&values, json, &pointer, findings)) {
            map.insert(key, value);
        }
    }
    Some(Value::Map(map))
}

fn single(kind: &Kind, json: Json, pointer: &str, findings: &mut Findings) -> Option<Value> {
    let value = match (kind, json) {
        (Kind::Message(message), json) => match (well_known::of(message), json) {
            (None, Json::Object(fields)) => {
                let mut read = DynamicMessage::new(message.clone());
                object(&mut read, message, fields, &[], pointer, findings);
                return Some(Value::Message(read));
            }
            (None, _) => Err("must be an object".to_owned()),
            (Some(known), json) => known_message(message, &known, json),
        },
        (kind, json) => scalar(kind, &json),
    };
    value.map_err(|detail| findings.add(pointer, detail)).ok()
}

/// A value of one text, as paths and queries have it.
pub(super) fn text(kind: &Kind, text: &str) -> Result<Value, String> {
    let wrapped = kind.as_message().and_then(well_known::of);
    let inner = if let Some(WellKnown::Wrapper(value)) = &wrapped { value.kind() } else { kind.clone() };
    let as_text = || Json::from(text);
    let json = match &inner {
        Kind::Bool => text.parse().map_or_else(|_| as_text(), Json::Bool),
        Kind::Double | Kind::Float => {
            text.parse::<f64>().ok().filter(|value| value.is_finite()).map_or_else(as_text, Json::from)
        }
        Kind::String | Kind::Bytes | Kind::Enum(_) | Kind::Message(_) => as_text(),
        _ => text.parse::<i64>().map_or_else(|_| as_text(), Json::from),
    };
    match (kind, &wrapped) {
        (Kind::Message(message), Some(known)) => known_message(message, known, json),
        (Kind::Message(_), None) => Err("must be an object".to_owned()),
        _ => scalar(kind, &json),
    }
}

fn known_message(message: &MessageDescriptor, known: &WellKnown, json: Json) -> Result<Value, String> {
    match known {
        WellKnown::Wrapper(field) => {
            let mut wrapper = DynamicMessage::new(message.clone());
            wrapper.set_field(field, scalar(&field.kind(), &json)?);
            Ok(Value::Message(wrapper))
        }
        WellKnown::Own(words) => {
            DynamicMessage::deserialize(message.clone(), json).map(Value::Message).map_err(|_| (*words).to_owned())
        }
    }
}

fn scalar(kind: &Kind, json: &Json) -> Result<Value, String> {
    Ok(match kind {
        Kind::Bool => Value::Bool(json.as_bool().ok_or("must be true or false")?),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(whole(json, i32::MIN.into(), i32::MAX.into())?),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(whole(json, 0, u32::MAX.into())?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(whole(json, -LARGEST, LARGEST)?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(whole(json, 0, LARGEST)?),
        Kind::Double => Value::F64(float(json)?),
        Kind::Float => Value::F32(narrow(float(json)?)?),
        Kind::String => Value::String(json.as_str().ok_or("must be text")?.to_owned()),
        Kind::Bytes => {
            let text = json.as_str().map(|text| text.replace('-', "+").replace('_', "/"));
            let bytes = text.and_then(|text| BASE64.decode(text).ok()).ok_or("must be bytes in base64")?;
            Value::Bytes(bytes.into())
        }
        Kind::Enum(values) => {
            let number = json.as_str().and_then(|text| enums::number(values, text));
            Value::EnumNumber(number.ok_or_else(|| format!("must be one of {}", enums::names(values)))?)
        }
        Kind::Message(_) => return Err("must be an object".to_owned()),
    })
}

fn whole<T: TryFrom<i64>>(json: &Json, least: i64, most: i64) -> Result<T, String> {
    let value = json.as_i64().filter(|value| (least..=most).contains(value)).and_then(|value| T::try_from(value).ok());
    value.ok_or_else(|| format!("must be a whole number from {least} to {most}"))
}

fn float(json: &Json) -> Result<f64, String> {
    match json.as_str() {
        Some("NaN") => Ok(f64::NAN),
        Some("Infinity") => Ok(f64::INFINITY),
        Some("-Infinity") => Ok(f64::NEG_INFINITY),
        _ => json.as_f64().ok_or_else(|| "must be a number".to_owned()),
    }
}

/// The nearest of 32 bits, if there is one.
fn narrow(value: f64) -> Result<f32, String> {
    let narrow: f32 = value.to_string().parse().map_err(|_| "must be a number")?;
    if narrow.is_infinite() && value.is_finite() { Err("is too large".to_owned()) } else { Ok(narrow) }
}

#[cfg(test)]
mod tests;
