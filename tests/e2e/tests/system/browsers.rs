//! Browsers, which have a cookie in place of a token.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::{
    door::{Answer, Door, key},
    people::person,
    stage::{Stage, within},
};

/// Within this a session that was ended elsewhere is over here.
const HERE: Duration = Duration::from_secs(5);

/// A browser in which somebody is signed in.
pub(crate) struct Browser {
    door: Door,
    cookie: String,
    csrf: String,
}

impl Browser {
    /// Signs the administrator in.
    pub(crate) async fn sign_in(stage: &Stage) -> Result<Self> {
        let door = Door::new(&stage.client, stage.system.url(), None);
        let (email, password) = (&stage.secrets.administrator_email, &stage.secrets.administrator_password);
        let request =
            door.request(Method::POST, "/auth/session").json(&json!({ "email": email, "password": password }));
        let answer = Answer::of(request.header("sec-fetch-site", "same-origin")).await?.expect(201)?;
        let (cookie, attributes) = answer.header("set-cookie").split_once("; ").context("a cookie")?;
        ensure!(cookie.starts_with("__Host-session="), "{cookie}");
        ensure!(attributes == "Path=/; Secure; HttpOnly; SameSite=Strict", "{attributes}");
        Ok(Self { door, cookie: cookie.to_owned(), csrf: answer.text("/csrfToken").to_owned() })
    }

    /// What a page of another site could have sent, were the cookie not for our own alone.
    fn foreign(&self, method: Method, path: &str) -> RequestBuilder {
        self.door.request(method, path).header("cookie", &self.cookie)
    }

    fn page(&self, method: Method, path: &str) -> RequestBuilder {
        self.foreign(method, path).header("sec-fetch-site", "same-origin").header("x-csrf-token", &self.csrf)
    }

    async fn told(&self, method: Method, path: &str) -> Result<Answer> {
        let answer = Answer::of(self.page(method, path)).await?;
        // No part of an answer has what a script could take away and use elsewhere.
        let (_, cookie) = self.cookie.split_once('=').context("a cookie")?;
        let all = format!("{} {:?}", answer.body, answer.headers);
        ensure!(!all.contains("eyJ") && !all.contains(cookie), "{path} tells of a token: {all}");
        Ok(answer)
    }

    /// Whether the session is good for anything, and if not, why.
    pub(crate) async fn state(&self) -> Result<String> {
        let answer = self.told(Method::GET, "/api/patients?limit=1").await?;
        if answer.status == 200 {
            return Ok("open".to_owned());
        }
        let refused = answer.expect_problem(401)?;
        Ok(refused.text("/type").rsplit(':').next().unwrap_or_default().to_owned())
    }
}

pub(crate) async fn go_on_by_cookie(stage: &Stage) -> Result<()> {
    let browser = Browser::sign_in(stage).await?;
    let session = browser.told(Method::GET, "/auth/session").await?.expect(200)?;
    ensure!(session.text("/csrfToken") == browser.csrf && session.body["locked"] == false, "{}", session.body);
    let me = browser.told(Method::GET, "/auth/me").await?.expect(200)?;
    ensure!(me.id() == session.text("/user/id"), "{}", me.body);
    let registered = browser.page(Method::POST, "/api/patients").header("idempotency-key", key()).json(&person());
    let registered = Answer::of(registered).await?.expect(201)?;
    browser.told(Method::GET, &format!("/api/patients/{}", registered.id())).await?.expect(200)?;
    // What the transcoder serves, too: not found, by who may ask.
    browser.told(Method::GET, &format!("/api/billing/accounts/{}", me.id())).await?.expect_problem(404)?;
    // What only services ask for is no route here.
    Answer::of(browser.page(Method::POST, "/auth/session/token").json(&json!({}))).await?.expect_problem(404)?;

    // A token stands before a cookie, and a bad one is not made good by it.
    let with_token = browser.page(Method::GET, "/api/patients").bearer_auth("x");
    Answer::of(with_token).await?.expect_problem(401)?;
    let twice = browser.page(Method::GET, "/api/patients").header("cookie", "__Host-session=x");
    Answer::of(twice).await?.expect_problem(401).context("two cookies")?;

    browser.told(Method::DELETE, "/auth/session").await?.expect(204)?;
    ensure!(browser.state().await? == "session-over", "it goes on after its end");
    browser.told(Method::GET, "/auth/session").await?.expect_problem(401)?;
    Ok(())
}

pub(crate) async fn keep_other_sites_out(stage: &Stage) -> Result<()> {
    let browser = Browser::sign_in(stage).await?;
    let evil = ("origin", "https://evil.example");
    let none = ("x-nothing", "1");
    let before = browser.told(Method::GET, "/auth/me").await?.expect(200)?;
    let body = json!({ "current": "wrong", "new": "seven green otters on a tram" });
    for (method, path, body) in [
        (Method::POST, "/api/patients", person()),
        (Method::POST, "/auth/password", body),
        (Method::PATCH, "/api/patients/0197a1b2-0000-7000-8000-000000000000", json!({})),
        (Method::POST, "/auth/logout-all", json!({})),
        (Method::POST, "/auth/session/lock", json!({})),
        (Method::DELETE, "/auth/session", json!({})),
    ] {
        let asked = || browser.foreign(method.clone(), path).header("idempotency-key", key()).json(&body);
        let csrf = || asked().header("x-csrf-token", &browser.csrf);
        for (what, request) in [
            ("no token of the page", asked()),
            ("a wrong token of the page", asked().header("x-csrf-token", "x")),
            ("another origin", csrf().header(evil.0, evil.1)),
            ("another site", csrf().header("sec-fetch-site", "cross-site")),
            ("a neighbour", csrf().header("sec-fetch-site", "same-site")),
        ] {
            let refused = Answer::of(request).await?.expect_problem(403).with_context(|| format!("{path}: {what}"))?;
            let kind = "urn:patient-management:problem:cross-site-request";
            ensure!(refused.text("/type") == kind, "{path}: {what}: {}", refused.body);
        }
    }
    for ((name, value), status) in [(evil, 403), (("sec-fetch-site", "cross-site"), 403), (none, 200)] {
        let read = browser.foreign(Method::GET, "/api/patients?limit=1").header(name, value);
        Answer::of(read).await?.expect(status).with_context(|| name.to_owned())?;
        let credentials = json!({ "email": "nobody@clinic.example", "password": "x" });
        let sign_in = browser.door.request(Method::POST, "/auth/session").json(&credentials).header(name, value);
        // Nobody is signed in, but a request of our own page is looked at.
        let status = if status == 200 { 401 } else { 403 };
        Answer::of(sign_in).await?.expect_problem(status).with_context(|| name.to_owned())?;
    }
    let after = browser.told(Method::GET, "/auth/me").await?.expect(200)?;
    ensure!(before.header("etag") == after.header("etag") && browser.state().await? == "open", "something changed");
    Ok(())
}

pub(crate) async fn lock(stage: &Stage) -> Result<()> {
    let browser = Browser::sign_in(stage).await?;
    ensure!(browser.state().await? == "open", "it begins open");
    browser.told(Method::POST, "/auth/session/lock").await?.expect(204)?;
    ensure!(browser.state().await? == "session-locked", "it is locked at once");
    let session = browser.told(Method::GET, "/auth/session").await?.expect(200)?;
    ensure!(session.body["locked"] == true, "{}", session.body);
    let unlock = async |password: &str| {
        let request = browser.page(Method::POST, "/auth/session/unlock").json(&json!({ "password": password }));
        Answer::of(request).await
    };
    unlock("wrong").await?.expect_problem(422)?;
    ensure!(browser.state().await? == "session-locked", "a wrong password opens it");
    unlock(&stage.secrets.administrator_password).await?.expect(200)?;
    ensure!(browser.state().await? == "open", "it is open at once");

    let other = Browser::sign_in(stage).await?;
    ensure!(other.state().await? == "open", "another browser");
    other.told(Method::POST, "/auth/logout-all").await?.expect(204)?;
    let over = async || Ok(browser.state().await? != "open" && other.state().await? != "open");
    within(HERE, "browsers are signed out everywhere", over).await?;
    // Until the gateway has asked again it is a token that is no good; then it is known why.
    let told = async || anyhow::Ok(browser.state().await? == "session-over");
    within(HERE, "a page is told why", told).await?;
    Ok(())
}
