//! A key that access tokens are signed with.

use std::fmt;

use access::{Claims, TYPE};
use ed25519_dalek::{
    SigningKey as Ed25519,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes},
};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    errors::Error,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};

/// An Ed25519 key with its public half.
pub struct SigningKey {
    key: EncodingKey,
    header: Header,
    public: Jwk,
}

/// What is stored as the signing key is none.
#[derive(Debug, thiserror::Error)]
pub enum BadKey {
    /// It cannot be read.
    #[error("it is no Ed25519 key in PKCS#8 PEM")]
    Unreadable,
    /// It cannot be used.
    #[error(transparent)]
    Unusable(#[from] Error),
}

impl SigningKey {
    /// Reads PKCS#8 in PEM, with or without the public key in it.
    pub fn from_pem(pem: &str) -> Result<Self, BadKey> {
        let key = Ed25519::from_pkcs8_pem(pem.trim()).map_err(|_| BadKey::Unreadable)?;
        // jsonwebtoken takes the older form alone, without the public key.
        let pair = KeypairBytes { secret_key: key.to_bytes(), public_key: None };
        let der = pair.to_pkcs8_der().map_err(|_| BadKey::Unreadable)?;
        let key = EncodingKey::from_ed_der(der.as_bytes());

        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA)?;
        // RFC 7638: the id says which key it is, so two instances and a restart agree.
        let id = jwk.thumbprint(ThumbprintHash::SHA256)?;
        jwk.common.key_id = Some(id.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let header = Header { kid: Some(id), typ: Some(TYPE.to_owned()), ..Header::new(Algorithm::EdDSA) };
        Ok(Self { key, header, public: jwk })
    }

    /// The id by which a token names the key.
    pub fn id(&self) -> &str {
        self.header.kid.as_deref().unwrap_or_default()
    }

    /// Signs claims.
    pub fn sign(&self, claims: &Claims) -> Result<String, Error> {
        encode(&self.header, claims, &self.key)
    }

    /// The public half, which verifies what this key signed.
    pub fn public(&self) -> &Jwk {
        &self.public
    }
}

/// What is debugged is logged.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
