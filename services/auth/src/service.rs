//! Use cases: load, decide, save.

pub mod administrator;
pub mod chance;
pub mod deeds;
pub mod hashing;
pub mod login;
pub mod passwords;
pub mod sessions;
pub mod start;
pub mod users;

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use self::{hashing::Hashing, sessions::Revoked};
use crate::{
    domain::signing_key::SigningKey,
    outbound::{sessions::Sessions, users::Users},
};

/// The directory of those who may sign in.
#[derive(Debug)]
pub struct Directory {
    users: Users,
    sessions: Sessions,
    hashing: Hashing,
    revoked: Revoked,
    /// Empty until the sidecar has told it.
    key: OnceLock<SigningKey>,
    administrator_settled: AtomicBool,
}

impl Directory {
    /// A directory on these parts, still without a key.
    pub fn new(users: Users, sessions: Sessions, hashing: Hashing) -> Self {
        Self {
            users,
            sessions,
            hashing,
            revoked: Revoked::default(),
            key: OnceLock::new(),
            administrator_settled: AtomicBool::new(false),
        }
    }

    /// The key that access tokens are signed with, once it is known.
    pub fn signing_key(&self) -> Option<&SigningKey> {
        self.key.get()
    }

    /// Whether the administrator is there, or known not to be wanted.
    pub fn administrator_settled(&self) -> bool {
        self.administrator_settled.load(Ordering::Relaxed)
    }
}
