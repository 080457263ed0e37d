//! What reaches the service: events, questions, and what it looks after by itself.

pub mod events;
pub mod grpc;
pub mod http;
pub mod reconciliation;
