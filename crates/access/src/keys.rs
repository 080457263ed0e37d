//! The key set and the tokens that it verified.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use problem::{Kind, Problem};
use sha2::{Digest as _, Sha256};
use sidecar::Sidecar;

use crate::{AUDIENCE, Caller, Claims, ISSUER};

const REFRESH_INTERVAL: Duration = Duration::from_secs(2);
const REFRESH_DEADLINE: Duration = Duration::from_secs(1);
/// A header beyond this is not one of ours.
const LONGEST_TOKEN: usize = 4096;
/// Verified tokens that are remembered; beyond, all are forgotten and verified again.
const REMEMBERED: usize = 10_000;

/// Verifies access tokens.
#[derive(Debug, Default)]
pub struct AccessTokens {
    keys: RwLock<HashMap<String, DecodingKey>>,
    verified: RwLock<HashMap<[u8; 32], Caller>>,
}

/// Why a token is not accepted; the caller learns that it is not, the log learns why.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("no key of that id is known")]
    UnknownKey,
    #[error("the token is too long")]
    TooLong,
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

    /// Whether there is a key to verify with.
    pub fn ready(&self) -> bool {
        !self.keys.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Verifies a token.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, Problem> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        let known = self.verified.read().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
        if let Some(caller) = known.filter(|caller| caller.expires > now.as_second()) {
            return Ok(caller);
        }
        if !self.ready() {
            // Just started: the token may be good, and its holder need not sign in again.
            return Err(Problem::unavailable("the key set has not been fetched yet"));
        }
        let caller = self.check(token).map_err(|refused| {
            Problem::new(Kind::Unauthenticated, "The access token is not valid; sign in again.").with_cause(refused)
        })?;
        let mut verified = self.verified.write().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= REMEMBERED {
            verified.clear();
        }
        verified.insert(hash, caller.clone());
        Ok(caller)
    }

    fn check(&self, token: &str) -> Result<Caller, Refused> {
        if token.len() > LONGEST_TOKEN {
            return Err(Refused::TooLong);
        }
        // Keys come from our own set by their id: a key or an address in the header is ignored.
        let id = decode_header(token)?.kid.ok_or(Refused::UnknownKey)?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(&id).ok_or(Refused::UnknownKey)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub", "nbf"]);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_nbf = true;
        let claims: Claims = decode(token, key, &validation)?.claims;
        let expires = claims.exp + i64::try_from(validation.leeway).unwrap_or_default();
        Ok(Caller { subject: claims.sub, role: claims.role, expires })
    }
}

/// Fetches the key set from `auth` again and again, for as long as the service runs.
pub async fn refresh(tokens: Arc<AccessTokens>, sidecar: Sidecar) {
    let mut tick = tokio::time::interval(REFRESH_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let age = opentelemetry::global::meter("access")
        .f64_gauge("access.keys.age")
        .with_unit("s")
        .with_description("how old the key set is: beyond seconds, auth is away")
        .build();
    let (mut failing, mut fetched) = (false, Instant::now());
    loop {
        tick.tick().await;
        match fetch(&sidecar).await {
            Ok(set) => {
                tokens.set_keys(&set);
                (failing, fetched) = (false, Instant::now());
            }
            Err(problem) => {
                // Once for each time that auth goes away, and not every two seconds.
                if !failing {
                    let cause = std::error::Error::source(&problem).map(ToString::to_string);
                    tracing::warn!(cause, "the key set could not be fetched; known keys go on");
                }
                failing = true;
            }
        }
        age.record(fetched.elapsed().as_secs_f64(), &[]);
    }
}

async fn fetch(sidecar: &Sidecar) -> Result<JwkSet, Problem> {
    let request = Request::get("/auth/.well-known/jwks.json").body(Bytes::new()).map_err(Problem::internal)?;
    let answer = sidecar.invoke("auth", request, REFRESH_DEADLINE).await?;
    if !answer.status().is_success() {
        return Err(Problem::unavailable(format!("auth answered {}", answer.status())));
    }
    serde_json::from_slice(answer.body()).map_err(Problem::internal)
}

#[cfg(test)]
mod tests;
