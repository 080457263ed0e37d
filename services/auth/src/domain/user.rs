//! The aggregate.

use access::Role;
use jiff::Timestamp;
use uuid::Uuid;

use super::{email_address::EmailAddress, password::PasswordHash};

/// Somebody who can sign in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// Made of the address that they registered with.
    pub id: Uuid,
    /// What they sign in with.
    pub email: EmailAddress,
    /// What they are in the clinic.
    pub role: Role,
    /// What is kept of their password.
    pub password: PasswordHash,
    /// Whether they may sign in.
    pub active: bool,
    /// Counts the changes that end every session: a session of an earlier epoch is over.
    pub epoch: u64,
    /// When they were made.
    pub created_at: Timestamp,
}

/// Why somebody may not sign in; the log learns it, the caller does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Nobody has this address.
    #[error("there is no such user")]
    Unknown,
    /// The password is another one.
    #[error("wrong password of user {0}")]
    WrongPassword(Uuid),
    /// The user has been switched off.
    #[error("user {0} is not active")]
    Inactive(Uuid),
}

impl User {
    /// Makes the user who sets everything else up.
    pub fn administrator(email: EmailAddress, password: PasswordHash, now: Timestamp) -> Self {
        Self { id: email.user_id(), email, role: Role::Admin, password, active: true, epoch: 0, created_at: now }
    }

    /// Ends all of their sessions.
    #[must_use]
    pub fn end_sessions(&self) -> Self {
        Self { epoch: self.epoch + 1, ..self.clone() }
    }

    /// Takes another password, which ends all of their sessions.
    #[must_use]
    pub fn with_password(&self, password: PasswordHash) -> Self {
        Self { password, ..self.end_sessions() }
    }

    /// Keeps another hash of the same password.
    #[must_use]
    pub fn rehashed(&self, password: PasswordHash) -> Self {
        Self { password, ..self.clone() }
    }

    /// Lets a user in whose password `matches`.
    pub fn sign_in(user: Option<Self>, matches: bool) -> Result<Self, Refusal> {
        let user = user.ok_or(Refusal::Unknown)?;
        match (matches, user.active) {
            (false, _) => Err(Refusal::WrongPassword(user.id)),
            (true, false) => Err(Refusal::Inactive(user.id)),
            (true, true) => Ok(user),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::password::{Password, SALT};

    fn user(active: bool) -> User {
        let email = EmailAddress::parse("ada@clinic.example").unwrap();
        let password = Password::parse("correct horse battery").unwrap().hash(&[7; SALT]).unwrap();
        User { active, ..User::administrator(email, password, Timestamp::UNIX_EPOCH) }
    }

    #[test]
    fn only_an_active_user_with_their_password_is_let_in() {
        let id = user(true).id;
        assert_eq!(User::sign_in(Some(user(true)), true), Ok(user(true)));
        assert_eq!(User::sign_in(Some(user(true)), false), Err(Refusal::WrongPassword(id)));
        assert_eq!(User::sign_in(Some(user(false)), true), Err(Refusal::Inactive(id)));
        assert_eq!(User::sign_in(Some(user(false)), false), Err(Refusal::WrongPassword(id)));
        // A hash that matched nobody's password is nobody's.
        assert_eq!(User::sign_in(None, true), Err(Refusal::Unknown));
    }
}
