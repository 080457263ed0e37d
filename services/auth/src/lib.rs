//! The service `auth`: who may sign in.
//!
//! It owns users and their credentials, and the key that signs access tokens.
//! It does not decide what a token's holder may do: each service does, by the role in the token.
//!
//! Invariants: a password is kept as a hash and never told; an answer's words and time do not say who exists;
//! the administrator is made once and never overwritten; there is no default credential; the domain knows no clock,
//! no store and no protocol.

pub mod app;
pub mod config;
pub mod domain;
pub mod inbound;
pub mod outbound;
pub mod service;

/// The app id of this service.
pub const APP_ID: &str = "auth";
