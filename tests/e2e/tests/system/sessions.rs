//! Sessions through the gateway: what ends one ends it everywhere, soon.

use std::time::Duration;

use access::Role;
use anyhow::{Context as _, Result, ensure};
use local::App;
use reqwest::Method;
use serde_json::json;
use tonic::Code;

use crate::{
    door::{Answer, Door},
    sidecars::SidecarApi,
    stage::{Stage, within},
};

/// Within this a session that was ended is over everywhere.
const EVERYWHERE: Duration = Duration::from_secs(5);

#[expect(clippy::print_stdout, reason = "what a test measured")]
pub(crate) async fn end_everywhere(stage: &Stage) -> Result<()> {
    for way in ["/auth/logout", "/auth/logout-all", "a refresh token that was used twice"] {
        let open = Door::new(&stage.client, stage.system.url(), None);
        let (first, other) = (sign_in(stage, &open).await?, sign_in(stage, &open).await?);
        for granted in [&first, &other] {
            ensure!(everywhere(stage, granted.text("/access_token"), 200).await?, "a session begins everywhere");
        }
        let token = first.text("/access_token");
        if way.starts_with('/') {
            Answer::of(open.with_token(token).request(Method::POST, way)).await?.expect(204)?;
        } else {
            let shown = json!({ "refresh_token": first.text("/refresh_token") });
            let refresh = || Answer::of(open.request(Method::POST, "/auth/refresh").json(&shown));
            refresh().await?.expect(200)?;
            refresh().await?.expect_problem(401)?;
        }
        let over = async || everywhere(stage, token, 401).await;
        let took = within(EVERYWHERE, &format!("a session is over everywhere after {way}"), over).await?;
        let others = if way == "/auth/logout-all" { 401 } else { 200 };
        ensure!(everywhere(stage, other.text("/access_token"), others).await?, "{way}: the other session");
        let renewed = json!({ "refresh_token": first.text("/refresh_token") });
        let renewed = open.request(Method::POST, "/auth/refresh").json(&renewed);
        Answer::of(renewed).await?.expect_problem(401).context("a session that is over is not renewed")?;
        println!("    over everywhere after {way} in {} ms", took.as_millis());
    }
    Ok(())
}

pub(crate) async fn sign_in(stage: &Stage, open: &Door) -> Result<Answer> {
    let (email, password) = (&stage.secrets.administrator_email, &stage.secrets.administrator_password);
    let credentials = json!({ "email": email, "password": password });
    Answer::of(open.request(Method::POST, "/auth/login").json(&credentials)).await?.expect(200)
}

/// Whether the gateway and every service behind it answer the holder of a token of an administrator alike.
pub(crate) async fn everywhere(stage: &Stage, token: &str, status: u16) -> Result<bool> {
    let public = stage.public(Role::Admin)?.with_token(token);
    let mut doors = vec![(public, "/api/patients?limit=1".to_owned())];
    for (app, path) in [
        (App::Auth, "/auth/me"),
        (App::Patient, "/api/patients?limit=1"),
        (App::Analytics, "/api/analytics/metrics/registrations/export"),
    ] {
        let door = Door::new(&stage.client, stage.sidecar_url(app), Some(&stage.tokens.dapr_api_token));
        doors.push((door.with_token(token), format!("/v1.0/invoke/{app}/method{path}")));
    }
    for (door, path) in doors {
        if door.get(&path).await?.status != status {
            return Ok(false);
        }
    }
    // The gateway does not ask anybody whether an administrator may see this.
    let audit = if status == 200 { 403 } else { status };
    if stage.public(Role::Admin)?.with_token(token).get("/auth/audit").await?.status != audit {
        return Ok(false);
    }
    // The account of nobody: not found for whoever may ask.
    let api = SidecarApi::of(stage, App::Gateway).await?.with("authorization", &format!("Bearer {token}"))?;
    let code = api.call(App::Billing, "/billing.v1.Accounts/GetAccount").await?.code();
    Ok(code == if status == 200 { Code::NotFound } else { Code::Unauthenticated })
}
