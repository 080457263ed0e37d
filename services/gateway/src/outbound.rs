//! The services behind, all of them through the sidecar.

pub mod billing;
