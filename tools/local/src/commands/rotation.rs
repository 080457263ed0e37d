//! `rotate-keys`: another key for `auth` to sign access tokens with.

use std::{
    io::{Read as _, stdin},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use jiff::{Timestamp, Unit};
use local::{
    Home, System,
    signing_keys::{self, NOTICE, Rotated},
};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::command_line::RotateKeys;

/// `auth` reads the secret every two seconds.
const PUBLISHED_WITHIN: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_secs(1);

pub(super) async fn rotate(home: &Path, RotateKeys { compromised, filter }: RotateKeys) -> Result<()> {
    let now = Timestamp::now().round(Unit::Second)?;
    let signs_from = now + NOTICE;
    let change = |text: &str| {
        if compromised { signing_keys::replace(text) } else { signing_keys::add(text, now, signs_from) }
    };
    if filter {
        let mut text = String::new();
        stdin().read_to_string(&mut text)?;
        ensure!(compromised || !text.trim().is_empty(), "standard input is empty: no secret, no rotation");
        print!("{}", change(&text)?.text);
        return Ok(());
    }

    let home = Home::open(home).context("nothing was ever started here; `make run` does it")?;
    let rotated = signing_keys::change(&home, change)?;
    println!("A new key is in {}.", home.app_secrets(local::App::Auth).display());
    if compromised {
        println!(
            "All others are gone ({}): who is signed in gets a new token by the refresh token.",
            rotated.forgotten
        );
    } else {
        println!("It signs from {signs_from}; the key before is good for 12 minutes more, and nothing has to be done.");
        if rotated.forgotten > 0 {
            println!("Keys whose time was over were deleted: {}.", rotated.forgotten);
        }
    }
    let Some(system) = System::running(&home)? else {
        println!("The system is not running; `make run` takes it up.");
        return Ok(());
    };
    published(&system.url(), &rotated, compromised).await
}

/// Waits until `auth` publishes the key.
async fn published(url: &str, rotated: &Rotated, alone: bool) -> Result<()> {
    let url = format!("{url}/auth/.well-known/jwks.json");
    let (client, begun) = (reqwest::Client::builder().no_proxy().timeout(POLL).build()?, Instant::now());
    while begun.elapsed() < PUBLISHED_WITHIN {
        let set = match client.get(&url).send().await {
            Ok(answer) => answer.json().await.unwrap_or(Value::Null),
            Err(_) => Value::Null,
        };
        let keys = set["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
        let new = keys.iter().find(|key| key["x"] == rotated.public.as_str());
        if let Some(new) = new.filter(|_| !alone || keys.len() == 1) {
            println!("auth publishes it: {}", new["kid"].as_str().unwrap_or_default());
            return Ok(());
        }
        sleep(POLL).await;
    }
    bail!(
        "{url} does not show the new key after {} s: see `make logs PART=auth`; a sidecar that reads its secrets once, \
         as a stock daprd does, has to be started again",
        PUBLISHED_WITHIN.as_secs()
    )
}
