//! The keys that sign and verify access tokens, also while one takes the place of another.
//!
//! The secret has a block of PEM for each key, and before it, if the key takes the place of another, the moment from
//! which it signs:
//!
//! ```text
//! signs-from: 2026-11-25T15:03:00Z
//! -----BEGIN PRIVATE KEY-----
//! ...
//! ```
//!
//! A key is published before it signs, so that whoever verifies knows it, and after it, until no token of its is alive.
//! All that follows from the text and the clock: instances that read it at different moments agree.

use std::{cmp::Reverse, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::JwkSet;

use super::signing_key::{BadKey, SigningKey};

/// How long a key is published after the next one has begun to sign: the ten minutes that a token lasts, the minute
/// that verifiers allow, and one for clocks that differ.
pub const OVERLAP: SignedDuration = SignedDuration::from_mins(12);

/// More means that somebody rotates without end.
const AT_MOST: usize = 4;
const END: &str = "-----END PRIVATE KEY-----";

/// All keys that the secret has.
#[derive(Debug)]
pub struct SigningKeys {
    /// Never empty; who begins last is first, and of several that say nothing the first in the secret.
    keys: Vec<Timed>,
}

#[derive(Debug)]
struct Timed {
    key: Arc<SigningKey>,
    /// None has always signed.
    signs_from: Option<Timestamp>,
}

/// What is stored as the signing keys cannot be used, and none of it is.
#[derive(Debug, thiserror::Error)]
pub enum BadKeys {
    /// There is nothing.
    #[error("there is no key")]
    None,
    /// There are too many.
    #[error("there are more than {AT_MOST} keys")]
    TooMany,
    /// Not a key.
    #[error("key {0} cannot be used")]
    Key(usize, #[source] BadKey),
    /// Something else stands before a key.
    #[error("what stands before key {0} is not `signs-from: ` and a time such as 2026-11-25T15:03:00Z")]
    Time(usize),
    /// It is not clear when it signs.
    #[error("key {0} is there twice")]
    Twice(usize),
}

impl SigningKeys {
    /// Reads the secret.
    pub fn parse(text: &str) -> Result<Self, BadKeys> {
        let mut keys: Vec<Timed> = Vec::new();
        for (block, number) in text.trim().split_inclusive(END).zip(1..) {
            let (said, pem) = block.split_at(block.find("-----BEGIN").unwrap_or_default());
            let key = SigningKey::from_pem(pem).map_err(|error| BadKeys::Key(number, error))?;
            let signs_from = match said.trim() {
                "" => None,
                said => Some(time(said).ok_or(BadKeys::Time(number))?),
            };
            if keys.iter().any(|other| other.key.id() == key.id()) {
                return Err(BadKeys::Twice(number));
            }
            keys.push(Timed { key: Arc::new(key), signs_from });
        }
        if keys.len() > AT_MOST {
            return Err(BadKeys::TooMany);
        }
        // Whoever adds one at the wrong end has rotated all the same.
        keys.sort_by_key(|key| Reverse(key.signs_from));
        if keys.is_empty() { Err(BadKeys::None) } else { Ok(Self { keys }) }
    }

    /// The key that signs `now`: the last that has begun, or else the one that begins first.
    pub fn signing(&self, now: Timestamp) -> &Arc<SigningKey> {
        &self.keys[self.signing_at(now)].key
    }

    /// What verifies, `now`, all that was signed and is still alive, and all that will soon be signed.
    pub fn key_set(&self, now: Timestamp) -> JwkSet {
        let signing = self.signing_at(now);
        let followed =
            |at: usize| at <= signing || self.keys[at - 1].signs_from.is_none_or(|next| now < next + OVERLAP);
        let published = (0..self.keys.len()).take_while(|&at| followed(at));
        JwkSet { keys: published.map(|at| self.keys[at].key.public().clone()).collect() }
    }

    fn signing_at(&self, now: Timestamp) -> usize {
        let begun = |key: &Timed| key.signs_from.is_none_or(|from| from <= now);
        self.keys.iter().position(begun).unwrap_or(self.keys.len() - 1)
    }
}

fn time(said: &str) -> Option<Timestamp> {
    said.strip_prefix("signs-from:")?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
