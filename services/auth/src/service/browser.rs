//! Sessions of browsers: one token in a cookie for all of their life, which the gateway exchanges for access tokens.
//!
//! A page never has an access token, so no script can take one away. What lies about unattended is locked after a
//! while; its user unlocks it with their password, and finds their page as they left it.

use jiff::Timestamp;
use sidecar::failure::Failure;
use uuid::Uuid;

use super::{
    Directory,
    deeds::{self, Deed},
    login::{Begun, Credentials, GrantError, LoginError},
    proof::ProofError,
    sessions::TRIES,
};
use crate::{
    domain::{
        password::Password,
        session::{Attended, Refusal, Session, SessionToken},
        user::User,
    },
    outbound::sessions::Loaded,
};

/// A browser's session, as its page is told of it.
#[derive(Debug)]
pub struct InBrowser {
    /// Whose it is.
    pub user: User,
    /// What it is good for.
    pub scope: &'static str,
    /// How it is attended.
    pub attended: Attended,
    /// When it ends, whatever its user does.
    pub ends_at: Timestamp,
}

/// What the gateway gets for a cookie.
#[derive(Debug)]
pub struct Exchanged {
    /// Shown to services with the requests of the page.
    pub access_token: String,
    /// How long that lasts, in seconds.
    pub expires_in: i64,
    /// What it is good for.
    pub scope: &'static str,
    /// In how many seconds the session is locked unless its user does something.
    pub locks_in: i64,
}

/// Why a browser's session does not go on.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// It is over, locked, or there is none.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The password does not prove who they are.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The token.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl Directory {
    /// Signs a user in at a browser; answers what the cookie is to hold.
    pub async fn sign_in_at_browser(
        &self,
        shown: Credentials,
        address: Option<&str>,
        now: Timestamp,
    ) -> Result<(SessionToken, InBrowser), LoginError> {
        let Begun { user, session, token } = self.sign_in(shown, address, Session::begin_in_browser, now).await?;
        let attended = session.browser.unwrap_or(Attended { at: now, locked: false });
        Ok((token, self.seen(user, &session, attended)))
    }

    /// The session of a cookie, locked or not. That a page asks is not something that its user did.
    pub async fn in_browser(&self, cookie: &str, now: Timestamp) -> Result<InBrowser, BrowserError> {
        let (loaded, user, token) = self.of_cookie(cookie).await?;
        let attended = loaded.session.shown_in_browser(&user, &token, now)?;
        Ok(self.seen(user, &loaded.session, attended))
    }

    /// An access token for a cookie; `is_attended` says whether its user did something, or only their page.
    pub async fn exchange(&self, cookie: &str, is_attended: bool, now: Timestamp) -> Result<Exchanged, BrowserError> {
        let (session, user) = self
            .alter_in_browser(cookie, None, |session, user, token| {
                session.go_on_in_browser(user, token, is_attended, now)
            })
            .await?;
        let attended = session.browser.ok_or(Refusal::OtherSort(session.id))?;
        let (access_token, expires_in) = self.access_token(&user, &session, now)?;
        let locks_in = attended.locks_at().duration_since(now).as_secs();
        Ok(Exchanged { access_token, expires_in, scope: user.scope(self.factor_required), locks_in })
    }

    /// Locks the session of a cookie, as its user does who walks away.
    pub async fn lock(&self, cookie: &str, now: Timestamp) -> Result<(), BrowserError> {
        self.alter_in_browser(cookie, Some(|user, session| Deed::Locked { user, session }), |session, user, token| {
            session.shown_in_browser(user, token, now)?;
            Ok(session.lock())
        })
        .await?;
        Ok(())
    }

    /// Unlocks the session of a cookie for its user.
    ///
    /// The password beside the cookie is enough, also where a second factor was asked for at the sign-in: NIST SP
    /// 800-63B-4, section 2.2.3.
    pub async fn unlock(
        &self,
        cookie: &str,
        password: Password,
        address: Option<&str>,
        now: Timestamp,
    ) -> Result<InBrowser, BrowserError> {
        let (loaded, user, token) = self.of_cookie(cookie).await?;
        loaded.session.shown_in_browser(&user, &token, now)?;
        let refused = Deed::UnlockRefused { user: user.id, session: loaded.session.id };
        self.prove(&user, password, address, refused).await?;
        let unlocked = self.alter_in_browser(
            cookie,
            Some(|user, session| Deed::Unlocked { user, session }),
            |session, user, token| {
                session.shown_in_browser(user, token, now)?;
                Ok(session.unlock(now))
            },
        );
        let (session, user) = unlocked.await?;
        let attended = session.browser.ok_or(Refusal::OtherSort(session.id))?;
        Ok(self.seen(user, &session, attended))
    }

    /// Ends the session of a cookie, locked or not.
    pub async fn sign_out_at_browser(&self, cookie: &str, now: Timestamp) -> Result<(), BrowserError> {
        let (loaded, user, token) = self.of_cookie(cookie).await?;
        loaded.session.shown_in_browser(&user, &token, now)?;
        Ok(self.sign_out(loaded.session.id, now).await?)
    }

    fn seen(&self, user: User, session: &Session, attended: Attended) -> InBrowser {
        let scope = user.scope(self.factor_required);
        InBrowser { user, scope, attended, ends_at: session.ends_at() }
    }

    async fn of_cookie(&self, cookie: &str) -> Result<(Loaded, User, SessionToken), BrowserError> {
        let token = SessionToken::parse(cookie).ok_or(Refusal::Unreadable)?;
        let loaded = self.sessions.get(token.session).await?.ok_or(Refusal::Unknown)?;
        let owner = self.users.get(loaded.session.user).await?.ok_or(Refusal::Unknown)?;
        Ok((loaded, owner.user, token))
    }

    /// Alters the session of a cookie, whatever others do to it meanwhile, and says so by the deed that `deed` makes of
    /// user and session. What stays as it was is not written.
    async fn alter_in_browser(
        &self,
        cookie: &str,
        deed: Option<fn(Uuid, Uuid) -> Deed>,
        change: impl Fn(&Session, &User, &SessionToken) -> Result<Session, Refusal>,
    ) -> Result<(Session, User), BrowserError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let (loaded, user, token) = self.of_cookie(cookie).await?;
            let changed = change(&loaded.session, &user, &token)?;
            if changed == loaded.session {
                return Ok((changed, user));
            }
            let deed = deed.map(|deed| deed(user.id, changed.id));
            let entries: Vec<_> = deed.into_iter().map(deeds::entry).collect();
            match self.sessions.replace(&loaded, &changed, &entries).await {
                Ok(()) => {
                    deed.into_iter().for_each(deeds::done);
                    return Ok((changed, user));
                }
                Err(Failure::Changed | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }
}
