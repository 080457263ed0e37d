#![doc = include_str!("../README.md")]

pub mod backlog;
pub mod environment;
pub mod grpc;
pub mod http;
pub mod readiness;
pub mod server;
pub mod step;
pub mod telemetry;

pub use self::environment::{AppConfig, Environment};
