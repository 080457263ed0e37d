//! Signs access tokens and serves the key set, in place of `auth`.

mod forgery;

use std::sync::{Arc, Mutex, PoisonError};

use access::{AUDIENCE, Claims, ISSUER, Role, SCOPE, TYPE};
use anyhow::{Context as _, Result};
use axum::{Json, Router, routing::get};
use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, decode_header, encode,
    jwk::{Jwk, JwkSet, ThumbprintHash},
};
use local::{App, Home};
use serde_json::json;
use tokio::net::TcpListener;
use uuid::Uuid;

const LIFETIME: i64 = 600;

/// Signs access tokens as `auth` does.
pub struct Issuer {
    key: EncodingKey,
    id: String,
    set: JwkSet,
    ended: Arc<Mutex<Vec<Uuid>>>,
}

impl Issuer {
    /// The key that the home's `auth` would sign with.
    pub fn of(home: &Home) -> Result<Self> {
        let secrets = std::fs::read(home.app_secrets(App::Auth))?;
        let secrets: serde_json::Value = serde_json::from_slice(&secrets)?;
        let pem = secrets["signing-key"].as_str().context("auth has no signing key")?;
        let key = EncodingKey::from_ed_pem(pem.as_bytes())?;
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA)?;
        let id = jwk.thumbprint(ThumbprintHash::SHA256)?;
        jwk.common.key_id = Some(id.clone());
        Ok(Self { key, id, set: JwkSet { keys: vec![jwk] }, ended: Arc::default() })
    }

    /// A token of a user whose id follows from the name.
    pub fn token(&self, name: &str, role: Role) -> Result<String> {
        self.sign(&Self::claims(name, role, Timestamp::now()))
    }

    /// What a token of this user says that was signed at this time.
    pub fn claims(name: &str, role: Role, now: Timestamp) -> Claims {
        let now = now.as_second();
        Claims {
            iss: ISSUER.to_owned(),
            sub: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()),
            aud: AUDIENCE.to_owned(),
            exp: now + LIFETIME,
            iat: now,
            nbf: now,
            jti: Uuid::now_v7(),
            sid: Uuid::now_v7(),
            role,
            scope: SCOPE.to_owned(),
        }
    }

    /// A token that says this.
    pub fn sign(&self, claims: &Claims) -> Result<String> {
        Ok(encode(&self.header(), claims, &self.key)?)
    }

    /// Ends a session; whoever asks from now on is told so.
    pub fn end_session(&self, session: Uuid) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }

    /// The id of the key that signed a token.
    pub fn key_id(token: &str) -> Result<String> {
        decode_header(token)?.kid.context("the token names no key")
    }

    fn header(&self) -> Header {
        Header { kid: Some(self.id.clone()), typ: Some(TYPE.to_owned()), ..Header::new(Algorithm::EdDSA) }
    }

    /// Serves the key set where `auth` would.
    pub(crate) async fn serve(&self, port: u16) -> Result<()> {
        let (set, ended) = (self.set.clone(), Arc::clone(&self.ended));
        let ended = move || {
            let sessions = ended.lock().unwrap_or_else(PoisonError::into_inner).clone();
            std::future::ready(Json(json!({ "sessions": sessions })))
        };
        let routes = Router::new()
            .route("/auth/.well-known/jwks.json", get(move || std::future::ready(Json(set.clone()))))
            .route("/auth/.well-known/revoked-sessions", get(ended))
            .route("/livez", get(|| async {}));
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(())
    }
}
