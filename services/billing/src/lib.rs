//! The service `billing`: what patients and their insurers owe and have paid.
//!
//! It owns accounts; invoices, payments and claims stand on them.
//! It does not own people: a patient is an id here, and who they are is asked of `patient` when a document must say it.
//!
//! Invariants: a patient has one account, whoever asks first and however often; an account is never deleted.

pub mod app;
pub mod config;
pub mod domain;
pub mod inbound;
pub mod outbound;
pub mod service;

/// The app id of this service.
pub const APP_ID: &str = "billing";
