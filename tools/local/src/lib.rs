//! The whole system on one machine, without Docker: PostgreSQL, Kafka and sentry on loopback,
//! and the services with their sidecars under `dapr run`.
//!
//! [`Home`] says where a system keeps its state and [`Ports`] where it listens.
//! The parts ([`Postgres`], [`Kafka`], [`Sentry`]) can be started alone, as a service's tests do;
//! [`System`] is all of them together.
//! Nothing here is global: any number of systems run beside each other.

pub mod access;
pub mod app;
mod dapr;
mod dapr_yaml;
pub mod home;
pub mod journey;
pub mod kafka;
pub mod launch;
pub mod options;
pub mod part;
pub mod ports;
pub mod postgres;
pub mod process;
mod readiness;
pub mod report;
pub mod secrets;
pub mod sentry;
mod snapshot;
pub mod status;
pub mod system;

pub use app::App;
pub use home::Home;
pub use kafka::Kafka;
pub use options::Options;
pub use part::Part;
pub use ports::{Ports, Reservation};
pub use postgres::Postgres;
pub use process::{Process, Signal};
pub use secrets::{Secrets, Tokens};
pub use sentry::Sentry;
pub use system::System;
