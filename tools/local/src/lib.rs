//! The whole system on one machine, without Docker: PostgreSQL, a broker and sentry on loopback,
//! and the services with their sidecars under `dapr run`.
//!
//! [`Home`] says where a system keeps its state and [`Ports`] where it listens.
//! The parts ([`Postgres`], [`Broker`], [`Sentry`]) can be started alone, as a service's tests do;
//! [`System`] is all of them together, and [`Supervisor`] brings back what a test has killed of it.
//! Nothing here is global: any number of systems run beside each other.

pub mod access;
pub mod app;
pub mod broker;
pub mod clearinghouse;
pub mod containers;
mod dapr;
mod dapr_yaml;
mod foundation;
pub mod home;
pub mod journey;
pub mod kafka;
pub mod launch;
pub mod options;
pub mod part;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod rabbitmq;
mod rabbitmq_definitions;
mod readiness;
pub mod redis;
pub mod report;
mod run_file;
pub mod secrets;
pub mod sentry;
pub mod signing_keys;
mod snapshot;
pub mod status;
mod supervisor;
pub mod system;

pub use app::App;
pub use broker::Broker;
pub use home::Home;
pub use kafka::Kafka;
pub use options::{Launcher, Options, unlimited};
pub use part::Part;
pub use ports::{Ports, Reservation};
pub use postgres::Postgres;
pub use process::{Process, Signal};
pub use secrets::{Secrets, Tokens};
pub use sentry::Sentry;
pub use supervisor::{Life, Supervisor};
pub use system::System;
