//! Signing in.

use jiff::Timestamp;
use sidecar::failure::Failure;
use uuid::Uuid;

use super::{Directory, hashing::Busy};
use crate::domain::{
    access_token,
    email_address::EmailAddress,
    password::{HashError, Password},
    user::{Refusal, User},
};

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The credentials are nobody's.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many want to sign in at once.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The signing key is not known yet.
    #[error("the signing key is not known yet")]
    NotReady,
    /// A hash.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The signature.
    #[error("the token could not be signed")]
    Signature(#[from] jsonwebtoken::errors::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl Directory {
    /// Signs a user in: an access token with the id `token`, in the session `session`.
    ///
    /// Each step is the same for everyone up to the refusal, so that neither words nor time tell who exists.
    pub async fn login(
        &self,
        email: &EmailAddress,
        password: Password,
        [token, session]: [Uuid; 2],
        now: Timestamp,
    ) -> Result<String, LoginError> {
        let key = self.signing_key().ok_or(LoginError::NotReady)?;
        let turn = self.hashing.enter()?;
        let user = self.users.get(email.user_id()).await?;
        let kept = user.as_ref().map(|user| user.password.clone());
        let matches = turn.compute(move || password.matches(kept.as_ref())).await??;
        let user = User::sign_in(user, matches)?;
        Ok(key.sign(&access_token::claims(&user, token, session, now))?)
    }
}
