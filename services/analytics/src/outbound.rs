//! What this service asks of others, all of it through the sidecar.

pub mod facts;
