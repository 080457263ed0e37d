//! One signing key takes the place of another while people sign in and go on, and the old one is good for nothing then.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use local::signing_keys::{self, Rotated};
use reqwest::Method;
use serde_json::json;
use testkit::Issuer;

use crate::{
    browsers::Browser,
    door::{Answer, Door},
    roles,
    sessions::{everywhere, sign_in},
    stage::{Stage, within},
};

/// Within this a key that was taken away is refused everywhere, as a session is that was ended.
const EVERYWHERE: Duration = Duration::from_secs(5);
/// In this time `auth` reads the secret and all others fetch the key set, each every two seconds.
const NOTICE: SignedDuration = SignedDuration::from_secs(8);
/// The gateway keeps the token of a browser for five seconds; the last one of the old key is out of use then.
const OUT_OF_USE: Duration = Duration::from_secs(6);
/// When the tokens of a key are over that was followed by another, as `services/auth` has it.
const OVER: SignedDuration = SignedDuration::from_mins(12);

pub(crate) async fn rotates(stage: &Stage) -> Result<()> {
    let first = signing_keys::read(stage.home())?;
    let open = Door::new(&stage.client, stage.system.url(), None);
    let before = sign_in(stage, &open).await?;
    let rotated = Box::pin(rotate(stage, &open, &before)).await;
    // The other trials sign with it.
    store(stage, &first)?;
    let token = before.text("/access_token");
    stage.eventually("the first key is good again", async || everywhere(stage, token, 200).await).await?;
    rotated
}

#[expect(clippy::print_stdout, reason = "what a test measured")]
async fn rotate(stage: &Stage, open: &Door, before: &Answer) -> Result<()> {
    let old = before.text("/access_token");
    let browser = Browser::sign_in(stage).await?;
    let mut session = sign_in(stage, open).await?;
    ensure!(key_ids(open).await? == [Issuer::key_id(old)?], "there is one key at first");

    let now = Timestamp::now();
    let from = now + NOTICE;
    let added = signing_keys::change(stage.home(), |text| signing_keys::add(text, now, from))?;
    let taken_over = Box::pin(async {
        let by_another = async || {
            let token = sign_in(stage, open).await?;
            Ok(Issuer::key_id(token.text("/access_token"))? != Issuer::key_id(old)?)
        };
        within(Duration::from_secs(15), "the new key signs", by_another).await?;
        tokio::time::sleep(OUT_OF_USE).await;
        Ok(())
    });
    session = meanwhile(stage, (open, &browser), session, Tokens::Good, taken_over).await?;
    let new = sign_in(stage, open).await?;
    let new = new.text("/access_token");
    ensure!(Timestamp::now() >= from, "it signs before its time");
    ensure!(key_ids(open).await? == [Issuer::key_id(new)?, Issuer::key_id(old)?], "both are published");
    for token in [old, new] {
        ensure!(everywhere(stage, token, 200).await?, "a token of the time before, and one of the time after");
    }

    // As it is when its tokens are over; the old key is still in the secret.
    let later = added.text.replace(&from.to_string(), &(Timestamp::now() - OVER).to_string());
    ensure!(later != added.text, "the secret has the time");
    store(stage, &later)?;
    let refused = within(EVERYWHERE, "a key whose time is over is refused", async || everywhere(stage, old, 401).await);
    let over = Box::pin(async {
        println!("    a key whose time is over is refused everywhere after {} ms", refused.await?.as_millis());
        ensure!(key_ids(open).await? == [Issuer::key_id(new)?], "it is still published");
        roles::refuses(stage, &[("signed with a key that was rotated out", old.to_owned())]).await
    });
    session = meanwhile(stage, (open, &browser), session, Tokens::Good, over).await?;
    ensure!(everywhere(stage, new, 200).await?, "the key that took its place is good");

    signing_keys::change(stage.home(), signing_keys::replace)?;
    let refused =
        within(EVERYWHERE, "a key that was taken away is refused", async || everywhere(stage, new, 401).await);
    let gone = Box::pin(async {
        println!("    a key that was taken away is refused everywhere after {} ms", refused.await?.as_millis());
        Ok(())
    });
    session = meanwhile(stage, (open, &browser), session, Tokens::PerhapsNotYet, gone).await?;
    let goes_on = async || everywhere(stage, session.text("/access_token"), 200).await;
    within(EVERYWHERE, "a session goes on with the key that took the place of all", goes_on).await?;
    within(EVERYWHERE, "a browser does", async || Ok(browser.state().await? == "open")).await.map(drop)
}

/// Whether a token is good everywhere in the moment in which it is given.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Tokens {
    Good,
    /// After an emergency a key signs that others do not know yet.
    PerhapsNotYet,
}

/// People sign in, renew a session and go on in a browser for as long as something else takes; answers the session as it then is.
async fn meanwhile<T>(
    stage: &Stage,
    (open, browser): (&Door, &Browser),
    mut session: Answer,
    tokens: Tokens,
    something: impl Future<Output = Result<T>>,
) -> Result<Answer> {
    let (over, mut rounds) = (AtomicBool::new(false), 0);
    let something = async {
        let done = something.await;
        over.store(true, Ordering::SeqCst);
        done
    };
    let people = async {
        // Not cut short, since the session would be lost with an answer that nobody reads.
        while !over.load(Ordering::SeqCst) || rounds == 0 {
            let shown = json!({ "refresh_token": session.text("/refresh_token") });
            let renewed = Answer::of(open.request(Method::POST, "/auth/refresh").json(&shown)).await?;
            session = renewed.expect(200).context("a session goes on")?;
            let signed_in = sign_in(stage, open).await.context("one can sign in")?;
            for given in [&session, &signed_in] {
                let good = everywhere(stage, given.text("/access_token"), 200).await?;
                ensure!(good || tokens == Tokens::PerhapsNotYet, "a token that was just given is not accepted");
            }
            let at_work = browser.state().await? == "open";
            ensure!(at_work || tokens == Tokens::PerhapsNotYet, "a browser's session does not go on");
            rounds += 1;
        }
        anyhow::Ok(session)
    };
    let (_, session) = tokio::try_join!(something, Box::pin(people))?;
    Ok(session)
}

fn store(stage: &Stage, text: &str) -> Result<()> {
    let stored = Rotated { text: text.to_owned(), public: String::new(), forgotten: 0 };
    signing_keys::change(stage.home(), |_| Ok(stored)).map(drop)
}

/// What `auth` publishes, in its order.
async fn key_ids(open: &Door) -> Result<Vec<String>> {
    let set = open.get("/auth/.well-known/jwks.json").await?.expect(200)?;
    let keys = set.body["keys"].as_array().context("a key set")?;
    keys.iter().map(|key| key["kid"].as_str().map(str::to_owned).context("a key's id")).collect()
}
