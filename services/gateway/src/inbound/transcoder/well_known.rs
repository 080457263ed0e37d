//! The messages of `google.protobuf`, whose JSON is not that of their fields.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

/// The largest whole number that every reader of JSON reads exactly, 2^53 - 1.
pub(super) const LARGEST: i64 = (1 << 53) - 1;

/// What a message of `google.protobuf` is in JSON.
pub(super) enum WellKnown {
    /// The value that it wraps, so that its absence can be told.
    Wrapper(FieldDescriptor),
    /// Something of its own; with it, what to tell somebody who has sent something else.
    Own(&'static str),
}

/// None for a message like ours.
pub(super) fn of(message: &MessageDescriptor) -> Option<WellKnown> {
    let name = message.full_name().strip_prefix("google.protobuf.")?;
    Some(match name {
        "Timestamp" => WellKnown::Own("must be a time such as 2026-11-25T08:30:00Z"),
        "Duration" => WellKnown::Own("must be a time in seconds such as 1.5s"),
        "FieldMask" => WellKnown::Own("must be names of fields with commas between them"),
        "Struct" | "Empty" => WellKnown::Own("must be an object"),
        "ListValue" => WellKnown::Own("must be a list"),
        "Value" => WellKnown::Own("must be JSON"),
        _ => WellKnown::Wrapper(message.get_field_by_name("value").filter(|_| name.ends_with("Value"))?),
    })
}

/// Whether one text can be the value of a field of this kind, as in a query.
pub(super) fn is_one_text(kind: &Kind) -> bool {
    let Kind::Message(message) = kind else { return true };
    match of(message) {
        Some(WellKnown::Wrapper(_)) => true,
        Some(WellKnown::Own(_)) => ["Timestamp", "Duration", "FieldMask"].contains(&message.name()),
        None => false,
    }
}
