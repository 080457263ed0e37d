//! A message as JSON: proto JSON, but for enum values, which have [names of their own](super::enums), and 64-bit
//! integers, which are numbers.
//!
//! A field without presence is written, whatever its value; one with presence when it is there.
//! It is written as it is read: neither a message nor a tree of JSON is made of it first.

use std::{borrow::Cow, collections::BTreeMap, sync::OnceLock};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, SerializeOptions};
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap as _, SerializeSeq as _},
};

use super::{
    enums,
    well_known::{self, LARGEST, WellKnown},
    wire::{self, Encoded, Malformed, Scalar},
};

/// How messages of a type are written.
#[derive(Debug)]
pub(super) struct Shape {
    descriptor: MessageDescriptor,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Fields(Vec<Form>),
    Wrapper(Box<Form>),
    Time,
    Own,
}

/// How a field is written.
#[derive(Debug)]
struct Form {
    field: FieldDescriptor,
    kind: Kind,
    /// The others of its oneof, of which only the last that came counts.
    rivals: Vec<u32>,
    /// Of its message, found when one comes: types may have themselves in them.
    shape: OnceLock<Option<Box<Shape>>>,
}

impl Shape {
    pub(super) fn of(message: &MessageDescriptor) -> Self {
        let way = match well_known::of(message) {
            Some(WellKnown::Wrapper(value)) => Way::Wrapper(Box::new(Form::of(value))),
            Some(WellKnown::Own(_)) if message.name() == "Timestamp" => Way::Time,
            Some(WellKnown::Own(_)) => Way::Own,
            None => Way::Fields(message.fields().map(Form::of).collect()),
        };
        Self { descriptor: message.clone(), way }
    }
}

impl Form {
    fn of(field: FieldDescriptor) -> Self {
        let oneof = field.containing_oneof();
        let others = oneof.iter().flat_map(prost_reflect::OneofDescriptor::fields);
        let rivals = others.map(|other| other.number()).filter(|number| *number != field.number()).collect();
        Self { kind: field.kind(), rivals, field, shape: OnceLock::new() }
    }

    fn shape(&self) -> Option<&Shape> {
        self.shape.get_or_init(|| self.kind.as_message().map(|message| Box::new(Shape::of(message)))).as_deref()
    }

    /// What came of it; none when it is not there.
    fn told<'f, 'a>(&self, fields: &'f [Encoded<'a>]) -> Option<&'f [Encoded<'a>]> {
        let encoded = wire::numbered(fields, self.field.number());
        let place = encoded.last().map(|last| last.place);
        let outdone = |rival: &u32| wire::numbered(fields, *rival).last().map(|last| last.place) > place;
        let there = place.is_some() && !self.rivals.iter().any(outdone);
        (there || !self.field.supports_presence()).then_some(encoded)
    }

    /// None of a message.
    fn scalar<'a>(&self, encoded: Option<&Encoded<'a>>) -> Result<Option<Scalar<'a>>, Malformed> {
        encoded.map_or_else(|| Ok(Scalar::nothing(&self.kind)), |encoded| encoded.scalar(&self.kind))
    }
}

/// An encoded message.
#[derive(Clone, Debug)]
pub(super) struct Message<'a> {
    shape: &'a Shape,
    wire: Cow<'a, [u8]>,
}

impl<'a> Message<'a> {
    pub(super) fn new(shape: &'a Shape, wire: &'a [u8]) -> Self {
        Self { shape, wire: Cow::Borrowed(wire) }
    }

    pub(super) fn descriptor(&self) -> &MessageDescriptor {
        &self.shape.descriptor
    }

    /// All of it as JSON; names take about as much again as what they name.
    pub(super) fn json(&self) -> serde_json::Result<String> {
        let mut json = Vec::with_capacity(2 * self.wire.len());
        serde_json::to_writer(&mut json, self)?;
        String::from_utf8(json).map_err(serde_json::Error::custom)
    }

    /// A field as JSON; none when it is not there.
    pub(super) fn field(&self, number: u32) -> serde_json::Result<Option<String>> {
        self.find(number, |form, encoded| serde_json::to_string(&Field(form, encoded)))
    }

    /// A field that is a message; none when it is not there.
    pub(super) fn message(&self, number: u32) -> serde_json::Result<Option<Message<'_>>> {
        let found = self.find(number, |form, encoded| {
            let wire = together(encoded).map_err(serde_json::Error::custom)?;
            Ok(form.shape().map(|shape| Message { shape, wire }))
        });
        found.map(Option::flatten)
    }

    fn find<'m, T>(
        &'m self,
        number: u32,
        found: impl FnOnce(&'m Form, &[Encoded<'m>]) -> serde_json::Result<T>,
    ) -> serde_json::Result<Option<T>> {
        let Way::Fields(forms) = &self.shape.way else { return Ok(None) };
        let Some(form) = forms.iter().find(|form| form.field.number() == number) else { return Ok(None) };
        let fields = wire::fields(&self.wire).map_err(serde_json::Error::custom)?;
        form.told(&fields).map(|encoded| found(form, encoded)).transpose()
    }
}

impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = || wire::fields(&self.wire).map_err(S::Error::custom);
        match &self.shape.way {
            Way::Fields(forms) => {
                let (fields, mut object) = (fields()?, serializer.serialize_map(None)?);
                for form in forms {
                    if let Some(encoded) = form.told(&fields) {
                        object.serialize_entry(form.field.json_name(), &Field(form, encoded))?;
                    }
                }
                object.end()
            }
            Way::Wrapper(value) => Field(value, wire::numbered(&fields()?, value.field.number())).serialize(serializer),
            Way::Time => time(&fields()?, serializer),
            Way::Own => {
                let message = DynamicMessage::decode(self.shape.descriptor.clone(), &*self.wire);
                message.map_err(S::Error::custom)?.serialize_with_options(serializer, &SerializeOptions::new())
            }
        }
    }
}

/// As RFC 3339 has it.
fn time<S: Serializer>(fields: &[Encoded<'_>], serializer: S) -> Result<S::Ok, S::Error> {
    let number = |place| match wire::numbered(fields, place).last().map(|last| last.scalar(&Kind::Int64)).transpose() {
        Ok(Some(Some(Scalar::Whole(number)))) => Ok(number),
        Ok(_) => Ok(0),
        Err(malformed) => Err(S::Error::custom(malformed)),
    };
    let seconds = number(1)?.try_into().map_err(S::Error::custom)?;
    let nanos = number(2)?.try_into().map_err(S::Error::custom)?;
    serializer.collect_str(&prost_types::Timestamp { seconds, nanos })
}

/// A field that is there, or has no presence, with all that came of it.
struct Field<'f, 'a>(&'f Form, &'f [Encoded<'a>]);
/// One value of a field; what nobody told when there is none.
struct Single<'f, 'a>(&'f Form, Option<&'f Encoded<'a>>);

impl Serialize for Field<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(form, encoded) = self;
        if form.field.is_list() {
            let mut list = serializer.serialize_seq(None)?;
            for some in *encoded {
                for one in some.each(&form.kind).map_err(S::Error::custom)? {
                    list.serialize_element(&Single(form, Some(&one)))?;
                }
            }
            return list.end();
        }
        match (form.shape(), encoded) {
            (Some(entries), encoded) if form.field.is_map() => map(entries, encoded, serializer),
            (Some(shape), [_, _, ..]) => {
                Message { shape, wire: together(encoded).map_err(S::Error::custom)? }.serialize(serializer)
            }
            (_, encoded) => Single(form, encoded.last()).serialize(serializer),
        }
    }
}

/// Entries by their keys; the last one of a key counts.
fn map<S: Serializer>(entry: &Shape, encoded: &[Encoded<'_>], serializer: S) -> Result<S::Ok, S::Error> {
    let Way::Fields(forms) = &entry.way else { return Err(S::Error::custom("this is no entry of a map")) };
    let [key, value] = &forms[..] else { return Err(S::Error::custom("this is no entry of a map")) };
    let mut entries = BTreeMap::new();
    for one in encoded {
        let fields = one.content().and_then(wire::fields).map_err(S::Error::custom)?;
        let of = |form: &Form| wire::numbered(&fields, form.field.number()).last().copied();
        let name = match key.scalar(of(key).as_ref()).map_err(S::Error::custom)? {
            Some(Scalar::Bool(key)) => key.to_string(),
            Some(Scalar::Whole(key)) => key.to_string(),
            Some(Scalar::Text(key)) => key.to_owned(),
            _ => return Err(S::Error::custom("this is no key of a map")),
        };
        entries.insert(name, of(value));
    }
    serializer.collect_map(entries.iter().map(|(name, one)| (name, Single(value, one.as_ref()))))
}

impl Serialize for Single<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(form, encoded) = self;
        if let Some(shape) = form.shape() {
            let wire = encoded.map_or(Ok(&[][..]), Encoded::content).map_err(S::Error::custom)?;
            return Message::new(shape, wire).serialize(serializer);
        }
        match (form.scalar(*encoded).map_err(S::Error::custom)?, &form.kind) {
            (Some(Scalar::Bool(value)), _) => serializer.serialize_bool(value),
            (Some(Scalar::Whole(value)), _) => exact(value, serializer),
            // By way of its text: 0.1 of 32 bits is not to be read as 0.10000000149011612.
            (Some(Scalar::Float(value)), _) => float(value.to_string().parse().unwrap_or(f64::NAN), serializer),
            (Some(Scalar::Double(value)), _) => float(value, serializer),
            (Some(Scalar::Text(value)), _) => serializer.serialize_str(value),
            (Some(Scalar::Bytes(value)), _) => serializer.serialize_str(&BASE64_STANDARD.encode(value)),
            // A value that a newer service knows is its number, as in proto JSON.
            (Some(Scalar::Enum(number)), Kind::Enum(values)) => match values.get_value(number) {
                Some(value) => serializer.serialize_str(&enums::name(&value)),
                None => serializer.serialize_i32(number),
            },
            _ => Err(S::Error::custom("the message is not what its descriptor says")),
        }
    }
}

/// A message that came in parts is all of them, as if they had come as one.
fn together<'a>(encoded: &[Encoded<'a>]) -> Result<Cow<'a, [u8]>, Malformed> {
    match encoded {
        [one] => Ok(Cow::Borrowed(one.content()?)),
        parts => Ok(Cow::Owned(parts.iter().map(Encoded::content).collect::<Result<Vec<_>, _>>()?.concat())),
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

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use serde_json::{Value as Json, json};

    use super::{super::sample, *};

    fn told(message: &DynamicMessage) -> Json {
        sample::written(message).unwrap()
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
            sample::written(paint).is_err_and(|error| error.to_string().contains("is too large for a number in JSON"))
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

    /// The JSON of a paint of some parts, each of which was encoded by itself.
    fn of_parts(parts: &[Json]) -> serde_json::Result<Json> {
        let shape = Shape::of(&sample::message("Paint"));
        let parts = parts.iter().map(|part| sample::standard(sample::message("Paint"), part.clone()).encode_to_vec());
        let wire = parts.collect::<Vec<_>>().concat();
        serde_json::from_str(&Message::new(&shape, &wire).json()?)
    }

    #[test]
    fn what_comes_in_parts_and_in_any_order_is_one() {
        let told = of_parts(&[
            json!({ "near": ["OTHER_BLUE"], "version": "1", "stock": "4", "pages": {"1": {"size": 2}, "3": {"token": "c"}} }),
            json!({ "paintId": "p", "version": "2", "near": ["PAINT_COLOUR_DARK_RED"], "mixedTime": "1970-01-01T00:00:00.5Z" }),
            json!({ "pages": {"1": {"token": "b"}}, "batches": ["7", "8"], "mixedTime": "2026-11-25T08:30:00Z" }),
        ]);
        let told = told.unwrap();
        assert_eq!((&told["paintId"], &told["version"], &told["stock"]), (&json!("p"), &json!(2), &json!(4)));
        assert_eq!((&told["near"], &told["batches"]), (&json!(["other-blue", "dark-red"]), &json!([7, 8])));
        // A message is what its parts are together, and an entry the last of its key.
        assert_eq!(told["mixedTime"], "2026-11-25T08:30:00.500Z");
        assert_eq!(told["pages"], json!({ "1": {"size": 0, "token": "b"}, "3": {"size": 0, "token": "c"} }));
    }

    #[test]
    fn of_a_oneof_the_last_counts() {
        let [shop, catalogue] = [json!({ "shop": "s" }), json!({ "catalogue": {"size": 3} })];
        let first = of_parts(&[shop.clone(), catalogue.clone()]).unwrap();
        assert_eq!((first.get("shop"), &first["catalogue"]["size"]), (None, &json!(3)));
        let second = of_parts(&[catalogue, shop]).unwrap();
        assert_eq!((&second["shop"], second.get("catalogue")), (&json!("s"), None));
    }

    #[test]
    fn numbers_with_a_tag_each_are_a_list_too() {
        let shape = Shape::of(&sample::message("Paint"));
        // Field 6 as 1, and as 2 and 300 without tags; field 18 as 2; field 99, which nobody knows.
        let wire = [0x30, 1, 0x32, 3, 2, 0xac, 2, 0x90, 1, 2, 0x98, 6, 1];
        let told: Json = serde_json::from_str(&Message::new(&shape, &wire).json().unwrap()).unwrap();
        assert_eq!((&told["batches"], &told["near"]), (&json!([1, 2, 300]), &json!(["other-blue"])));
    }

    #[test]
    fn what_is_no_message_has_no_json() {
        let shape = Shape::of(&sample::message("Paint"));
        let cut_short: &[u8] = &[0x0a, 5, b'p'];
        let no_text: &[u8] = &[0x0a, 1, 0xff];
        let no_text_but_a_number: &[u8] = &[0x08, 1];
        let a_group: &[u8] = &[0x0b, 0x0c];
        for wire in [cut_short, no_text, no_text_but_a_number, a_group] {
            assert!(Message::new(&shape, wire).json().is_err(), "{wire:?}");
        }
    }
}
