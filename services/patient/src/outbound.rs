//! What this service asks of others, all of it through the sidecar.

pub mod appointments;
pub mod balances;
pub mod billing;
pub mod calendar;
pub mod encounters;
pub mod patients;
pub mod records;
pub mod reminders;
pub mod replay;
pub mod summaries;
