//! The service `gateway`: the one public door.
//!
//! It owns the public routes: which there are, who is let through to them, and what is said when a service is away.
//! It does not own data or rules, and so it has no `domain/` and no database.
//!
//! Invariants: a request without a verified token reaches no service but `auth`; a header that only a sidecar may set
//! never comes from outside; what the services decide is not decided here.

pub mod app;
pub mod config;
pub mod inbound;
pub mod outbound;

/// The app id of this service.
pub const APP_ID: &str = "gateway";
