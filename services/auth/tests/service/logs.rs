//! What the service logs, at every level.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use anyhow::Context as _;
use testkit::{Parts, Result};
use tracing_subscriber::EnvFilter;

use crate::{administrator, sessions, sign_in};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps what is logged from now on.
pub(crate) fn keep() -> Result<()> {
    let ours = EnvFilter::try_new("access=trace,auth=trace,problem=trace,runtime=trace,sidecar=trace,info")?;
    let kept = tracing_subscriber::fmt().with_ansi(false).with_env_filter(ours).with_writer(|| Lines).try_init();
    kept.map_err(|error| anyhow::anyhow!(error))
}

pub(crate) fn so_far() -> String {
    String::from_utf8_lossy(&LINES.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

pub(crate) async fn hold_no_secret(parts: Parts) -> Result<()> {
    let (email, password) = administrator(&parts);
    let (_, granted) = sign_in(&parts, email, password).await?;
    let token = granted["access_token"].as_str().context("a token")?;
    let refresh_token = granted["refresh_token"].as_str().context("a token")?;
    let (_, refresh_secret) = refresh_token.split_once('.').context("a token")?;
    assert_eq!(sessions::refresh(&parts, refresh_token).await?.0, 200);
    assert_eq!(sessions::refresh(&parts, refresh_token).await?.0, 401);
    let wrong = "the-wrong-password-of-this-test";
    assert_eq!(sign_in(&parts, email, wrong).await?.0, 401);
    let lines = so_far();
    assert!(lines.contains("wrong password of user") && lines.contains("was used again"), "{lines}");
    let (user, _) = email.split_once('@').context("an address")?;
    let (_, signature) = token.rsplit_once('.').context("a token")?;
    for (what, secret) in [
        ("an address", email),
        ("an address", &format!("{user}@")),
        ("an address", "nobody@"),
        ("a password", password),
        ("a password", wrong),
        ("a hash", "$argon2"),
        ("a token", token),
        ("a refresh token", refresh_secret),
        ("a token", signature),
        ("a key", "PRIVATE KEY"),
    ] {
        assert!(!lines.contains(secret), "{what} was logged");
    }
    Ok(())
}
