//! What it costs a service to check an access token, alone and in memory.

use std::{hint::black_box, time::Instant};

use access::{AccessTokens, Role};
use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    rig::Rig,
    tally::{micros, quotient},
};

/// Fewer than a service remembers, so that none is forgotten meanwhile.
const TOKENS: usize = 2000;
const ROUNDS: usize = 5;
/// How often all of them are shown again in a round: one check of them is too quick for a clock.
const AGAIN: usize = 20;

/// Microseconds for one check; each the median of the rounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TokenCheck {
    /// A token that was never seen.
    pub new: f64,
    /// A token that was seen before.
    pub seen: f64,
    /// Bytes of a token.
    pub bytes: usize,
}

/// Checks tokens as `auth` signs them, with the keys that it publishes.
pub async fn check(rig: &Rig) -> Result<TokenCheck> {
    let client = rig.client()?;
    let keys = client.send(client.get("/auth/.well-known/jwks.json")?).await?.body;
    let keys = serde_json::from_slice(&keys).context("the key set")?;
    let tokens: Vec<_> = (0..TOKENS).map(|n| rig.token(&format!("user {n}"), Role::Nurse)).collect::<Result<_>>()?;
    let (mut new, mut seen) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let known = AccessTokens::default();
        known.set_keys(&keys);
        new.push(round(&known, &tokens, 1)?);
        seen.push(round(&known, &tokens, AGAIN)?);
    }
    Ok(TokenCheck { new: median(new), seen: median(seen), bytes: tokens.first().map_or(0, String::len) })
}

/// Microseconds for one check, the time of day included, which a request is asked for, too.
fn round(known: &AccessTokens, tokens: &[String], times: usize) -> Result<f64> {
    let begun = Instant::now();
    for _ in 0..times {
        for token in tokens {
            black_box(known.verify(black_box(token), Timestamp::now())?);
        }
    }
    Ok(quotient(micros(begun.elapsed()), u64::try_from(times * tokens.len())?))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).abs() < f64::EPSILON);
    }
}
