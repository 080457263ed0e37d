//! Verifies the chain of a service's audit as its database has it.
//!
//! It shares with the services what a chain and a checkpoint are, and no other code: what it finds does not depend on
//! what wrote them.

mod checkpoints;
mod finding;
mod report;
mod rows;
mod verify;

pub use self::{
    checkpoints::read as read_checkpoints,
    finding::Finding,
    report::{Report, table},
    verify::verify,
};
