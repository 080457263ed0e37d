//! The gRPC services.

pub mod demographics;
pub mod replay;
