//! Sessions after the sign-in: renewing and ending them, and telling others which are over.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use access::AccessTokens;
use jiff::Timestamp;
use sidecar::{documents::Write, failure::Failure};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{
    Directory, chance,
    deeds::{self, Deed},
    login::{GrantError, Granted},
};
use crate::domain::{
    session::{EndReason, Refusal, Session, SessionToken},
    user::User,
};

/// Conflicts that another try gets past.
pub(super) const TRIES: u8 = 5;
/// How old the list of revoked sessions may be.
const FRESH: Duration = Duration::from_secs(1);

/// How often this service looks which sessions are over, for the tokens that it verifies itself.
const LOOK: Duration = Duration::from_secs(2);

/// Why a session was not renewed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token is not good, or not any more.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The token.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// The list of revoked sessions as it was last read.
#[derive(Debug, Default)]
pub(super) struct Revoked(Mutex<Option<(Instant, Arc<[Uuid]>)>>);

/// Keeps the tokens of sessions that are over from being accepted here: what others fetch is known in this place.
///
/// While the database is away, what was read last goes on.
pub async fn keep_ended(directory: Arc<Directory>, tokens: Arc<AccessTokens>) {
    loop {
        match directory.revoked_sessions().await {
            Ok(sessions) => tokens.set_ended(sessions.iter().copied().collect()),
            Err(error) => tracing::debug!(%error, "the sessions that are over could not be read"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Directory {
    /// Renews a session: the shown token has served, and another takes its place.
    ///
    /// Of several who show the same token one is first. The others find on the changed document that theirs is an
    /// old one, and that ends the session, as it does for any token that is not the current one: either the thief or
    /// the owner came second, and nobody can tell who.
    pub async fn refresh(&self, shown: &str, now: Timestamp) -> Result<Granted, RefreshError> {
        let shown = SessionToken::parse(shown).ok_or(Refusal::Unreadable)?;
        let next = SessionToken::new(shown.session, chance::bytes().map_err(GrantError::Chance)?);
        let mut tried = 0;
        loop {
            tried += 1;
            let loaded = self.sessions.get(shown.session).await?.ok_or(Refusal::Unknown)?;
            let owner = self.users.get(loaded.session.user).await?.ok_or(Refusal::Unknown)?.user;
            let reused = Deed::TokenReused { user: owner.id, session: shown.session };
            let renewed = loaded.session.renew(&owner, &shown, &next, now);
            let saved = match &renewed {
                Ok(session) => self.sessions.replace(&loaded, session, &[]).await,
                Err(Refusal::Reused(_)) => {
                    let ended = loaded.session.end(EndReason::Reused, now);
                    self.sessions.replace(&loaded, &ended, &[deeds::entry(reused)]).await
                }
                Err(_) => Ok(()),
            };
            match (saved, renewed) {
                (Ok(()), Ok(session)) => return Ok(self.grant(&owner, &session, next, now)?),
                (Ok(()), Err(refusal)) => {
                    if let Refusal::Reused(_) = refusal {
                        deeds::done(reused);
                    }
                    return Err(refusal.into());
                }
                (Err(Failure::Changed | Failure::Again), _) if tried < TRIES => {}
                (Err(failure), _) => return Err(failure.into()),
            }
        }
    }

    /// The write by which a session goes on in the new epoch of its user, unless it is over itself.
    pub(super) async fn carry(&self, session: Uuid, before: &User, after: &User) -> Result<Option<Write>, Failure> {
        let own = self.sessions.get(session).await?;
        let own = own.filter(|own| own.session.ended.is_none() && own.session.epoch == before.epoch);
        own.map(|own| own.becoming(&own.session.go_on(after))).transpose()
    }

    /// Ends a session of its user; one that is over already stays so.
    pub async fn sign_out(&self, session: Uuid, now: Timestamp) -> Result<(), Failure> {
        let mut tried = 0;
        loop {
            tried += 1;
            let Some(loaded) = self.sessions.get(session).await? else { return Ok(()) };
            let ended: Session = loaded.session.end(EndReason::SignedOut, now);
            if ended == loaded.session {
                return Ok(());
            }
            let deed = Deed::SignedOut { user: ended.user, session };
            match self.sessions.replace(&loaded, &ended, &[deeds::entry(deed)]).await {
                Ok(()) => {
                    deeds::done(deed);
                    return Ok(());
                }
                Err(Failure::Changed | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Ends every session of a user.
    pub async fn sign_out_everywhere(&self, user: Uuid) -> Result<(), Failure> {
        let mut tried = 0;
        loop {
            tried += 1;
            let Some(loaded) = self.users.get(user).await? else { return Ok(()) };
            let deed = Deed::SignedOutEverywhere { user };
            let entries = [deeds::entry(deed)];
            match self.users.replace(&loaded, &loaded.user.end_sessions(), Vec::new(), &entries).await {
                Ok(_) => {
                    deeds::done(deed);
                    return Ok(());
                }
                Err(Failure::Changed | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// The sessions that are over although an access token of theirs may still be alive; a second old at most.
    pub async fn revoked_sessions(&self) -> Result<Arc<[Uuid]>, Failure> {
        // Held while the database is asked, so that it is asked once however many want to know.
        let mut known = self.revoked.0.lock().await;
        if let Some((read, sessions)) = &*known
            && read.elapsed() < FRESH
        {
            return Ok(Arc::clone(sessions));
        }
        let asked = Instant::now();
        let sessions: Arc<[Uuid]> = self.sessions.revoked(Timestamp::now()).await?.into();
        *known = Some((asked, Arc::clone(&sessions)));
        Ok(sessions)
    }
}
