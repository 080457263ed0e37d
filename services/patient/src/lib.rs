//! The service `patient`: who the clinic's patients are, and what is known of their health.
//!
//! It owns registration, identity and the chart.
//! It does not own money: it asks `billing` for an account and never stores what became of it.
//!
//! Invariants: one person has one record unless somebody says otherwise; a record is never deleted; what is
//! acknowledged is stored with its event; the domain knows no clock, no store and no protocol.

pub mod app;
pub mod config;
pub mod domain;
pub mod fhir;
pub mod inbound;
pub mod outbound;
pub mod service;

/// The app id of this service.
pub const APP_ID: &str = "patient";
