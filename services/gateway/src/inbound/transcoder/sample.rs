//! Contracts for the tests, of `sample.proto`.

use std::sync::LazyLock;

use contracts::rest::{Method, method_of};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage as _};

use super::write::{Message, Shape};

/// The same for everyone: messages of different pools are never equal.
pub(super) fn contracts() -> DescriptorPool {
    static CONTRACTS: LazyLock<DescriptorPool> = LazyLock::new(compiled);
    CONTRACTS.clone()
}

fn compiled() -> DescriptorPool {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/src/inbound/transcoder");
    let proto = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto");
    let mut compiler = protox::Compiler::new([here, proto]).unwrap();
    let compiled = compiler.include_imports(true).open_file("sample.proto").unwrap().encode_file_descriptor_set();
    DescriptorPool::decode(compiled.as_slice()).unwrap()
}

pub(super) fn method(name: &str) -> Method {
    method_of(&contracts(), &format!("sample.v1.Paints/{name}")).unwrap()
}

pub(super) fn message(name: &str) -> MessageDescriptor {
    contracts().get_message_by_name(&format!("sample.v1.{name}")).unwrap()
}

/// A message of its text in proto JSON as the whole world writes it.
pub(super) fn standard(message: MessageDescriptor, json: serde_json::Value) -> DynamicMessage {
    DynamicMessage::deserialize(message, json).unwrap()
}

/// Its JSON as the public reads it.
pub(super) fn written(message: &DynamicMessage) -> serde_json::Result<serde_json::Value> {
    let (shape, wire) = (Shape::of(&message.descriptor()), message.encode_to_vec());
    serde_json::from_str(&Message::new(&shape, &wire).json()?)
}
