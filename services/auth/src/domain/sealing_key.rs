//! The key that hides what has to be kept: a client's address, the secret of a second factor.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;

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

    fn derive(&self, purpose: &str, of: &str) -> [u8; 32] {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret());
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
    fn an_address_is_hidden_by_the_key() {
        let key = |byte: u8| SealingKey::parse(&BASE64_URL_SAFE_NO_PAD.encode([byte; 32])).unwrap();
        assert_eq!(key(1).blind("192.0.2.1"), key(1).blind("192.0.2.1"));
        assert_ne!(key(1).blind("192.0.2.1"), key(1).blind("192.0.2.2"));
        assert_ne!(key(1).blind("192.0.2.1"), key(2).blind("192.0.2.1"));
        assert!(SealingKey::parse("short").is_none());
        assert_eq!(format!("{:?}", key(1)), "SealingKey(..)");
    }
}
