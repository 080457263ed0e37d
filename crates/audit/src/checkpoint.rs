//! Checkpoints: the service signs how long its chain was and what it ended in.
//!
//! Whoever may write in the database can make a whole chain anew, but not sign it: the key is in the secret store.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::{
    Signature, Signer as _, SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey as _, DecodePublicKey as _},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::chain;

/// A signed checkpoint, one JSON object.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Whose chain.
    pub service: String,
    /// How long it was.
    pub position: i64,
    /// The hash of its last entry, in hexadecimal digits.
    pub hash: String,
    /// When it was signed.
    pub time: Timestamp,
    /// The key's [id](Key::id).
    pub key: String,
    /// Ed25519, in base64.
    pub signature: String,
}

/// Why a checkpoint proves nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Forged {
    /// Another key.
    #[error("it is signed by a key that was not given")]
    UnknownKey,
    /// Another text.
    #[error("its signature is not of this checkpoint")]
    Signature,
}

/// The text is no key.
#[derive(Debug, thiserror::Error)]
#[error("this is no Ed25519 key in PEM (PKCS#8, or SPKI for a public one)")]
pub struct BadKey;

/// What checkpoints are signed with.
pub struct Key(SigningKey);

/// What checkpoints are verified with.
#[derive(Clone, Debug)]
pub struct PublicKey(VerifyingKey);

impl Key {
    /// Reads a private key.
    pub fn from_pem(pem: &str) -> Result<Self, BadKey> {
        SigningKey::from_pkcs8_pem(pem).map(Self).map_err(|_| BadKey)
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a chain's end.
    pub fn sign(&self, service: &str, position: i64, hash: &str, time: Timestamp) -> Checkpoint {
        let mut checkpoint = Checkpoint {
            service: service.to_owned(),
            position,
            hash: hash.to_owned(),
            time,
            key: self.public().id(),
            signature: String::new(),
        };
        checkpoint.signature = BASE64_STANDARD.encode(self.0.sign(checkpoint.text().as_bytes()).to_bytes());
        checkpoint
    }
}

impl PublicKey {
    /// Reads a public key, or takes the public half of a private one.
    pub fn from_pem(pem: &str) -> Result<Self, BadKey> {
        VerifyingKey::from_public_key_pem(pem).map(Self).or_else(|_| Key::from_pem(pem).map(|key| key.public()))
    }

    /// The first half of its SHA-256.
    pub fn id(&self) -> String {
        chain::hex(&Sha256::digest(self.0.as_bytes())[..16])
    }
}

impl Checkpoint {
    /// What is signed.
    fn text(&self) -> String {
        let Self { service, position, hash, time, key, .. } = self;
        format!("patient-management audit checkpoint 1\n{service}\n{position}\n{hash}\n{time}\n{key}\n")
    }

    /// Whether one of these keys signed it.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<(), Forged> {
        let key = keys.iter().find(|key| key.id() == self.key).ok_or(Forged::UnknownKey)?;
        let signature = BASE64_STANDARD.decode(&self.signature).map_err(|_| Forged::Signature)?;
        let signature = Signature::from_slice(&signature).map_err(|_| Forged::Signature)?;
        key.0.verify_strict(self.text().as_bytes(), &signature).map_err(|_| Forged::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_verifies() {
        let key = Key(SigningKey::from_bytes(&[7; 32]));
        let other = Key(SigningKey::from_bytes(&[8; 32]));
        let signed = key.sign("auth", 5, "ab", Timestamp::UNIX_EPOCH);
        let keys = [other.public(), key.public()];
        assert_eq!(signed.verify(&keys), Ok(()));
        assert_eq!(signed.verify(&keys[..1]), Err(Forged::UnknownKey));
        for forged in [
            Checkpoint { service: "patient".to_owned(), ..signed.clone() },
            Checkpoint { position: 6, ..signed.clone() },
            Checkpoint { hash: "ac".to_owned(), ..signed.clone() },
            Checkpoint { time: Timestamp::MAX, ..signed.clone() },
            Checkpoint { key: other.public().id(), ..signed.clone() },
            Checkpoint { signature: "AAAA".to_owned(), ..signed.clone() },
        ] {
            assert_eq!(forged.verify(&keys), Err(Forged::Signature), "{forged:?}");
        }
        let read: Checkpoint = serde_json::from_str(&serde_json::to_string(&signed).unwrap()).unwrap();
        assert_eq!((read.verify(&keys), read), (Ok(()), signed));
    }
}
