//! Auth is dead: who has a token goes on, nobody gets a new one.

use std::time::Duration;

use access::Role;
use anyhow::{Result, ensure};
use local::{App, Part};
use reqwest::Method;
use serde_json::json;

use crate::{
    browsers::Browser,
    door::{Answer, Door},
    people::person,
    stage::Stage,
};

/// What `access::keys` says when it has asked in vain.
const NO_KEYS: &str = "what is known goes on";

/// Until then the gateway need not ask auth for what a cookie is good for.
const FORGOTTEN: Duration = Duration::from_secs(6);

pub(crate) async fn dies(stage: &Stage) -> Result<()> {
    let auth = Part::service(App::Auth);
    let nobody = stage.public(Role::Admin)?.without_token();
    let signed_in = login(stage, &nobody).await?.expect(200)?;
    let browser = Browser::sign_in(stage).await?;
    ensure!(browser.state().await? == "open", "the browser is signed in");
    let administrator = nobody.with_token(signed_in.text("/access_token"));
    stage.kill(auth).await?;
    for app in [App::Gateway, App::Patient, App::Billing, App::Analytics] {
        stage.eventually(&format!("{app} has missed auth"), async || Ok(stage.logged(app, NO_KEYS) > 0)).await?;
    }
    tokio::time::sleep(FORGOTTEN).await;
    ensure!(browser.state().await? == "open", "a browser goes on, too");
    let patient = administrator.registered(&person()).await?;
    administrator.get(patient.header("location")).await?.expect(200)?;
    administrator.counted().await?;
    stage.eventually("billing answers", async || Ok(administrator.account(patient.id()).await?.is_some())).await?;
    // Nobody has verified this one before.
    stage.public(Role::Nurse)?.registered(&person()).await?;
    let gateway = format!("{}/readyz", stage.system.url());
    ensure!(stage.client.get(gateway).send().await?.status() == 200, "the gateway is not ready without auth");
    login(stage, &nobody).await?.expect_problem(503)?;

    stage.respawn(auth)?;
    stage.eventually("one can sign in again", async || Ok(login(stage, &nobody).await?.status == 200)).await
}

async fn login(stage: &Stage, door: &Door) -> Result<Answer> {
    let credentials =
        json!({ "email": stage.secrets.administrator_email, "password": stage.secrets.administrator_password });
    Answer::of(door.request(Method::POST, "/auth/login").json(&credentials)).await
}
