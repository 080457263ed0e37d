//! The aggregate.

use access::{ENROLLING, Role, SCOPE};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{email_address::EmailAddress, password::PasswordHash, second_factor::SecondFactor};

/// How long a password is good that somebody else has drawn for a user.
pub const ONE_TIME: SignedDuration = SignedDuration::from_hours(24);

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
    /// How long their password is good, if it is one that serves once: then they have to choose another.
    pub one_time_until: Option<Timestamp>,
    /// Whether the password is one that only does beside a second factor.
    pub short_password: bool,
    /// What proves who they are beside the password.
    pub second_factor: Option<SecondFactor>,
    /// The sealed secret of one that they have not confirmed yet.
    pub pending_factor: Option<String>,
    /// When they were made.
    pub created_at: Timestamp,
}

/// What an administrator wants of a user; none stays as it is.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// What they are to be.
    pub role: Option<Role>,
    /// Whether they may sign in.
    pub active: Option<bool>,
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
    /// The password was to serve once, and nobody used it in time.
    #[error("the first password of user {0} has run out")]
    RanOut(Uuid),
    /// The password is right, and a code has to stand beside it.
    #[error("user {0} has to show a code")]
    NoCode(Uuid),
    /// The code is another one, or has served.
    #[error("wrong code of user {0}")]
    WrongCode(Uuid),
}

impl User {
    /// Makes the user who sets everything else up.
    pub fn administrator(email: EmailAddress, password: PasswordHash, now: Timestamp) -> Self {
        Self::new(email, Role::Admin, password, false, now)
    }

    /// Makes a user, with a password of their own or one that serves once.
    pub fn new(email: EmailAddress, role: Role, password: PasswordHash, one_time: bool, now: Timestamp) -> Self {
        Self {
            id: email.user_id(),
            email,
            role,
            password,
            active: true,
            epoch: 0,
            one_time_until: one_time.then(|| one_time_until(now)),
            short_password: false,
            second_factor: None,
            pending_factor: None,
            created_at: now,
        }
    }

    /// Ends all of their sessions.
    #[must_use]
    pub fn end_sessions(&self) -> Self {
        Self { epoch: self.epoch + 1, ..self.clone() }
    }

    /// Takes another password, which ends all of their sessions.
    #[must_use]
    pub fn with_password(&self, password: PasswordHash, is_short: bool) -> Self {
        Self { password, one_time_until: None, short_password: is_short, ..self.end_sessions() }
    }

    /// Is given a password that serves once, which ends all of their sessions.
    #[must_use]
    pub fn reset(&self, password: PasswordHash, now: Timestamp) -> Self {
        Self { password, one_time_until: Some(one_time_until(now)), short_password: false, ..self.end_sessions() }
    }

    /// Becomes what an administrator wants, unless they are that already. What takes something away from them ends all
    /// of their sessions, and so does another role.
    pub fn changed(&self, Change { role, active }: Change) -> Option<Self> {
        let wanted = Self { role: role.unwrap_or(self.role), active: active.unwrap_or(self.active), ..self.clone() };
        if wanted == *self {
            return None;
        }
        let only_switched_on = wanted.role == self.role && wanted.active;
        Some(if only_switched_on { wanted } else { wanted.end_sessions() })
    }

    /// Whether something other than a password proves who they are.
    pub fn has_second_factor(&self) -> bool {
        self.second_factor.is_some()
    }

    /// Has no second factor any more, which ends all of their sessions; a password that cannot stand alone has to be
    /// changed at the next sign-in.
    #[must_use]
    pub fn without_factor(&self, now: Timestamp) -> Self {
        let one_time_until = if self.short_password { Some(one_time_until(now)) } else { self.one_time_until };
        Self { second_factor: None, pending_factor: None, one_time_until, ..self.end_sessions() }
    }

    /// Whether their role is one that a password alone is not enough for.
    fn asks_for_second_factor(&self) -> bool {
        matches!(self.role, Role::Admin | Role::PrivacyOfficer)
    }

    /// What a token of theirs is good for: setting up their account, until that is done.
    pub fn scope(&self, factor_required: bool) -> &'static str {
        let lacks_factor = factor_required && self.asks_for_second_factor() && !self.has_second_factor();
        if self.one_time_until.is_some() || lacks_factor { ENROLLING } else { SCOPE }
    }

    /// Keeps another hash of the same password.
    #[must_use]
    pub fn rehashed(&self, password: PasswordHash) -> Self {
        Self { password, ..self.clone() }
    }

    /// Lets a user in whose password `matches`.
    pub fn sign_in(user: Option<Self>, matches: bool, now: Timestamp) -> Result<Self, Refusal> {
        let user = user.ok_or(Refusal::Unknown)?;
        if !matches {
            return Err(Refusal::WrongPassword(user.id));
        }
        if !user.active {
            return Err(Refusal::Inactive(user.id));
        }
        if user.one_time_until.is_some_and(|until| until <= now) {
            return Err(Refusal::RanOut(user.id));
        }
        Ok(user)
    }
}

fn one_time_until(now: Timestamp) -> Timestamp {
    now.saturating_add(ONE_TIME).unwrap_or(Timestamp::MAX)
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

    fn sign_in(user: Option<User>, matches: bool) -> Result<User, Refusal> {
        User::sign_in(user, matches, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn only_an_active_user_with_their_password_is_let_in() {
        let id = user(true).id;
        assert_eq!(sign_in(Some(user(true)), true), Ok(user(true)));
        assert_eq!(sign_in(Some(user(true)), false), Err(Refusal::WrongPassword(id)));
        assert_eq!(sign_in(Some(user(false)), true), Err(Refusal::Inactive(id)));
        assert_eq!(sign_in(Some(user(false)), false), Err(Refusal::WrongPassword(id)));
        // A hash that matched nobody's password is nobody's.
        assert_eq!(sign_in(None, true), Err(Refusal::Unknown));
    }

    #[test]
    fn a_password_that_serves_once_is_good_for_a_day_and_for_choosing_another() {
        let reset = user(true).reset(user(true).password, Timestamp::UNIX_EPOCH);
        assert_eq!((reset.epoch, reset.scope(true)), (1, ENROLLING));
        let at =
            |hours| User::sign_in(Some(reset.clone()), true, Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours));
        assert!(at(23).is_ok());
        assert_eq!(at(24), Err(Refusal::RanOut(reset.id)));
        let chosen = reset.with_password(user(true).password, false);
        assert_eq!((chosen.epoch, chosen.scope(false), chosen.one_time_until), (2, SCOPE, None));
    }

    #[test]
    fn some_roles_need_a_second_factor_where_it_is_required() {
        let factor = SecondFactor { sealed: String::new(), last_step: 0, recovery: Vec::new() };
        for (role, required, has, scope) in [
            (Role::Admin, true, false, ENROLLING),
            (Role::PrivacyOfficer, true, false, ENROLLING),
            (Role::Admin, true, true, SCOPE),
            (Role::Admin, false, false, SCOPE),
            (Role::Nurse, true, false, SCOPE),
        ] {
            let user = User { role, second_factor: has.then(|| factor.clone()), ..user(true) };
            assert_eq!(user.scope(required), scope, "{role} {required} {has}");
        }
        let short = User { short_password: true, second_factor: Some(factor), ..user(true) };
        let without = short.without_factor(Timestamp::UNIX_EPOCH);
        assert_eq!((without.scope(false), without.epoch), (ENROLLING, 1));
    }

    #[test]
    fn what_takes_something_away_ends_sessions() {
        let epoch = |user: User, role, active| user.changed(Change { role, active }).map(|user| user.epoch);
        assert_eq!(epoch(user(true), None, None), None);
        assert_eq!(epoch(user(true), Some(Role::Admin), Some(true)), None);
        assert_eq!(epoch(user(true), Some(Role::Nurse), None), Some(1));
        assert_eq!(epoch(user(true), None, Some(false)), Some(1));
        assert_eq!(epoch(user(false), None, Some(true)), Some(0));
        assert_eq!(epoch(user(false), Some(Role::Nurse), Some(true)), Some(1));
    }
}
