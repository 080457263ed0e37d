//! Prepares the services' databases before any sidecar starts: roles, databases, the schemas that every
//! service has (`foundation/`) and each service's own migrations (`services/<name>/migrations/`).
//!
//! All SQL is in the binary, so a container needs no files.
//! Everything here runs again without harm, also twice at the same time.
//! The README tells how a migration is added and what the roles may do.

mod connection;
mod prepare;
mod rebuild;
mod schema;
mod service;
mod status;

pub use prepare::{Target, prepare};
pub use rebuild::rebuild;
pub use service::Service;
pub use status::{Status, status};

#[cfg(test)]
mod tests {
    #[test]
    fn callers_may_spawn_all_of_it() {
        fn spawnable(_: impl Send) {}
        spawnable(super::prepare("", &[]));
        spawnable(super::rebuild("", super::Service::Auth));
        spawnable(super::status(""));
    }
}
