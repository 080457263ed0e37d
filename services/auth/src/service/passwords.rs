//! Changing a password.

use sidecar::failure::Failure;

use access::Caller;

use super::{
    AttemptError, Directory,
    chance::{self, NoChance},
    deeds::{self, Deed},
    hashing::Busy,
    sessions::TRIES,
};
use crate::domain::password::{
    HashError, Password, PasswordHash, SALT,
    strength::{Choice, Weak},
};

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The caller is no user of ours, or not any more.
    #[error("there is no such user")]
    Unknown,
    /// The present password is another one.
    #[error("wrong password")]
    Wrong,
    /// Too many have failed before.
    #[error(transparent)]
    Attempt(#[from] AttemptError),
    /// The new one is the present one.
    #[error("the password is the present one")]
    Same,
    /// The new one is not good enough.
    #[error(transparent)]
    Weak(#[from] Weak),
    /// Too many passwords are being checked.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// A hash.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// Random numbers.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl Directory {
    /// Changes the caller's password and ends their other sessions.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Password,
        new: Password,
        address: Option<&str>,
    ) -> Result<(), PasswordError> {
        let (salt, turn) = (chance::bytes()?, self.hashing.enter()?);
        let mut loaded = self.users.get(caller.subject).await?.ok_or(PasswordError::Unknown)?;
        let attempt = self.attempt(caller.subject, address).await?;
        let kept = loaded.user.password.clone();
        let choice = Choice { email: loaded.user.email.clone(), second_factor: loaded.user.has_second_factor() };
        let is_short = new.is_short();
        let hash = turn.compute(move || change(&current, &new, &kept, &choice, &salt)).await?;
        if let Err(PasswordError::Wrong) = hash {
            self.note(Deed::PasswordRefused { user: caller.subject });
        } else {
            self.throttle.forgive(&attempt).await?;
        }
        let hash = hash?;
        let checked = loaded.user.password.clone();
        let mut tried = 0;
        loop {
            tried += 1;
            let changed = loaded.user.with_password(hash.clone(), is_short);
            // The session goes over to the new epoch in the same transaction.
            let own = self.carry(caller.session, &loaded.user, &changed).await?;
            let deed = Deed::PasswordChanged { user: changed.id };
            match self.users.replace(&loaded, &changed, own.into_iter().collect(), &[deeds::entry(deed)]).await {
                Ok(_) => {
                    deeds::done(deed);
                    return Ok(());
                }
                Err(Failure::Changed | Failure::Again) if tried < TRIES => {
                    loaded = self.users.get(caller.subject).await?.ok_or(PasswordError::Unknown)?;
                    if loaded.user.password != checked || is_short && !loaded.user.has_second_factor() {
                        // Somebody else was faster: the present password is another one now, or has to stand alone.
                        return Err(PasswordError::Wrong);
                    }
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }
}

fn change(
    current: &Password,
    new: &Password,
    kept: &PasswordHash,
    choice: &Choice,
    salt: &[u8; SALT],
) -> Result<PasswordHash, PasswordError> {
    if !current.matches(Some(kept))? {
        return Err(PasswordError::Wrong);
    }
    new.judge(choice)?;
    if new == current {
        return Err(PasswordError::Same);
    }
    Ok(new.hash(salt)?)
}
