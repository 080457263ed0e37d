//! The service `billing`: what patients and their insurers owe and have paid.
//!
//! It owns accounts, fee schedules, payers, coverages, invoices, payments, claims with what payers answer, and the journal
//! under them.
//! It does not own people: a patient is an id here, and who they are is asked of `patient` when a document must say it.
//!
//! Invariants: a patient has one account, whoever asks first and however often; what is debited is credited; an act is
//! done once for its request; what was posted never changes; numbers have no gap; nothing is ever deleted.

pub mod app;
pub mod config;
pub mod domain;
pub mod inbound;
pub mod outbound;
pub mod service;

/// The app id of this service.
pub const APP_ID: &str = "billing";
