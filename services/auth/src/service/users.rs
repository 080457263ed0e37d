//! Users, as the administrator makes and changes them.

use access::Role;
use jiff::Timestamp;
use sidecar::failure::Failure;
use uuid::Uuid;

use super::{
    Directory,
    chance::{self, NoChance},
    deeds::{self, Deed},
    hashing::Busy,
    sessions::TRIES,
};
use crate::{
    domain::{
        email_address::EmailAddress,
        password::{
            HashError, Password,
            strength::{Choice, Weak},
        },
        user::{Change, User},
    },
    outbound::users::{Keyed, Page, Versioned},
};

/// Name of the constraint of the migrations.
const LAST_ADMINISTRATOR: &str = "users_last_administrator_check";

/// Whom the administrator wants.
#[derive(Debug)]
pub struct Wanted {
    /// What they sign in with.
    pub email: EmailAddress,
    /// What they are to be.
    pub role: Role,
    /// Their password; none for one that serves once.
    pub password: Option<Password>,
}

/// A user with a password that only this answer tells.
#[derive(Debug)]
pub struct Made {
    /// The user.
    pub user: Versioned,
    /// The password that has to be changed at the first sign-in, if nobody chose one.
    pub one_time: Option<Password>,
}

/// Why a user was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// There is no such user.
    #[error("there is no such user")]
    Unknown,
    /// Somebody has this address.
    #[error("the address is taken")]
    Taken,
    /// The key was used for another user.
    #[error("the key was used with another body")]
    KeyReused,
    /// The caller has seen another version.
    #[error("the user is at version {current}")]
    Stale {
        /// The version that is there.
        current: u64,
    },
    /// Nobody could set the system up any more.
    #[error("it is the last active administrator")]
    LastAdministrator,
    /// The password is not good enough.
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
    /// Makes a user on behalf of `by`.
    ///
    /// The same request again is answered as the first time; a password that serves once is not kept, so it is
    /// replaced by another as long as nobody has used it.
    pub async fn make_user(&self, by: Uuid, wanted: Wanted, key: Keyed, now: Timestamp) -> Result<Made, UserError> {
        let Wanted { email, role, password } = wanted;
        let (salt, turn) = (chance::bytes()?, self.hashing.enter()?);
        let drawn = Password::one_time(&chance::bytes()?);
        let (chosen, one_time) = match password.clone() {
            Some(chosen) => (chosen, None),
            None => (drawn.clone(), Some(drawn)),
        };
        let choice = Choice { email: email.clone(), second_factor: false };
        let hash = turn.compute(move || {
            chosen.judge(&choice)?;
            Ok::<_, UserError>(chosen.hash(&salt)?)
        });
        let hash = hash.await??;
        let user = User::new(email, role, hash, one_time.is_some(), now);
        let deed = Deed::UserMade { by: Some(by), user: user.id, role };
        match self.users.create_keyed(&user, key, &deeds::entry(deed)).await {
            Ok(()) => {
                deeds::done(deed);
                Ok(Made { user: Versioned { user, version: 1 }, one_time })
            }
            Err(Failure::KeyTaken) => self.made_before(by, user, one_time, password, key).await,
            Err(failure) => Err(failure.into()),
        }
    }

    async fn made_before(
        &self,
        by: Uuid,
        user: User,
        one_time: Option<Password>,
        password: Option<Password>,
        key: Keyed,
    ) -> Result<Made, UserError> {
        let loaded = self.users.get(user.id).await?.ok_or(UserError::Taken)?;
        let Some(hash) = loaded.made_by(key.key) else { return Err(UserError::Taken) };
        if hash != key.hash {
            return Err(UserError::KeyReused);
        }
        if let Some(password) = password {
            // A hash of it that is quick to compute is kept nowhere, so the slow one tells.
            let kept = loaded.user.password.clone();
            let same = self.hashing.enter()?.compute(move || password.matches(Some(&kept))).await??;
            if !same && loaded.version() == 1 {
                return Err(UserError::KeyReused);
            }
            return Ok(Made { user: loaded.versioned(), one_time: None });
        }
        if loaded.user.one_time_until.is_none() || loaded.user.epoch != 0 {
            return Ok(Made { user: loaded.versioned(), one_time: None });
        }
        let renewed = User { created_at: loaded.user.created_at, ..user };
        let entries = [deeds::entry(Deed::PasswordReset { by, user: renewed.id })];
        let version = self.users.replace(&loaded, &renewed, Vec::new(), &entries).await?;
        Ok(Made { user: Versioned { user: renewed, version }, one_time })
    }

    /// A page of users.
    pub async fn users(&self, after: Option<Uuid>, limit: u16) -> Result<Page, Failure> {
        self.users.page(after, limit).await
    }

    /// A user by id.
    pub async fn user(&self, id: Uuid) -> Result<Option<Versioned>, Failure> {
        Ok(self.users.get(id).await?.map(|loaded| loaded.versioned()))
    }

    /// Changes version `expected` of a user on behalf of `by`.
    pub async fn change_user(&self, by: Uuid, id: Uuid, expected: u64, change: Change) -> Result<Versioned, UserError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let loaded = self.users.get(id).await?.ok_or(UserError::Unknown)?;
            let current = loaded.version();
            if current != expected {
                return Err(UserError::Stale { current });
            }
            let Some(changed) = loaded.user.changed(change) else { return Ok(loaded.versioned()) };
            let made = changes(by, &loaded.user, &changed);
            let entries: Vec<_> = made.iter().copied().map(deeds::entry).collect();
            match self.users.replace(&loaded, &changed, Vec::new(), &entries).await {
                Ok(version) => {
                    made.into_iter().for_each(deeds::done);
                    return Ok(Versioned { user: changed, version });
                }
                Err(Failure::Constraint { name }) if name == LAST_ADMINISTRATOR => {
                    self.note(Deed::ChangeRefused { by, user: id });
                    return Err(UserError::LastAdministrator);
                }
                Err(Failure::Changed | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// Gives a user another password, which serves once, and ends their sessions. A second factor stays.
    pub async fn reset_password(&self, by: Uuid, id: Uuid, now: Timestamp) -> Result<Made, UserError> {
        let (salt, turn) = (chance::bytes()?, self.hashing.enter()?);
        let one_time = Password::one_time(&chance::bytes()?);
        let hashed = one_time.clone();
        let hash = turn.compute(move || hashed.hash(&salt)).await??;
        let mut tried = 0;
        loop {
            tried += 1;
            let loaded = self.users.get(id).await?.ok_or(UserError::Unknown)?;
            let reset = loaded.user.reset(hash.clone(), now);
            let deed = Deed::PasswordReset { by, user: id };
            match self.users.replace(&loaded, &reset, Vec::new(), &[deeds::entry(deed)]).await {
                Ok(version) => {
                    deeds::done(deed);
                    return Ok(Made { user: Versioned { user: reset, version }, one_time: Some(one_time) });
                }
                Err(Failure::Changed | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }
}

/// What a change of a user is.
fn changes(by: Uuid, before: &User, after: &User) -> Vec<Deed> {
    let user = before.id;
    let role = (after.role != before.role).then_some(Deed::RoleChanged { by, user, from: before.role, to: after.role });
    let switch = if after.active { Deed::SwitchedOn { by, user } } else { Deed::SwitchedOff { by, user } };
    role.into_iter().chain((after.active != before.active).then_some(switch)).collect()
}
