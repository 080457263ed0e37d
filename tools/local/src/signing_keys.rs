//! The keys that `auth` signs access tokens with, and how one takes the place of another.
//!
//! They are one secret, the text `signing-key`: a block of PEM for each, and before it `signs-from: <time>`.
//! A new key is written once, with a time that is far enough away for everybody to know the key by then; what follows
//! from the times `auth` does by itself.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{SigningKey, pkcs8::DecodePrivateKey as _};
use jiff::{SignedDuration, Timestamp};

use crate::{
    app::App,
    home::{Home, write_private},
    secrets::private_key,
};

/// How far away the time of a new key is: a minute by which clocks may differ, and a half in which instances of `auth`
/// read the secret, services fetch the key set, and caches let go of the one before.
pub const NOTICE: SignedDuration = SignedDuration::from_secs(90);

/// After this `auth` has not published a key for minutes.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// What `auth` takes.
const AT_MOST: usize = 4;

pub(crate) const SECRET: &str = "signing-key";
const LABEL: &str = "signs-from:";
const END: &str = "-----END PRIVATE KEY-----";

/// The secret after a rotation.
pub struct Rotated {
    /// The secret as it is to be kept.
    pub text: String,
    /// The public half of the new key, as a key set has it in `x`.
    pub public: String,
    /// How many keys were left out because their time was over.
    pub forgotten: usize,
}

struct Block {
    signs_from: Option<Timestamp>,
    pem: String,
}

/// Adds a key that signs from that time on, and leaves out those whose tokens are over.
pub fn add(text: &str, now: Timestamp, signs_from: Timestamp) -> Result<Rotated> {
    let mut blocks = parse(text)?;
    // The last to begin is the first, as `auth` has them.
    blocks.sort_by_key(|block| std::cmp::Reverse(block.signs_from));
    let over = |next: &Block| next.signs_from.is_some_and(|from| from + FORGOTTEN_AFTER < now);
    let kept = blocks.iter().position(over).map_or(blocks.len(), |at| at + 1);
    let forgotten = blocks.split_off(kept).len();
    ensure!(
        blocks.len() < AT_MOST,
        "{} rotations are under way already; one is over 15 minutes after its key has begun to sign",
        AT_MOST - 1
    );
    rotated(Some(signs_from), blocks, forgotten)
}

/// A key in the place of all others, at once.
pub fn replace(text: &str) -> Result<Rotated> {
    let forgotten = parse(text).map_or(0, |blocks| blocks.len());
    rotated(None, Vec::new(), forgotten)
}

/// The secret as it is in the home.
pub fn read(home: &Home) -> Result<String> {
    all(home)?.remove(SECRET).context("there is no signing key; `make run` makes one")
}

/// Changes the secret in the home; nobody else does meanwhile.
pub fn change(home: &Home, change: impl FnOnce(&str) -> Result<Rotated>) -> Result<Rotated> {
    let _lock = home.lock_secrets()?;
    let rotated = change(&read(home)?)?;
    let mut secrets = all(home)?;
    secrets.insert(SECRET.to_owned(), rotated.text.clone());
    write_private(&home.app_secrets(App::Auth), &serde_json::to_string_pretty(&secrets)?)?;
    Ok(rotated)
}

fn all(home: &Home) -> Result<BTreeMap<String, String>> {
    let path = home.app_secrets(App::Auth);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}; `make run` makes it", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
}

fn rotated(signs_from: Option<Timestamp>, older: Vec<Block>, forgotten: usize) -> Result<Rotated> {
    let pem = private_key()?;
    let public = public(&pem)?;
    let blocks = [Block { signs_from, pem }].into_iter().chain(older);
    Ok(Rotated { text: blocks.map(|block| block.to_string()).collect(), public, forgotten })
}

fn public(pem: &str) -> Result<String> {
    let key = SigningKey::from_pkcs8_pem(pem.trim()).map_err(|_| anyhow::anyhow!("it is no Ed25519 key"))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes()))
}

fn parse(text: &str) -> Result<Vec<Block>> {
    let blocks = text.trim().split_inclusive(END).zip(1..).map(|(block, number)| {
        let (said, pem) = block.split_at(block.find("-----BEGIN").unwrap_or_default());
        public(pem).with_context(|| format!("key {number} cannot be used"))?;
        let signs_from = match said.trim() {
            "" => None,
            said => {
                let time = said.strip_prefix(LABEL).and_then(|time| time.trim().parse().ok());
                Some(time.with_context(|| format!("what stands before key {number} is not `{LABEL} <time>`"))?)
            }
        };
        Ok(Block { signs_from, pem: pem.trim().to_owned() + "\n" })
    });
    blocks.collect()
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(from) = self.signs_from {
            writeln!(f, "{LABEL} {from}")?;
        }
        f.write_str(&self.pem)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{Secrets, broker, ports::Ports};

    fn now() -> Timestamp {
        "2026-11-25T15:00:00Z".parse().unwrap()
    }

    fn keys(text: &str) -> Vec<(Option<Timestamp>, String)> {
        let blocks = parse(text).unwrap();
        blocks.into_iter().map(|block| (block.signs_from, public(&block.pem).unwrap())).collect()
    }

    #[test]
    fn a_new_key_comes_first_with_its_time_and_the_others_stay() {
        let first = private_key().unwrap();
        let added = add(&first, now(), now() + NOTICE).unwrap();
        assert!(added.text.starts_with("signs-from: 2026-11-25T15:01:30Z\n-----BEGIN PRIVATE KEY-----\n"));
        assert!(added.text.ends_with(&first) && added.forgotten == 0);
        assert_eq!(keys(&added.text), [(Some(now() + NOTICE), added.public), (None, public(&first).unwrap())]);
    }

    #[test]
    fn a_key_stays_until_the_next_one_has_signed_for_long() {
        let one = add(&private_key().unwrap(), now(), now() + NOTICE).unwrap();
        let minutes = |minutes| now() + NOTICE + SignedDuration::from_mins(minutes);
        let soon = add(&one.text, minutes(15), minutes(16)).unwrap();
        assert_eq!((keys(&soon.text).len(), soon.forgotten), (3, 0));
        let late = add(&one.text, minutes(16), minutes(17)).unwrap();
        assert_eq!((keys(&late.text).len(), late.forgotten), (2, 1));
        assert_eq!(keys(&late.text)[1].1, one.public, "the one that signs has to stay");
    }

    #[test]
    fn no_more_rotations_at_once_than_auth_takes() {
        let mut text = private_key().unwrap();
        for _ in 1..AT_MOST {
            text = add(&text, now(), now() + NOTICE).unwrap().text;
        }
        assert!(add(&text, now(), now() + NOTICE).is_err());
        let replaced = replace(&text).unwrap();
        assert_eq!((keys(&replaced.text), replaced.forgotten), (vec![(None, replaced.public)], AT_MOST));
    }

    #[test]
    fn what_cannot_be_read_is_left_alone_unless_it_is_replaced() {
        let key = private_key().unwrap();
        for bad in ["hunter2".to_owned(), key.clone() + "more", format!("signs-from: soon\n{key}")] {
            assert!(add(&bad, now(), now()).is_err(), "{bad}");
            assert_eq!(keys(&replace(&bad).unwrap().text).len(), 1);
        }
    }

    #[test]
    fn a_rotation_changes_one_secret_of_a_closed_file() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        assert!(read(&home).is_err());
        Secrets::prepare(&home, Ports::new(9000).unwrap(), broker::Kind::Kafka).unwrap();
        let before = all(&home).unwrap();
        let added = change(&home, |text| add(text, now(), now() + NOTICE)).unwrap();
        let mut after = all(&home).unwrap();
        assert_eq!(after.insert(SECRET.to_owned(), before[SECRET].clone()), Some(added.text.clone()));
        assert_eq!(after, before);
        let mode = fs::metadata(home.app_secrets(App::Auth)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        Secrets::prepare(&home, Ports::new(9100).unwrap(), broker::Kind::Kafka).unwrap();
        assert_eq!(read(&home).unwrap(), added.text, "a start keeps it");
    }
}
