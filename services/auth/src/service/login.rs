//! Signing in.

use jiff::Timestamp;
use problem::Problem;
use sidecar::failure::Failure;
use uuid::Uuid;

use super::{
    AttemptError, Directory,
    chance::{self, NoChance},
    deeds::{self, Deed},
    hashing::Busy,
};
use crate::{
    domain::{
        access_token,
        email_address::EmailAddress,
        password::{HashError, Password, PasswordHash, SALT},
        session::{RefreshToken, Session},
        user::{Refusal, User},
    },
    outbound::{throttle::Throttled, users::Loaded},
};

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
    pub refresh_token: RefreshToken,
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
    ///
    /// Each step is the same for everyone up to the refusal, so that neither words nor time tell who exists.
    pub async fn login(
        &self,
        email: &EmailAddress,
        password: Password,
        address: Option<&str>,
        now: Timestamp,
    ) -> Result<Granted, LoginError> {
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
        let user = decided?;
        if let (Some(loaded), Some(better)) = (&loaded, better) {
            self.rehash(loaded, better).await;
        }

        let token = RefreshToken::new(Uuid::now_v7(), chance::bytes().map_err(GrantError::Chance)?);
        let session = Session { address: attempt.address, ..Session::begin(&user, &token, now) };
        let deed = Deed::SignedIn { user: user.id, session: session.id, role: user.role };
        self.sessions.create(&session, &deeds::entry(deed)).await?;
        deeds::done(deed);
        Ok(self.grant(&user, &session, token, now)?)
    }

    /// The tokens of a session that has just begun or been renewed.
    pub(super) fn grant(
        &self,
        user: &User,
        session: &Session,
        refresh_token: RefreshToken,
        now: Timestamp,
    ) -> Result<Granted, GrantError> {
        let key = self.signing_key().ok_or(GrantError::NotReady)?;
        let claims = access_token::claims(user, session, Uuid::now_v7(), now);
        let expires_in = claims.exp - claims.iat;
        Ok(Granted { access_token: key.sign(&claims)?, expires_in, scope: user.scope(), refresh_token })
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
