//! The fields of an encoded message, read where they lie; <https://protobuf.dev/programming-guides/encoding/>
//!
//! A message made of an answer of ten thousand figures has a tree for each of them, which takes longer to fill than all else
//! that is done with it.

use std::str::Utf8Error;

use prost::{
    DecodeError,
    encoding::{self, DecodeContext, WireType},
};
use prost_reflect::Kind;
use thiserror::Error;

/// An answer that is no message.
#[derive(Debug, Error)]
pub(super) enum Malformed {
    #[error(transparent)]
    Encoding(#[from] DecodeError),
    #[error(transparent)]
    Text(#[from] Utf8Error),
}

/// A field as it was encoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoded<'a> {
    /// Its number.
    pub(super) number: u32,
    /// How many fields come before it.
    pub(super) place: usize,
    wire_type: WireType,
    bytes: &'a [u8],
}

/// What it is, when it is no message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar<'a> {
    Bool(bool),
    Whole(i128),
    Float(f32),
    Double(f64),
    Enum(i32),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// The fields of a message by their numbers, those with the same number as they came.
pub(super) fn fields(mut wire: &[u8]) -> Result<Vec<Encoded<'_>>, Malformed> {
    let mut fields = Vec::new();
    while !wire.is_empty() {
        let (number, wire_type) = encoding::decode_key(&mut wire)?;
        fields.push(one(number, fields.len(), wire_type, &mut wire)?);
    }
    fields.sort_by_key(|field| field.number);
    Ok(fields)
}

/// Those of a number.
pub(super) fn numbered<'f, 'a>(fields: &'f [Encoded<'a>], number: u32) -> &'f [Encoded<'a>] {
    let first = fields.partition_point(|field| field.number < number);
    let after = fields.partition_point(|field| field.number <= number);
    &fields[first..after]
}

fn one<'a>(number: u32, place: usize, wire_type: WireType, wire: &mut &'a [u8]) -> Result<Encoded<'a>, Malformed> {
    let from = *wire;
    encoding::skip_field(wire_type, number, wire, DecodeContext::default())?;
    Ok(Encoded { number, place, wire_type, bytes: &from[..from.len() - wire.len()] })
}

impl<'a> Encoded<'a> {
    /// The bytes of a text, of a message, or of numbers without their tags.
    pub(super) fn content(&self) -> Result<&'a [u8], Malformed> {
        encoding::check_wire_type(WireType::LengthDelimited, self.wire_type)?;
        let mut bytes = self.bytes;
        encoding::decode_varint(&mut bytes)?;
        Ok(bytes)
    }

    /// One or, of numbers that have no tags, many; every reader takes both.
    pub(super) fn each(self, kind: &Kind) -> Result<Vec<Self>, Malformed> {
        let packed = self.wire_type == WireType::LengthDelimited && kind.wire_type() != WireType::LengthDelimited;
        if !packed {
            return Ok(vec![self]);
        }
        let (mut bytes, mut each) = (self.content()?, Vec::new());
        while !bytes.is_empty() {
            each.push(one(self.number, self.place, kind.wire_type(), &mut bytes)?);
        }
        Ok(each)
    }

    /// By its kind; none of a message.
    pub(super) fn scalar(&self, kind: &Kind) -> Result<Option<Scalar<'a>>, Malformed> {
        Ok(Some(match kind {
            Kind::Bool => Scalar::Bool(self.number(encoding::bool::merge)?),
            Kind::Int32 => Scalar::Whole(self.number(encoding::int32::merge)?.into()),
            Kind::Sint32 => Scalar::Whole(self.number(encoding::sint32::merge)?.into()),
            Kind::Sfixed32 => Scalar::Whole(self.number(encoding::sfixed32::merge)?.into()),
            Kind::Uint32 => Scalar::Whole(self.number(encoding::uint32::merge)?.into()),
            Kind::Fixed32 => Scalar::Whole(self.number(encoding::fixed32::merge)?.into()),
            Kind::Int64 => Scalar::Whole(self.number(encoding::int64::merge)?.into()),
            Kind::Sint64 => Scalar::Whole(self.number(encoding::sint64::merge)?.into()),
            Kind::Sfixed64 => Scalar::Whole(self.number(encoding::sfixed64::merge)?.into()),
            Kind::Uint64 => Scalar::Whole(self.number(encoding::uint64::merge)?.into()),
            Kind::Fixed64 => Scalar::Whole(self.number(encoding::fixed64::merge)?.into()),
            Kind::Float => Scalar::Float(self.number(encoding::float::merge)?),
            Kind::Double => Scalar::Double(self.number(encoding::double::merge)?),
            Kind::Enum(_) => Scalar::Enum(self.number(encoding::int32::merge)?),
            Kind::String => Scalar::Text(std::str::from_utf8(self.content()?)?),
            Kind::Bytes => Scalar::Bytes(self.content()?),
            Kind::Message(_) => return Ok(None),
        }))
    }

    fn number<T: Default>(
        &self,
        merge: fn(WireType, &mut T, &mut &'a [u8], DecodeContext) -> Result<(), DecodeError>,
    ) -> Result<T, Malformed> {
        let (mut value, mut bytes) = (T::default(), self.bytes);
        merge(self.wire_type, &mut value, &mut bytes, DecodeContext::default())?;
        Ok(value)
    }
}

impl Scalar<'_> {
    /// What a field is that was not told.
    pub(super) fn nothing(kind: &Kind) -> Option<Self> {
        Some(match kind {
            Kind::Bool => Self::Bool(false),
            Kind::Float => Self::Float(0.0),
            Kind::Double => Self::Double(0.0),
            Kind::Enum(_) => Self::Enum(0),
            Kind::String => Self::Text(""),
            Kind::Bytes => Self::Bytes(&[]),
            Kind::Message(_) => return None,
            _ => Self::Whole(0),
        })
    }
}
