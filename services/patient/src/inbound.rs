//! What others ask of this service.

pub mod grpc;
pub mod http;
pub mod tick;
