//! What this service asks of others, all of it through the sidecar.

pub mod accounts;
pub mod change;
pub mod days;
pub mod demographics;
pub mod fees;
pub mod journal;
pub mod lists;
pub mod messages;
pub mod reports;
pub mod statements;
