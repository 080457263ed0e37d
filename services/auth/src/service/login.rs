//! Signing in.

use jiff::Timestamp;
use problem::Problem;
use sidecar::failure::Failure;
use uuid::Uuid;

use super::{
    AttemptError, Directory,
    chance::{self, NoChance},
    deeds::{self, Deed},
    factors::FactorError,
    hashing::Busy,
    sessions::TRIES,
};
use crate::{
    domain::{
        access_token,
        email_address::EmailAddress,
        password::{HashError, Password, PasswordHash, SALT},
        second_factor::Otp,
        session::{Session, SessionToken},
        user::{Refusal, User},
    },
    outbound::{
        sessions::beginning,
        throttle::{Attempt, Throttled},
        users::Loaded,
    },
};

/// What somebody signs in with.
#[derive(Debug)]
pub struct Credentials {
    /// Who they say they are.
    pub email: EmailAddress,
    /// What proves it.
    pub password: Password,
    /// What proves it besides, where the user has a second factor.
    pub otp: Option<Otp>,
}

/// Makes a session of one sort or the other.
pub(super) type Beginning = fn(&User, &SessionToken, Timestamp) -> Session;

/// A session that has just begun.
pub(super) struct Begun {
    pub(super) user: User,
    pub(super) session: Session,
    pub(super) token: SessionToken,
}

/// What a user gets who is let in.
#[derive(Debug)]
pub struct Granted {
    /// Shown with each request.
    pub access_token: String,
    /// How long it lasts, in seconds.
    pub expires_in: i64,
    /// What it is good for.
    pub scope: &'static str,
    /// Renews it, once.
    pub refresh_token: SessionToken,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The credentials are nobody's.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many have failed before.
    #[error(transparent)]
    Attempt(#[from] AttemptError),
    /// Too many want to sign in at once.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// A hash.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The second factor cannot be read.
    #[error(transparent)]
    Factor(#[from] FactorError),
    /// The token.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
    /// The audit cannot keep up.
    #[error(transparent)]
    Unrecorded(#[from] Problem),
}

/// Why there is no token for somebody who was let in.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The signing key is not known yet.
    #[error("the signing key is not known yet")]
    NotReady,
    /// Random numbers.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The signature.
    #[error("the token could not be signed")]
    Signature(#[from] jsonwebtoken::errors::Error),
}

impl Directory {
    /// Signs a user in and begins a session.
    pub async fn login(
        &self,
        shown: Credentials,
        address: Option<&str>,
        now: Timestamp,
    ) -> Result<Granted, LoginError> {
        let Begun { user, session, token } = self.sign_in(shown, address, Session::begin, now).await?;
        Ok(self.grant(&user, &session, token, now)?)
    }

    /// Signs a user in by what they have `shown`, and begins their session as `begin` says.
    ///
    /// Each step is the same for everyone up to the refusal, so that neither words nor time tell who exists.
    pub(super) async fn sign_in(
        &self,
        shown: Credentials,
        address: Option<&str>,
        begin: Beginning,
        now: Timestamp,
    ) -> Result<Begun, LoginError> {
        let Credentials { email, password, otp } = shown;
        if self.signing_key().is_none() {
            return Err(GrantError::NotReady.into());
        }
        let salt = chance::bytes().map_err(GrantError::Chance)?;
        let turn = self.hashing.enter()?;
        let (attempt, loaded) = tokio::join!(self.attempt(email.user_id(), address), self.users.get(email.user_id()));
        let (attempt, loaded) = (
            attempt.inspect_err(|error| {
                if matches!(error, AttemptError::Throttled(Throttled::Wait(_))) {
                    self.note(Deed::SignInHeldUp { account: email.user_id() });
                }
            })?,
            loaded?,
        );
        let kept = loaded.as_ref().map(|loaded| loaded.user.password.clone());
        let (matches, better) = turn.compute(move || verify(&password, kept.as_ref(), &salt)).await??;
        let decided = User::sign_in(loaded.as_ref().map(|loaded| loaded.user.clone()), matches, now);
        if let Err(refusal) = decided {
            self.note_first(Deed::SignInRefused(refusal))?;
        }
        decided?;
        let loaded = loaded.ok_or(Refusal::Unknown)?;
        let verified = [Some(loaded.user.password.clone()), better.clone()];
        if let Some(better) = better {
            self.rehash(&loaded, better).await;
        }
        self.begin(loaded, &verified, otp.as_ref(), attempt, begin, now).await
    }

    /// Begins the session of a user whose password was one of the `verified`, once they have shown what stands beside it.
    async fn begin(
        &self,
        mut loaded: Loaded,
        verified: &[Option<PasswordHash>],
        otp: Option<&Otp>,
        attempt: Attempt,
        begin: Beginning,
        now: Timestamp,
    ) -> Result<Begun, LoginError> {
        let token = SessionToken::new(Uuid::now_v7(), chance::bytes().map_err(GrantError::Chance)?);
        let mut tried = 0;
        loop {
            tried += 1;
            let user = self.with_factor(&loaded.user, otp, now);
            if let Err(LoginError::Refused(refusal)) = &user {
                self.note_first(Deed::SignInRefused(*refusal))?;
            }
            let user = user?;
            let session = Session { address: attempt.address.clone(), ..begin(&user, &token, now) };
            let deed = Deed::SignedIn { user: user.id, session: session.id, role: user.role };
            let entry = deeds::entry(deed);
            // That a code has served is stored with the session that it lets in: of two who show it, one gets in.
            let saved = if user == loaded.user {
                self.sessions.create(&session, &entry).await
            } else {
                self.users.replace(&loaded, &user, vec![beginning(&session, &entry)?], &[]).await.map(drop)
            };
            match saved {
                Ok(()) => {
                    deeds::done(deed);
                    return Ok(Begun { user, session, token });
                }
                Err(Failure::Changed | Failure::Again) if tried < TRIES => {
                    loaded = self.users.get(user.id).await?.ok_or(Refusal::Unknown)?;
                    let same = verified.contains(&Some(loaded.user.password.clone()));
                    User::sign_in(Some(loaded.user.clone()), same, now)?;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// The user after they have shown what stands beside their password, if anything does.
    fn with_factor(&self, user: &User, otp: Option<&Otp>, now: Timestamp) -> Result<User, LoginError> {
        let Some(factor) = &user.second_factor else { return Ok(user.clone()) };
        let otp = otp.ok_or(Refusal::NoCode(user.id))?;
        let secret = self.open(user.id, &factor.sealed)?;
        let left = factor.accept(&secret, otp, now).ok_or(Refusal::WrongCode(user.id))?;
        Ok(User { second_factor: Some(left), ..user.clone() })
    }

    /// The tokens of a session that has just begun or been renewed.
    pub(super) fn grant(
        &self,
        user: &User,
        session: &Session,
        refresh_token: SessionToken,
        now: Timestamp,
    ) -> Result<Granted, GrantError> {
        let (access_token, expires_in) = self.access_token(user, session, now)?;
        Ok(Granted { access_token, expires_in, scope: user.scope(self.factor_required), refresh_token })
    }

    /// An access token, and how many seconds it lasts.
    pub(super) fn access_token(
        &self,
        user: &User,
        session: &Session,
        now: Timestamp,
    ) -> Result<(String, i64), GrantError> {
        let key = self.signing_key().ok_or(GrantError::NotReady)?;
        let claims = access_token::claims(user, user.scope(self.factor_required), session, Uuid::now_v7(), now);
        Ok((key.sign(&claims)?, claims.exp - claims.iat))
    }

    /// Keeps a hash that is as dear as hashes are made today. Another sign-in will try again if this one cannot.
    async fn rehash(&self, loaded: &Loaded, better: PasswordHash) {
        let user = loaded.user.rehashed(better);
        match self.users.replace(loaded, &user, Vec::new(), &[]).await {
            Ok(_) => tracing::info!(user_id = %user.id, "the password was hashed anew"),
            Err(error) => tracing::warn!(user_id = %user.id, %error, "the password could not be hashed anew"),
        }
    }
}

/// Whether the password is the one, and a better hash of it if there ought to be one.
fn verify(
    password: &Password,
    kept: Option<&PasswordHash>,
    salt: &[u8; SALT],
) -> Result<(bool, Option<PasswordHash>), HashError> {
    let matches = password.matches(kept)?;
    let outdated = matches && kept.is_some_and(PasswordHash::is_outdated);
    Ok((matches, outdated.then(|| password.hash(salt)).transpose()?))
}
