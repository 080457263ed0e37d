//! Signing in, well and badly.

use std::time::Instant;

use access::{AccessTokens, Role};
use anyhow::Context as _;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result};

use crate::{administrator, answered, credentials, header, login, sign_in};

const KEYS: &str = "/auth/.well-known/jwks.json";

pub(crate) async fn good(parts: Parts) -> Result<()> {
    let keys = parts.request(Method::GET, KEYS).send().await?;
    assert!(header(&keys, "cache-control").contains("max-age=10"));
    let set: Value = keys.json().await?;
    assert!(set["keys"][0]["d"].is_null(), "the private half is served");

    let (email, password) = administrator(&parts);
    let response = login(&parts, &credentials(&email.to_uppercase(), password)).send().await?;
    assert_eq!((response.status().as_u16(), header(&response, "cache-control")), (200, "no-store"));
    let granted: Value = response.json().await?;
    assert_eq!(
        (&granted["token_type"], &granted["expires_in"], &granted["scope"]),
        (&json!("Bearer"), &json!(600), &json!("api"))
    );

    let tokens = AccessTokens::default();
    tokens.set_keys(&serde_json::from_value(set)?);
    let token = granted["access_token"].as_str().context("a token")?;
    let caller = tokens.verify(token, jiff::Timestamp::now())?;
    assert_eq!(caller.role, Role::Admin);
    let users = parts.sql("select user_id, email, role, active from projection.users").await?;
    assert_eq!(users, [json!({ "user_id": caller.subject, "email": email, "role": "admin", "active": true })]);

    let (_, again) = sign_in(&parts, email, password).await?;
    assert_ne!(again["access_token"], granted["access_token"], "each token is its own");
    Ok(())
}

pub(crate) async fn alike(parts: Parts) -> Result<()> {
    let (email, password) = administrator(&parts);
    let (wrong, unknown) =
        (credentials(email, &password.to_uppercase()), credentials("nobody@clinic.example", password));
    let mut answers = Vec::new();
    let mut times = [Vec::new(), Vec::new()];
    // In turn, so that a busy machine is busy for both.
    for _ in 0..12 {
        for (body, times) in [&wrong, &unknown].into_iter().zip(&mut times) {
            let begun = Instant::now();
            let response = login(&parts, body).send().await?;
            times.push(begun.elapsed());
            let headers: Vec<_> = response.headers().keys().map(ToString::to_string).collect();
            answers.push((headers, answered(response).await?));
        }
    }
    let (_, (status, problem)) = &answers[0];
    assert_eq!((*status, &problem["type"]), (401, &json!("urn:patient-management:problem:invalid-credentials")));
    assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
    // The least of each, since a busy machine only adds.
    let [wrong, unknown] = times.map(|times| times.into_iter().min().unwrap_or_default().as_secs_f64());
    let ratio = wrong / unknown;
    assert!((0.5..2.0).contains(&ratio), "a wrong password takes {wrong:.4} s, an unknown user {unknown:.4} s");
    Ok(())
}

pub(crate) async fn bad_bodies(parts: Parts) -> Result<()> {
    const JSON: &str = "application/json";
    let rows = "select key, etag from state.state order by key";
    let before = parts.sql(rows).await?;
    let (email, password) = administrator(&parts);
    let good = credentials(email, password);
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body.to_string()
    };
    let without = |name: &str| {
        let (email, password) = (json!({ "email": email }), json!({ "password": password }));
        if name == "email" { password.to_string() } else { email.to_string() }
    };
    for (body, kind, status, pointer) in [
        (String::new(), JSON, 400, None),
        (format!("{{\"email\": \"{email}\", \"password\": "), JSON, 400, None),
        (r#"{"email": "a@b.example", "password": "\ud800"}"#.to_owned(), JSON, 400, None),
        ("[]".to_owned(), JSON, 422, Some("")),
        (with("remember", json!(true)), JSON, 422, Some("/remember")),
        (without("email"), JSON, 422, Some("/email")),
        (without("password"), JSON, 422, Some("/password")),
        (with("email", json!(5)), JSON, 422, Some("/email")),
        (with("email", json!("admin")), JSON, 422, Some("/email")),
        (with("email", json!("a\0@b.example")), JSON, 422, Some("/email")),
        (with("password", json!(["x"])), JSON, 422, Some("/password")),
        (with("password", json!("a\0b")), JSON, 422, Some("/password")),
        (with("password", json!("x".repeat(257))), JSON, 422, Some("/password")),
        (with("password", json!(format!("{password} "))), JSON, 401, None),
        (good.to_string(), "text/plain", 415, None),
        (format!("email={email}"), "application/x-www-form-urlencoded", 415, None),
        (with("password", json!("x".repeat(1 << 20))), JSON, 413, None),
    ] {
        let shown = body.chars().take(80).collect::<String>();
        let request = parts.request(Method::POST, "/auth/login").header("content-type", kind).body(body);
        let response = request.send().await?;
        assert_eq!(header(&response, "content-type"), "application/problem+json", "{shown}");
        let (answered, problem) = answered(response).await?;
        assert_eq!((answered, problem["errors"][0]["pointer"].as_str()), (status, pointer), "{shown}: {problem}");
        assert!(!problem.to_string().contains(password), "{problem}");
    }
    assert_eq!(parts.request(Method::GET, "/auth/login").send().await?.status(), 405);
    assert_eq!(parts.sql(rows).await?, before);
    Ok(())
}
