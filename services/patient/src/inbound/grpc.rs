//! The gRPC services.

pub mod availability;
pub mod demographics;
pub mod replay;
