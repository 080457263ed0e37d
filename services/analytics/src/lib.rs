//! The service `analytics`: figures of what happened in the clinic.
//!
//! It owns facts, which it learns from events alone, and what is counted from them.
//! It asks `patient` how many minutes practitioners have, and `patient` and `billing` what they have told, for what it may have
//! missed; it knows no name and no birth date, and tells nobody anything but figures.
//!
//! Invariants: events may come in any order and again and again, the figures are the same; a figure can be counted
//! anew from the facts; an hour and a day are the clinic's.

pub mod app;
pub mod config;
pub mod domain;
pub mod inbound;
pub mod outbound;
pub mod service;

/// The app id of this service.
pub const APP_ID: &str = "analytics";
