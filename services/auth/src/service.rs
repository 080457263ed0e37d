//! Use cases: load, decide, save.

pub mod administrator;
pub mod browser;
pub mod chance;
pub mod deeds;
pub mod factors;
pub mod hashing;
pub mod login;
pub mod passwords;
pub mod proof;
pub mod sessions;
mod signing;
pub mod start;
pub mod users;

use std::sync::{
    Arc, OnceLock, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use audit::Recorder;
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use uuid::Uuid;

use self::{hashing::Hashing, sessions::Revoked};
use crate::{
    domain::{sealing_key::SealingKey, signing_key::SigningKey, signing_keys::SigningKeys},
    outbound::{
        sessions::Sessions,
        throttle::{Attempt, Throttle, Throttled},
        users::Users,
    },
};

/// Why a password is not even looked at.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// Too many have failed, or the database does not answer.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The key that hides addresses is not known yet.
    #[error("the sealing key is not known yet")]
    NotReady,
}

/// The directory of those who may sign in.
#[derive(Debug)]
pub struct Directory {
    users: Users,
    sessions: Sessions,
    hashing: Hashing,
    recorder: Recorder,
    throttle: Throttle,
    revoked: Revoked,
    /// Whether some roles need a second factor.
    factor_required: bool,
    /// Empty until the sidecar has told them.
    keys: RwLock<Option<Arc<SigningKeys>>>,
    /// Empty until the sidecar has told it.
    sealing: OnceLock<SealingKey>,
    administrator_settled: AtomicBool,
}

impl Directory {
    /// A directory on these parts, still without a key.
    pub fn new(
        users: Users,
        sessions: Sessions,
        throttle: Throttle,
        hashing: Hashing,
        recorder: Recorder,
        factor_required: bool,
    ) -> Self {
        Self {
            users,
            sessions,
            hashing,
            recorder,
            throttle,
            revoked: Revoked::default(),
            factor_required,
            keys: RwLock::default(),
            sealing: OnceLock::new(),
            administrator_settled: AtomicBool::new(false),
        }
    }

    /// The key that access tokens are signed with at this moment, once one is known.
    pub fn signing_key(&self) -> Option<Arc<SigningKey>> {
        Some(Arc::clone(self.signing_keys()?.signing(Timestamp::now())))
    }

    /// What access tokens are verified with at this moment, once a key is known.
    pub fn key_set(&self) -> Option<JwkSet> {
        Some(self.signing_keys()?.key_set(Timestamp::now()))
    }

    fn signing_keys(&self) -> Option<Arc<SigningKeys>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key that hides what is kept, once it is known.
    pub fn sealing_key(&self) -> Option<&SealingKey> {
        self.sealing.get()
    }

    /// Counts a try of the account's password from the client's address.
    async fn attempt(&self, account: Uuid, address: Option<&str>) -> Result<Attempt, AttemptError> {
        let sealing = self.sealing_key().ok_or(AttemptError::NotReady)?;
        let attempt = Attempt { account, address: address.map(|address| sealing.blind(address)) };
        self.throttle.count(&attempt).await?;
        Ok(attempt)
    }

    /// Whether the administrator is there, or known not to be wanted.
    pub fn administrator_settled(&self) -> bool {
        self.administrator_settled.load(Ordering::Relaxed)
    }
}
