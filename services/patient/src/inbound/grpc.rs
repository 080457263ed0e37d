//! The gRPC services.

pub mod demographics;
