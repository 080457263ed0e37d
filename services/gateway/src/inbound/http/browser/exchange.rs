//! Cookies for access tokens, which stay here for a few seconds.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use problem::{Kind, Problem};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sidecar::Sidecar;
use tokio::sync::Mutex;

use super::bearer;
use crate::outbound::again::{Failure, at_most_twice};

/// As long `auth` is not asked again: a session that is locked elsewhere is locked here after that.
const FRESH: Duration = Duration::from_secs(5);
/// Sessions that are remembered; beyond, all are forgotten and asked for again.
const REMEMBERED: usize = 10_000;

/// A token and what is known of its session.
#[derive(Clone, Debug)]
struct Known {
    token: HeaderValue,
    asked: Instant,
    /// When `auth` was last told that its user did something.
    attended: Option<Instant>,
    /// The token is good so long, and the session not locked, if `auth` cannot be asked.
    until: Instant,
}

/// What is remembered of a cookie. It is locked while `auth` is asked, so that the many requests of a page that has
/// just been opened ask once.
type Place = Arc<Mutex<Option<Known>>>;

/// The tokens by the hashes of their cookies.
#[derive(Debug)]
pub(super) struct Exchange {
    sidecar: Sidecar,
    places: RwLock<HashMap<[u8; 32], Place>>,
}

/// `POST /auth/session/token`
#[derive(Deserialize)]
struct Exchanged {
    access_token: String,
    expires_in: u64,
    locks_in: u64,
}

impl Exchange {
    pub(super) fn new(sidecar: &Sidecar) -> Self {
        Self { sidecar: sidecar.clone(), places: RwLock::default() }
    }

    /// The token for a cookie, as the value of an `Authorization` header; `is_attended` says whether the user did
    /// something.
    pub(super) async fn token(&self, cookie: &str, is_attended: bool) -> Result<HeaderValue, Box<Response>> {
        let place = self.place(cookie);
        let mut known = place.lock().await;
        let now = Instant::now();
        if let Some(known) = &*known
            && known.is_good(is_attended, now)
        {
            return Ok(known.token.clone());
        }
        match self.ask(cookie, is_attended).await {
            Ok(Ok(exchanged)) => {
                let good = Duration::from_secs(exchanged.expires_in.min(exchanged.locks_in));
                let token = bearer(&exchanged.access_token).map_err(|problem| Box::new(problem.into_response()))?;
                let attended = if is_attended { Some(now) } else { known.as_ref().and_then(|known| known.attended) };
                *known = Some(Known { token: token.clone(), asked: now, attended, until: now + good });
                Ok(token)
            }
            Ok(Err(refused)) => {
                drop(known);
                self.forget(cookie);
                Err(Box::new(refused))
            }
            // As for everybody else, what was good before `auth` went away goes on.
            Err(problem) => match &*known {
                Some(known) if problem.kind == Kind::Unavailable && now < known.until => Ok(known.token.clone()),
                _ => Err(Box::new(problem.into_response())),
            },
        }
    }

    /// Forgets a cookie: its session is locked, unlocked or over.
    pub(super) fn forget(&self, cookie: &str) {
        self.places.write().unwrap_or_else(PoisonError::into_inner).remove(&hash(cookie));
    }

    fn place(&self, cookie: &str) -> Place {
        let hash = hash(cookie);
        if let Some(place) = self.places.read().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return Arc::clone(place);
        }
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= REMEMBERED {
            places.clear();
        }
        Arc::clone(places.entry(hash).or_default())
    }

    /// Asks `auth`; what it refuses is an answer for the page.
    async fn ask(&self, cookie: &str, is_attended: bool) -> Result<Result<Exchanged, Response>, Problem> {
        let body = Bytes::from(json!({ "cookie": cookie, "attended": is_attended }).to_string());
        let request = Request::post("/auth/session/token").header(header::CONTENT_TYPE, "application/json");
        let request = request.body(body).map_err(Problem::internal)?;
        let answer = at_most_twice("auth", async |limit| {
            self.sidecar.invoke("auth", request.clone(), limit).await.map_err(Failure::Unknown)
        });
        let (parts, body) = answer.await?.into_parts();
        if parts.status.is_success() {
            return serde_json::from_slice(&body).map(Ok).map_err(Problem::internal);
        }
        if parts.status.is_client_error() {
            let kind = parts.headers.get(header::CONTENT_TYPE).map(|kind| (header::CONTENT_TYPE, kind.clone()));
            let mut refused = (parts.status, body).into_response();
            refused.headers_mut().remove(header::CONTENT_TYPE);
            refused.headers_mut().extend(kind);
            return Ok(Err(refused));
        }
        Err(Problem::unavailable(format!("auth answered {}", parts.status)))
    }
}

impl Known {
    fn is_good(&self, is_attended: bool, now: Instant) -> bool {
        let is_fresh = |since: Instant| now.duration_since(since) < FRESH;
        is_fresh(self.asked) && now < self.until && (!is_attended || self.attended.is_some_and(is_fresh))
    }
}

fn hash(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_used_for_seconds_and_not_while_its_session_is_locked() {
        let asked = Instant::now();
        let later = |seconds| asked + Duration::from_secs(seconds);
        let known =
            |until| Known { token: HeaderValue::from_static("x"), asked, attended: Some(asked), until: later(until) };
        assert!(known(600).is_good(true, later(4)));
        assert!(!known(600).is_good(false, later(5)));
        assert!(!known(3).is_good(false, later(3)));
        // What nobody was told of yet is told.
        assert!(!Known { attended: None, ..known(600) }.is_good(true, later(1)));
        assert!(Known { attended: None, ..known(600) }.is_good(false, later(1)));
    }
}
