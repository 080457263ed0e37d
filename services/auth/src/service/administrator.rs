//! The first user, without whom there could be no other.

use jiff::Timestamp;
use sidecar::failure::Failure;
use uuid::Uuid;

use super::{
    Directory,
    deeds::{self, Deed},
    hashing::Busy,
};
use crate::domain::{
    email_address::EmailAddress,
    password::{
        HashError, Password, SALT,
        strength::{Choice, Weak},
    },
    user::User,
};

/// Why there is no administrator.
#[derive(Debug, thiserror::Error)]
pub enum AdministratorError {
    /// The password is not good enough.
    #[error("the secret administrator-password cannot be used: {0}")]
    Weak(#[from] Weak),
    /// Others are signing in.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The hash.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// What became of the wish for an administrator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Administrator {
    /// There is one now.
    Made(Uuid),
    /// There was one: a password that they have changed since stays.
    AlreadyThere(Uuid),
}

impl Directory {
    /// Makes the administrator unless the user is there already, whatever became of them.
    pub async fn make_administrator(
        &self,
        email: EmailAddress,
        password: Password,
        salt: [u8; SALT],
        now: Timestamp,
    ) -> Result<Administrator, AdministratorError> {
        let id = email.user_id();
        if self.users.get(id).await?.is_some() {
            return Ok(Administrator::AlreadyThere(id));
        }
        // Not before it is known to be needed: the dictionaries stay in memory once they have been looked into.
        let choice = Choice { email: email.clone(), second_factor: false };
        let hash = self.hashing.enter()?.compute(move || {
            password.judge(&choice)?;
            Ok::<_, AdministratorError>(password.hash(&salt)?)
        });
        let hash = hash.await??;
        let user = User::administrator(email, hash, now);
        let deed = Deed::UserMade { by: None, user: id, role: user.role };
        match self.users.create(&user, &deeds::entry(deed)).await {
            Ok(()) => Ok(Administrator::Made(id)),
            // Another instance was faster.
            Err(Failure::KeyTaken) => Ok(Administrator::AlreadyThere(id)),
            Err(failure) => Err(failure.into()),
        }
    }
}
