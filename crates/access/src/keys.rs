//! What tokens are verified by: the key set, the sessions that have ended, and the tokens that were verified before.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, LazyLock, PoisonError, RwLock},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use problem::{Kind, Problem};
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use sidecar::Sidecar;
use uuid::Uuid;

use crate::{AUDIENCE, Caller, Claims, ENROLLING, ISSUER, SCOPE, TYPE};

const REFRESH_INTERVAL: Duration = Duration::from_secs(2);
const REFRESH_DEADLINE: Duration = Duration::from_secs(1);
/// A header beyond this is not one of ours.
const LONGEST_TOKEN: usize = 4096;
/// Verified tokens that are remembered; beyond, all are forgotten and verified again.
const REMEMBERED: usize = 10_000;

/// What a token has to say.
static VALIDATION: LazyLock<Validation> = LazyLock::new(|| {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub", "nbf"]);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.validate_nbf = true;
    validation
});

/// Verifies access tokens.
#[derive(Debug, Default)]
pub struct AccessTokens {
    keys: RwLock<HashMap<String, DecodingKey>>,
    /// Sessions that ended while tokens of theirs were still to expire.
    ended: RwLock<HashSet<Uuid>>,
    verified: RwLock<HashMap<[u8; 32], Caller>>,
}

/// Why a token is not accepted; the caller learns that it is not, the log learns why.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("no key of that id is known")]
    UnknownKey,
    #[error("the token is too long")]
    TooLong,
    #[error("the token is not an access token")]
    Type,
    #[error("the token is for something else")]
    Scope,
    #[error("the session has ended")]
    Ended,
    #[error(transparent)]
    Token(#[from] jsonwebtoken::errors::Error),
}

impl AccessTokens {
    /// Replaces the key set; a token whose key has gone is not accepted any more.
    pub fn set_keys(&self, set: &JwkSet) {
        let keys: HashMap<_, _> = set
            .keys
            .iter()
            .filter_map(|jwk| Some((jwk.common.key_id.clone()?, DecodingKey::from_jwk(jwk).ok()?)))
            .collect();
        let mut known = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() != keys.len() || known.keys().any(|id| !keys.contains_key(id)) {
            self.verified.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
        *known = keys;
    }

    /// Replaces the sessions that have ended; no token of theirs is accepted, whether it was verified before or not.
    pub fn set_ended(&self, sessions: HashSet<Uuid>) {
        *self.ended.write().unwrap_or_else(PoisonError::into_inner) = sessions;
    }

    /// Whether a session has ended; what goes on for longer than a request asks now and then.
    pub fn has_ended(&self, session: Uuid) -> bool {
        self.ended.read().unwrap_or_else(PoisonError::into_inner).contains(&session)
    }

    /// Whether there is a key to verify with.
    pub fn ready(&self) -> bool {
        !self.keys.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Verifies a token.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, Problem> {
        if !self.ready() {
            // Just started: the token may be good, and its holder need not sign in again.
            return Err(Problem::unavailable("the key set has not been fetched yet"));
        }
        let caller = self.known(token, now);
        let ended = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        let caller =
            caller.and_then(|caller| if ended.contains(&caller.session) { Err(Refused::Ended) } else { Ok(caller) });
        caller.map_err(|refused| {
            Problem::new(Kind::Unauthenticated, "The access token is not valid; sign in again.").with_cause(refused)
        })
    }

    fn known(&self, token: &str, now: Timestamp) -> Result<Caller, Refused> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        let known = self.verified.read().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
        if let Some(caller) = known.filter(|caller| caller.expires > now.as_second()) {
            return Ok(caller);
        }
        // Held until it is remembered: a key that goes meanwhile takes what it has verified with it.
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let caller = check(token, &keys)?;
        let mut verified = self.verified.write().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= REMEMBERED {
            verified.clear();
        }
        verified.insert(hash, caller.clone());
        Ok(caller)
    }
}

fn check(token: &str, keys: &HashMap<String, DecodingKey>) -> Result<Caller, Refused> {
    if token.len() > LONGEST_TOKEN {
        return Err(Refused::TooLong);
    }
    // Keys come from our own set by their id: a key or an address in the header is ignored.
    let header = decode_header(token)?;
    if header.typ.as_deref().is_none_or(|kind| !kind.eq_ignore_ascii_case(TYPE)) {
        return Err(Refused::Type);
    }
    let id = header.kid.ok_or(Refused::UnknownKey)?;
    let key = keys.get(&id).ok_or(Refused::UnknownKey)?;
    let claims: Claims = decode(token, key, &VALIDATION)?.claims;
    let expires = claims.exp + i64::try_from(VALIDATION.leeway).unwrap_or_default();
    let enrolling = match claims.scope.as_str() {
        SCOPE => false,
        ENROLLING => true,
        _ => return Err(Refused::Scope),
    };
    Ok(Caller { subject: claims.sub, role: claims.role, session: claims.sid, enrolling, expires })
}

/// `GET /auth/.well-known/revoked-sessions`
#[derive(Debug, Deserialize)]
struct RevokedSessions {
    sessions: HashSet<Uuid>,
}

/// Fetches the key set and the ended sessions from `auth` again and again, for as long as the service runs.
///
/// While `auth` is away, what was fetched last goes on: tokens are good until they expire.
pub async fn refresh(tokens: Arc<AccessTokens>, sidecar: Sidecar) {
    let mut tick = tokio::time::interval(REFRESH_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let age = opentelemetry::global::meter("access")
        .f64_gauge("access.keys.age")
        .with_unit("s")
        .with_description("how old the key set and the list of ended sessions are: beyond seconds, auth is away")
        .build();
    let (mut failing, mut fetched) = (false, Instant::now());
    loop {
        tick.tick().await;
        let answers = tokio::try_join!(
            fetch::<JwkSet>(&sidecar, "/auth/.well-known/jwks.json"),
            fetch::<RevokedSessions>(&sidecar, "/auth/.well-known/revoked-sessions"),
        );
        match answers {
            Ok((keys, revoked)) => {
                // Before the keys, without which no token is accepted.
                tokens.set_ended(revoked.sessions);
                tokens.set_keys(&keys);
                (failing, fetched) = (false, Instant::now());
            }
            Err(problem) => {
                // Once for each time that auth goes away, and not every two seconds.
                if !failing {
                    let cause = std::error::Error::source(&problem).map(ToString::to_string);
                    tracing::warn!(cause, "the key set could not be fetched; what is known goes on");
                }
                failing = true;
            }
        }
        age.record(fetched.elapsed().as_secs_f64(), &[]);
    }
}

async fn fetch<T: DeserializeOwned>(sidecar: &Sidecar, path: &str) -> Result<T, Problem> {
    let request = Request::get(path).body(Bytes::new()).map_err(Problem::internal)?;
    let answer = sidecar.invoke("auth", request, REFRESH_DEADLINE).await?;
    if !answer.status().is_success() {
        return Err(Problem::unavailable(format!("auth answered {}", answer.status())));
    }
    serde_json::from_slice(answer.body()).map_err(Problem::internal)
}

#[cfg(test)]
pub(crate) mod tests;
