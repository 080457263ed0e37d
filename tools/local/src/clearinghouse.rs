//! Makes what plays the clearing house known to the clinic: a user for it, which it is told.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    App,
    readiness::client,
    secrets::{self, Secrets, Tokens},
    system::System,
};

const ANSWER: Duration = Duration::from_secs(10);

/// Makes a user with the role `service`, as the administrator, and tells the clearing house of it.
///
/// It forgets with its process and is told anew, of another user, each time.
pub async fn introduce(system: &System, secrets: &Secrets) -> Result<()> {
    let (client, url) = (client(ANSWER)?, system.url());
    let administrator = json!({
        "email": secrets.administrator_email,
        "password": secrets.administrator_password,
    });
    let signed_in = send(client.post(format!("{url}/auth/login")).json(&administrator), StatusCode::OK).await?;
    let token = signed_in["access_token"].as_str().context("no access token")?;

    let (email, password) = (format!("service-{}@clearinghouse.example", Uuid::now_v7()), secrets::random()?);
    let user = json!({ "email": email, "password": password, "role": "service" });
    let request = client.post(format!("{url}/auth/users")).bearer_auth(token).json(&user);
    send(request.header("idempotency-key", Uuid::now_v7().to_string()), StatusCode::CREATED).await?;

    let own = format!("http://{}:{}/credentials", Ipv4Addr::LOCALHOST, system.ports().app(App::Clearinghouse).app);
    let request = client.put(own).json(&json!({ "email": email, "password": password }));
    let request = request.header("dapr-api-token", Tokens::read(system.home())?.app_api_token);
    send(request, StatusCode::NO_CONTENT).await?;
    Ok(())
}

async fn send(request: RequestBuilder, wanted: StatusCode) -> Result<Value> {
    let answer = request.send().await?;
    let (status, path) = (answer.status(), answer.url().path().to_owned());
    let body = answer.text().await?;
    ensure!(status == wanted, "{path} was answered {status} instead of {wanted}: {body}");
    Ok(serde_json::from_str(&body).unwrap_or_default())
}
