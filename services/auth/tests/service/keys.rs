//! The signing keys, while the service runs.

use std::time::Duration;

use anyhow::Context as _;
use ed25519_dalek::pkcs8::{EncodePrivateKey as _, KeypairBytes, spki::der::pem::LineEnding};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::Value;
use testkit::{Issuer, Parts, Result};

use crate::{administrator, logs, sign_in};

const SECRET: &str = "signing-key";
/// Two looks at the secret, and some.
const LOOKED: Duration = Duration::from_secs(5);

pub(crate) async fn rotated(parts: Parts) -> Result<()> {
    let first = parts.secret(SECRET)?;
    let done = rotate(&parts, &first).await;
    parts.set_secret(SECRET, Some(&first))?;
    parts.eventually("there is one key again", || async { Ok(published(&parts).await?.len() == 1) }).await?;
    done
}

async fn rotate(parts: &Parts, first: &str) -> Result<()> {
    let known = published(parts).await?;
    let old = signing(parts).await?;
    assert_eq!(known, [old.as_str()]);

    let now = Timestamp::now();
    let from = now + SignedDuration::from_secs(6);
    let next = format!("signs-from: {from}\n{}", pem()?);
    parts.set_secret(SECRET, Some(&format!("{next}{first}")))?;
    parts.eventually("both keys are published", || async { Ok(published(parts).await?.len() == 2) }).await?;
    assert_eq!(signing(parts).await?, old, "a key that is not known to all yet signs");
    assert!(Timestamp::now() < from, "the keys were not looked at in time");
    parts.eventually("the new key signs", || async { Ok(signing(parts).await? != old) }).await?;
    assert!(Timestamp::now() >= from);
    let (both, new) = (published(parts).await?, signing(parts).await?);
    assert_eq!(both, [new.as_str(), old.as_str()]);

    for (bad, complaint) in [
        (Some(format!("{next}{first}hunter2")), "key 3 cannot be used"),
        (Some(format!("{next}{next}")), "key 2 is there twice"),
        (None, "the secret signing-key is missing"),
    ] {
        parts.set_secret(SECRET, bad.as_deref())?;
        tokio::time::sleep(LOOKED).await;
        assert_eq!((published(parts).await?, signing(parts).await?), (both.clone(), new.clone()), "{complaint}");
        let lines = logs::so_far();
        let said = lines.lines().filter(|line| line.contains(complaint)).collect::<Vec<_>>();
        // Another instance of an earlier test may look, too.
        assert!(!said.is_empty() && said.iter().all(|line| line.contains("go on")), "{said:?}");
        assert!(said.len() < 5, "said at each look: {said:?}");
        assert!(!lines.contains("hunter2"));
    }
    Ok(())
}

fn pem() -> Result<String> {
    let pair = KeypairBytes { secret_key: [9; 32], public_key: None };
    Ok(pair.to_pkcs8_pem(LineEnding::LF).map_err(|error| anyhow::anyhow!("{error}"))?.to_string())
}

/// The id of the key that signs.
async fn signing(parts: &Parts) -> Result<String> {
    let (email, password) = administrator(parts);
    let (status, granted) = sign_in(parts, email, password).await?;
    assert_eq!(status, 200, "{granted}");
    Issuer::key_id(granted["access_token"].as_str().context("a token")?)
}

/// The ids of the keys that are published.
async fn published(parts: &Parts) -> Result<Vec<String>> {
    let set: Value = parts.request(Method::GET, "/auth/.well-known/jwks.json").send().await?.json().await?;
    let keys = set["keys"].as_array().context("a key set")?;
    keys.iter().map(|key| key["kid"].as_str().map(str::to_owned).context("a key's id")).collect()
}
