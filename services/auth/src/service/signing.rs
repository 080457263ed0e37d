//! The signing keys: fetched, and looked at again and again, since an operator may rotate them at any time.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use access::AccessTokens;

use super::{
    Directory,
    start::{SOON, Said},
};
use crate::outbound::secrets::{SecretError, Secrets};

/// With the two seconds after which others ask for the keys, a key that was taken away is refused within five.
const LOOK: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
#[error("the secret signing-key is missing")]
struct NoKeys;

/// Keeps the keys as they are in the secret store. What was read last goes on while there is nothing better.
pub(super) async fn keep(directory: &Directory, tokens: &AccessTokens, secrets: &Secrets) {
    let (mut said, mut known) = (Said::default(), Vec::new());
    loop {
        let answer = secrets.signing_keys().await;
        let away = matches!(answer, Err(SecretError::Store(_)));
        let is_known = directory.signing_keys().is_some();
        let follows = if is_known { "the signing keys of before go on" } else { "nobody can sign in yet" };
        match answer {
            Ok(Some(keys)) => {
                *directory.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(keys));
                said = Said::default();
            }
            Ok(None) => said.that(&NoKeys, follows),
            Err(error) => said.that(&error, follows),
        }
        verify_and_tell(directory, tokens, &mut known);
        tokio::time::sleep(if away && !is_known { SOON } else { LOOK }).await;
    }
}

/// What is signed here is verified here from the first moment, and not from the next fetch on.
fn verify_and_tell(directory: &Directory, tokens: &AccessTokens, known: &mut Vec<String>) {
    let (Some(signing), Some(set)) = (directory.signing_key(), directory.key_set()) else { return };
    tokens.set_keys(&set);
    let published = set.keys.iter().filter_map(|key| key.common.key_id.clone());
    let now: Vec<_> = [signing.id().to_owned()].into_iter().chain(published).collect();
    if now != *known {
        tracing::info!(key_id = signing.id(), published = now[1..].join(" "), "the signing keys are there");
        *known = now;
    }
}
