//! Rules of this repository that the compiler does not know.
//!
//! A rule is a function from a [`Tree`] (or the dependency [`Graph`](dependencies::Graph)) to findings, none of
//! which may be there. Each rule is tried against a bad sample beside it, so that a rule which cannot fail is
//! itself a failing test; `tests/repository.rs` holds all of them against the repository.

pub mod addresses;
pub mod components;
pub mod compose;
pub mod dependencies;
pub mod domain;
pub mod environment;
pub mod length;
pub mod manifests;
pub mod migrations;
pub mod names;
pub mod roles;
pub mod shape;
pub mod switches;
pub mod topics;
pub mod tree;
pub mod wiring;

pub use tree::Tree;

/// A breach of a rule: where, and what.
pub type Finding = String;
