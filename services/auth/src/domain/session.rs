//! Sessions: what a sign-in begins, what each refresh renews, and what ends it.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{sealing_key::BlindAddress, user::User};

/// After that somebody signs in again, however busy they were.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(12);
/// Without a refresh for so long a session is over: a screen that was left is no way in.
pub const IDLE: SignedDuration = SignedDuration::from_mins(30);

/// Without anything done by its user for so long a browser's session is locked: the next person at the desk finds a
/// closed door. Within the 15 minutes that clinics ask for.
pub const UNATTENDED: SignedDuration = SignedDuration::from_mins(15);
/// A browser's session is written when what it says is older than this, and not at each request.
const NOTED: SignedDuration = SignedDuration::from_secs(30);

/// Bytes of a token's secret: nobody guesses 256 bits.
pub const SECRET: usize = 32;

/// What a session is renewed with: its id and a secret that serves once.
#[derive(Clone)]
pub struct SessionToken {
    /// The session.
    pub session: Uuid,
    secret: [u8; SECRET],
}

/// What is kept of a refresh token. A secret of 256 bits needs no slow hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TokenHash([u8; 32]);

/// A session: one sign-in and everything that was renewed from it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// Its id, `sid` in access tokens.
    pub id: Uuid,
    /// Whose it is.
    pub user: Uuid,
    /// The user's epoch when it began: a session of an earlier epoch is over.
    pub epoch: u64,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last gave an access token; a browser's [half a minute](NOTED) behind at most.
    pub used_at: Timestamp,
    /// The one token that is good.
    pub token: TokenHash,
    /// What a browser's session has besides; none where a client renews it by refresh tokens.
    pub browser: Option<Attended>,
    /// Where it began, if that is known.
    pub address: Option<BlindAddress>,
    /// When and why it ended; none while it has only run out or fallen behind its user's epoch.
    pub ended: Option<Ended>,
}

/// How a browser's session is attended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attended {
    /// When its user last did something; [half a minute](NOTED) behind at most.
    pub at: Timestamp,
    /// Whether its user has locked it.
    pub locked: bool,
}

/// An end that somebody or something brought about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// Why a session was ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndReason {
    /// The user signed out.
    SignedOut,
    /// A refresh token was used that had served, or never was one: somebody has a copy.
    Reused,
}

/// Why a session is not renewed; the log learns it, the caller does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It is no refresh token.
    #[error("that is no refresh token")]
    Unreadable,
    /// There is no such session.
    #[error("there is no such session")]
    Unknown,
    /// It was ended.
    #[error("session {0} has ended")]
    Ended(Uuid),
    /// It began before its user was changed in a way that ends sessions.
    #[error("session {0} is older than a change of its user")]
    Outdated(Uuid),
    /// Its user has been switched off.
    #[error("the user of session {0} is not active")]
    Inactive(Uuid),
    /// Nobody used it for too long.
    #[error("session {0} was idle for too long")]
    Idle(Uuid),
    /// It has lasted as long as one may.
    #[error("session {0} has lasted its time")]
    Expired(Uuid),
    /// The token is not the current one.
    #[error("a refresh token of session {0} was used again")]
    Reused(Uuid),
    /// It is a browser's, or it is none and a cookie was shown.
    #[error("session {0} is of the other sort")]
    OtherSort(Uuid),
    /// Its user left it, and has to show their password.
    #[error("session {0} is locked")]
    Locked(Uuid),
}

impl SessionToken {
    /// The token of a session with this secret, which has to be random.
    pub fn new(session: Uuid, secret: [u8; SECRET]) -> Self {
        Self { session, secret }
    }

    /// Reads what a client was given.
    pub fn parse(text: &str) -> Option<Self> {
        let (session, secret) = text.split_once('.')?;
        // One spelling only: `Uuid` would read several.
        let session = Uuid::parse_str(session).ok().filter(|id| id.to_string() == session)?;
        let secret = BASE64_URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        Some(Self { session, secret })
    }

    /// What the client gets, and nobody else.
    pub fn reveal(&self) -> String {
        format!("{}.{}", self.session, BASE64_URL_SAFE_NO_PAD.encode(self.secret))
    }

    /// What is kept of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.secret).into())
    }
}

/// What is debugged is logged.
impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionToken").field("session", &self.session).finish_non_exhaustive()
    }
}

impl TokenHash {
    /// Reads a stored hash.
    pub fn parse(text: &str) -> Option<Self> {
        BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl Session {
    /// Begins a session of a user who has just signed in.
    pub fn begin(user: &User, token: &SessionToken, now: Timestamp) -> Self {
        Self {
            id: token.session,
            user: user.id,
            epoch: user.epoch,
            created_at: now,
            used_at: now,
            token: token.hash(),
            browser: None,
            address: None,
            ended: None,
        }
    }

    /// Begins the session of a browser: one token for all of its life, which page script never sees.
    pub fn begin_in_browser(user: &User, token: &SessionToken, now: Timestamp) -> Self {
        Self { browser: Some(Attended { at: now, locked: false }), ..Self::begin(user, token, now) }
    }

    /// Renews it for whoever shows the current token; from then on `next` is the current one.
    ///
    /// On [`Refusal::Reused`] the whole session has to be [ended](Self::end).
    pub fn renew(
        &self,
        user: &User,
        shown: &SessionToken,
        next: &SessionToken,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if self.browser.is_some() {
            return Err(Refusal::OtherSort(self.id));
        }
        self.goes_on(user, now)?;
        if shown.hash() != self.token {
            return Err(Refusal::Reused(self.id));
        }
        if now.duration_since(self.used_at) >= IDLE {
            return Err(Refusal::Idle(self.id));
        }
        Ok(Self { used_at: now, token: next.hash(), ..self.clone() })
    }

    /// Whether it is neither over nor of a user who may not go on.
    fn goes_on(&self, user: &User, now: Timestamp) -> Result<(), Refusal> {
        if self.ended.is_some() {
            return Err(Refusal::Ended(self.id));
        }
        if self.epoch != user.epoch {
            return Err(Refusal::Outdated(self.id));
        }
        if !user.active {
            return Err(Refusal::Inactive(self.id));
        }
        if now >= self.ends_at() {
            return Err(Refusal::Expired(self.id));
        }
        Ok(())
    }

    /// How it is attended, for whoever shows the token of a browser's session that goes on, locked or not.
    ///
    /// A wrong token ends nothing: the id alone, which access tokens name, is no way to sign others out.
    pub fn shown_in_browser(&self, user: &User, shown: &SessionToken, now: Timestamp) -> Result<Attended, Refusal> {
        let attended = self.browser.ok_or(Refusal::OtherSort(self.id))?;
        if shown.hash() != self.token {
            return Err(Refusal::Unknown);
        }
        self.goes_on(user, now)?;
        Ok(Attended { locked: attended.locked || now >= attended.locks_at(), ..attended })
    }

    /// Goes on for whoever shows its token; `is_attended` says whether its user did something, or only their page.
    pub fn go_on_in_browser(
        &self,
        user: &User,
        shown: &SessionToken,
        is_attended: bool,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let attended = self.shown_in_browser(user, shown, now)?;
        if attended.locked {
            return Err(Refusal::Locked(self.id));
        }
        let noted = |at: Timestamp| if now.duration_since(at) < NOTED { at } else { now };
        let at = if is_attended { noted(attended.at) } else { attended.at };
        Ok(Self { used_at: noted(self.used_at), browser: Some(Attended { at, ..attended }), ..self.clone() })
    }

    /// Locks a browser's session.
    #[must_use]
    pub fn lock(&self) -> Self {
        Self { browser: self.browser.map(|attended| Attended { locked: true, ..attended }), ..self.clone() }
    }

    /// Unlocks it, for whoever has shown their password again.
    #[must_use]
    pub fn unlock(&self, now: Timestamp) -> Self {
        Self { browser: self.browser.map(|_| Attended { at: now, locked: false }), ..self.clone() }
    }

    /// Ends it; what has ended stays as it ended.
    #[must_use]
    pub fn end(&self, reason: EndReason, now: Timestamp) -> Self {
        Self { ended: self.ended.or(Some(Ended { at: now, reason })), ..self.clone() }
    }

    /// Goes on in a later epoch of its user: it is the session in which the user was changed by themselves.
    #[must_use]
    pub fn go_on(&self, user: &User) -> Self {
        Self { epoch: user.epoch, ..self.clone() }
    }

    /// When it has lasted its time.
    pub fn ends_at(&self) -> Timestamp {
        self.created_at.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX)
    }
}

impl Attended {
    /// When it is locked unless its user does something.
    pub fn locks_at(&self) -> Timestamp {
        self.at.saturating_add(UNATTENDED).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests;
