//! What others ask of this service, and what they tell it.

pub mod events;
pub mod grpc;
pub mod http;
pub mod reconciliation;
