//! The gRPC services.

pub mod accounts;
