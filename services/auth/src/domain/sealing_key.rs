//! The key that hides what has to be kept: a client's address, the secret of a second factor.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit as _,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;
use uuid::Uuid;

/// Bytes that make two seals of one secret differ.
pub const NONCE: usize = 12;

/// 256 bits, from which a key is made for each purpose.
pub struct SealingKey(SecretBox<[u8; 32]>);

/// A client's address as it is kept: whoever reads it cannot tell the address, not even by trying all there are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BlindAddress(String);

impl SealingKey {
    /// Reads 32 bytes in base64url.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = BASE64_URL_SAFE_NO_PAD.decode(text.trim()).ok()?.try_into().ok()?;
        Some(Self(SecretBox::new(Box::new(bytes))))
    }

    /// Hides a client's address.
    pub fn blind(&self, address: &str) -> BlindAddress {
        BlindAddress(BASE64_URL_SAFE_NO_PAD.encode(self.derive("client address", address)))
    }

    /// Seals a user's secret, so that whoever reads the store cannot read it; it opens for this user alone.
    pub fn seal(&self, secret: &[u8], user: Uuid, nonce: [u8; NONCE]) -> Option<String> {
        let sealed = self.cipher().encrypt(&nonce.into(), Payload { msg: secret, aad: user.as_bytes() }).ok()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what was sealed for a user.
    pub fn open(&self, sealed: &str, user: Uuid) -> Option<Vec<u8>> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        self.cipher().decrypt(&(*nonce).into(), Payload { msg: sealed, aad: user.as_bytes() }).ok()
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&self.derive("second factor", "").into())
    }

    fn derive(&self, purpose: &str, of: &str) -> [u8; 32] {
        let mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(self.0.expose_secret());
        // HMAC takes a key of any length.
        mac.map(|mac| mac.chain_update(purpose).chain_update([0]).chain_update(of).finalize().into_bytes().into())
            .unwrap_or_default()
    }
}

/// What is debugged is logged.
impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

impl BlindAddress {
    /// One that was kept.
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// The text that is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_for_its_user_and_key_alone() {
        let key = |byte: u8| SealingKey::parse(&BASE64_URL_SAFE_NO_PAD.encode([byte; 32])).unwrap();
        let (ada, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = key(1).seal(b"secret", ada, [3; NONCE]).unwrap();
        assert_eq!(key(1).open(&sealed, ada).as_deref(), Some(&b"secret"[..]));
        assert!(key(1).open(&sealed, bob).is_none() && key(2).open(&sealed, ada).is_none());
        assert!(key(1).open("", ada).is_none() && key(1).open(&sealed[1..], ada).is_none());
    }

    #[test]
    fn an_address_is_hidden_by_the_key() {
        let key = |byte: u8| SealingKey::parse(&BASE64_URL_SAFE_NO_PAD.encode([byte; 32])).unwrap();
        assert_eq!(key(1).blind("192.0.2.1"), key(1).blind("192.0.2.1"));
        assert_ne!(key(1).blind("192.0.2.1"), key(1).blind("192.0.2.2"));
        assert_ne!(key(1).blind("192.0.2.1"), key(2).blind("192.0.2.1"));
        assert!(SealingKey::parse("short").is_none());
        assert_eq!(format!("{:?}", key(1)), "SealingKey(..)");
    }
}
