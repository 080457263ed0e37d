//! Having somebody who is signed in prove by their password, once more, who they are.

use problem::Problem;
use sidecar::failure::Failure;

use super::{AttemptError, Directory, deeds::Deed, hashing::Busy};
use crate::domain::{
    password::{HashError, Password},
    user::User,
};

/// Why it is not proved.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The password is another one.
    #[error("wrong password")]
    Wrong,
    /// Too many have failed before.
    #[error(transparent)]
    Attempt(#[from] AttemptError),
    /// Too many passwords are being checked.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// A hash.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
    /// The audit cannot keep up.
    #[error(transparent)]
    Unrecorded(#[from] Problem),
}

impl Directory {
    /// Checks the password of a user; a wrong one is a try like at a sign-in, and `refused` says what it was for.
    pub(super) async fn prove(
        &self,
        user: &User,
        password: Password,
        address: Option<&str>,
        refused: Deed,
    ) -> Result<(), ProofError> {
        let turn = self.hashing.enter()?;
        let attempt = self.attempt(user.id, address).await?;
        let kept = user.password.clone();
        if !turn.compute(move || password.matches(Some(&kept))).await?? {
            self.note_first(refused)?;
            return Err(ProofError::Wrong);
        }
        Ok(self.throttle.forgive(&attempt).await?)
    }
}
