//! Second factors.

use access::Role;
use anyhow::Context as _;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result};
use tokio::task::JoinSet;
use totp_rs::{Algorithm, Secret, TOTP};

use crate::{
    administrator, answered, credentials,
    instance::Instance,
    login,
    people::{PASSWORD, Person, Tokens, person},
    sessions::refresh,
    sign_in,
};

/// What an application on a telephone would show, `steps` of 30 seconds from now.
fn code(secret: &str, steps: i64) -> Result<String> {
    let secret = Secret::Encoded(secret.to_owned()).to_bytes().map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let totp = TOTP::new_unchecked(Algorithm::SHA1, 6, 1, 30, secret);
    Ok(totp.generate(u64::try_from(Timestamp::now().as_second() + steps * 30)?))
}

async fn ask(parts: &Parts, tokens: &Tokens, method: Method, path: &str, body: &Value) -> Result<(u16, Value)> {
    let response = tokens.request(parts, method, path).json(body).send().await?;
    if response.status() == 204 { Ok((204, Value::Null)) } else { answered(response).await }
}

async fn sign_in_with(parts: &Parts, email: &str, password: &str, otp: &str) -> Result<(u16, Value)> {
    let mut body = credentials(email, password);
    body["otp"] = json!(otp);
    answered(login(parts, &body).send().await?).await
}

/// Sets a second factor up: the secret and the recovery codes.
async fn enrol(parts: &Parts, tokens: &Tokens) -> Result<(String, Vec<String>)> {
    let (status, begun) = ask(parts, tokens, Method::POST, "/auth/mfa/totp", &json!({ "password": PASSWORD })).await?;
    anyhow::ensure!(status == 200, "{begun}");
    let secret = begun["secret"].as_str().context("a secret")?.to_owned();
    let body = json!({ "otp": code(&secret, -1)? });
    let (status, confirmed) = ask(parts, tokens, Method::POST, "/auth/mfa/totp/confirm", &body).await?;
    anyhow::ensure!(status == 200, "{confirmed}");
    let codes = confirmed["recoveryCodes"].as_array().context("codes")?;
    Ok((secret, codes.iter().filter_map(|code| code.as_str().map(str::to_owned)).collect()))
}

async fn enrolled(parts: &Parts, name: &str) -> Result<(Person, Tokens, String, Vec<String>)> {
    let ada = person(parts, name, Role::Nurse).await?;
    let tokens = ada.sign_in(parts).await?;
    let (secret, codes) = enrol(parts, &tokens).await?;
    Ok((ada, tokens, secret, codes))
}

pub(crate) async fn code_once(parts: Parts) -> Result<()> {
    let (ada, tokens, secret, codes) = enrolled(&parts, "has-factor").await?;
    assert_eq!(codes.len(), 10);
    assert_eq!(refresh(&parts, &tokens.refresh).await?.0, 200, "the session in which it was set up goes on");

    let kind = |body: &Value| body["type"].as_str().unwrap_or_default().replace("urn:patient-management:problem:", "");
    let (status, without) = sign_in(&parts, &ada.email, PASSWORD).await?;
    assert_eq!((status, kind(&without).as_str()), (401, "otp-required"));
    let wrong_password = sign_in_with(&parts, &ada.email, "wrong", &code(&secret, 0)?).await?;
    assert_eq!((wrong_password.0, kind(&wrong_password.1).as_str()), (401, "invalid-credentials"));
    assert_eq!(
        sign_in(&parts, &ada.email, "wrong").await?,
        wrong_password,
        "that a code is missing is for who knows the password"
    );
    assert_eq!(sign_in_with(&parts, &ada.email, PASSWORD, "000000").await?, wrong_password);
    assert_eq!(
        sign_in_with(&parts, &ada.email, PASSWORD, &code(&secret, -1)?).await?,
        wrong_password,
        "it has confirmed"
    );

    let good = code(&secret, 0)?;
    let mut uses = JoinSet::new();
    for _ in 0..6 {
        let (parts, email, good) = (parts.clone(), ada.email.clone(), good.clone());
        uses.spawn(async move { Ok(sign_in_with(&parts, &email, PASSWORD, &good).await?.0) });
    }
    let answers = uses.join_all().await.into_iter().collect::<Result<Vec<u16>>>()?;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 401).count(), 5, "{answers:?}");
    assert_eq!(sign_in_with(&parts, &ada.email, PASSWORD, &codes[0]).await?.0, 200);
    assert_eq!(sign_in_with(&parts, &ada.email, PASSWORD, &codes[0]).await?.0, 401, "a recovery code serves once");

    let row = format!("select convert_from(value, 'UTF8') as text from state.state where key = 'user/{}'", ada.user.id);
    let stored = parts.sql(&row).await?[0]["text"].to_string();
    assert!(!stored.contains(&secret) && !stored.contains(&codes[1].replace('-', "")), "{stored}");
    Ok(())
}

pub(crate) async fn taken_away(parts: Parts) -> Result<()> {
    let (ada, tokens, _, codes) = enrolled(&parts, "loses-factor").await?;
    let again = ask(&parts, &tokens, Method::POST, "/auth/mfa/totp", &json!({ "password": PASSWORD })).await?;
    assert_eq!(again.0, 409, "{}", again.1);
    let wrong = ask(&parts, &tokens, Method::DELETE, "/auth/mfa/totp", &json!({ "password": "wrong" })).await?;
    assert_eq!((wrong.0, &wrong.1["errors"][0]["pointer"]), (422, &json!("/password")));
    // Beside a factor a shorter password does, and then the factor stays.
    let short = json!({ "current": PASSWORD, "new": "v9#Lq!2z" });
    assert_eq!(ask(&parts, &tokens, Method::POST, "/auth/password", &short).await?.0, 204);
    let kept = ask(&parts, &tokens, Method::DELETE, "/auth/mfa/totp", &json!({ "password": "v9#Lq!2z" })).await?;
    assert_eq!(kept.0, 409, "{}", kept.1);
    let long = json!({ "current": "v9#Lq!2z", "new": PASSWORD });
    assert_eq!(ask(&parts, &tokens, Method::POST, "/auth/password", &long).await?.0, 204);
    assert_eq!(ask(&parts, &tokens, Method::DELETE, "/auth/mfa/totp", &json!({ "password": PASSWORD })).await?.0, 204);
    assert_eq!(sign_in(&parts, &ada.email, PASSWORD).await?.0, 200);
    assert_eq!(sign_in_with(&parts, &ada.email, PASSWORD, &codes[2]).await?.0, 200, "a code too many does no harm");

    let (bob, tokens, ..) = enrolled(&parts, "lost-telephone").await?;
    let (email, password) = administrator(&parts);
    let admin = Tokens::of(&sign_in(&parts, email, password).await?.1)?;
    let reset = admin.request(&parts, Method::POST, &format!("/auth/users/{}/reset", bob.user.id)).send().await?;
    let (_, reset) = answered(reset).await?;
    let drawn = reset["password"].as_str().context("a password")?;
    assert_eq!(sign_in(&parts, &bob.email, drawn).await?.0, 401, "a reset password does not pass the factor by");
    let path = format!("/auth/users/{}/mfa", bob.user.id);
    assert_eq!(admin.request(&parts, Method::DELETE, &path).send().await?.status(), 204);
    assert_eq!(sign_in(&parts, &bob.email, drawn).await?.0, 200);
    assert_eq!(refresh(&parts, &tokens.refresh).await?.0, 401);
    Ok(())
}

pub(crate) async fn required(parts: Parts) -> Result<()> {
    let strict = Instance::start_with(&parts, &[("MFA_REQUIRED", "true")])?;
    strict.ready(&parts).await?;
    let ada = person(&parts, "strict-officer", Role::PrivacyOfficer).await?;
    let body = credentials(&ada.email, PASSWORD);
    let (status, granted) = answered(strict.request(Method::POST, "/auth/login").json(&body).send().await?).await?;
    assert_eq!((status, &granted["scope"]), (200, &json!("enrol")));
    let tokens = Tokens::of(&granted)?;
    enrol(&parts, &tokens).await?;
    let renew = strict.request(Method::POST, "/auth/refresh").json(&json!({ "refresh_token": tokens.refresh }));
    let (status, renewed) = answered(renew.send().await?).await?;
    assert_eq!((status, &renewed["scope"]), (200, &json!("api")));
    let nurse = person(&parts, "strict-nurse", Role::Nurse).await?;
    let body = credentials(&nurse.email, PASSWORD);
    let (_, granted) = answered(strict.request(Method::POST, "/auth/login").json(&body).send().await?).await?;
    assert_eq!(granted["scope"], "api", "other roles may do without");
    Ok(())
}
