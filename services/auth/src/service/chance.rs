//! Random numbers, which the domain is given.

use rand::{TryRngCore as _, rngs::OsRng};

/// The machine has none.
#[derive(Debug, thiserror::Error)]
#[error("the machine has no random numbers")]
pub struct NoChance(#[source] rand::rand_core::OsError);

/// Bytes that nobody can guess.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoChance> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(NoChance)?;
    Ok(bytes)
}
