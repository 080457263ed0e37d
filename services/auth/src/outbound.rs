//! What this service asks of others, all of it through the sidecar.

pub mod secrets;
pub mod sessions;
pub mod throttle;
pub mod users;
