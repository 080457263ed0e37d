//! What the service asks of others, by its sidecar.

pub mod availability;
pub mod facts;
pub mod replay;
pub mod rollups;
