//! The services behind, all of them through the sidecar.

pub(crate) mod again;
pub(crate) mod grpc;
