//! Sessions of browsers, as the gateway asks for them.

use access::{Role, cookie::COOKIE};
use anyhow::Context as _;
use auth::domain::session::{Attended, Session, SessionToken};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::{Parts, Result};
use uuid::Uuid;

use crate::{
    answered, credentials, header,
    people::{self, PASSWORD, Person, person},
    sessions::{refresh, told_as_over},
};

fn request(parts: &Parts, method: Method, path: &str, cookie: &str) -> RequestBuilder {
    parts.request(method, path).header("cookie", format!("theme=dark; {COOKIE}={cookie}"))
}

async fn exchange(parts: &Parts, cookie: &str, attended: bool) -> Result<(u16, Value)> {
    let body = json!({ "cookie": cookie, "attended": attended });
    answered(parts.request(Method::POST, "/auth/session/token").json(&body).send().await?).await
}

/// The cookie, and what the page was told.
async fn sign_in(parts: &Parts, person: &Person) -> Result<(String, Value)> {
    let request = parts.request(Method::POST, "/auth/session").json(&credentials(&person.email, PASSWORD));
    let response = request.send().await?;
    let set = header(&response, "set-cookie").to_owned();
    let (status, body) = answered(response).await?;
    anyhow::ensure!(status == 201, "{body}");
    let cookie = set
        .strip_prefix(&format!("{COOKIE}="))
        .and_then(|set| set.strip_suffix("; Path=/; Secure; HttpOnly; SameSite=Strict"));
    Ok((cookie.with_context(|| set.clone())?.to_owned(), body))
}

fn slug(problem: &Value) -> &str {
    problem["type"].as_str().and_then(|text| text.rsplit(':').next()).unwrap_or_default()
}

pub(crate) async fn goes_on_by_its_cookie(parts: Parts) -> Result<()> {
    let ada = person(&parts, "browses", Role::Nurse).await?;
    let (cookie, told) = sign_in(&parts, &ada).await?;
    assert_eq!(
        (&told["user"]["email"], &told["scope"], &told["locked"]),
        (&json!(ada.email), &json!("api"), &json!(false))
    );
    assert!(!told.to_string().contains(&cookie[37..]), "a page learns nothing that it could go on by");
    let (status, read) = answered(request(&parts, Method::GET, "/auth/session", &cookie).send().await?).await?;
    assert_eq!((status, &read), (200, &told));

    let (status, exchanged) = exchange(&parts, &cookie, true).await?;
    assert_eq!((status, &exchanged["expires_in"], &exchanged["scope"]), (200, &json!(600), &json!("api")));
    let token = exchanged["access_token"].as_str().context("a token")?;
    let me = parts.request(Method::GET, "/auth/me").bearer_auth(token).send().await?;
    assert_eq!(answered(me).await?.1["id"], json!(ada.user.id));
    assert_eq!(refresh(&parts, &cookie).await?.0, 401, "a cookie is no refresh token");

    let (other, _) = sign_in(&parts, &ada).await?;
    let session = cookie[..36].to_owned();
    for wrong in ["", "x", &session, &format!("{session}.{}", &other[37..]), &ada.sign_in(&parts).await?.refresh] {
        let (status, problem) = exchange(&parts, wrong, true).await?;
        assert_eq!((status, slug(&problem)), (401, "session-over"), "{wrong}");
        let (status, problem) = answered(request(&parts, Method::GET, "/auth/session", wrong).send().await?).await?;
        assert_eq!((status, slug(&problem)), (401, "session-over"), "{wrong}");
    }
    assert_eq!(exchange(&parts, &cookie, true).await?.0, 200, "what others tried has ended nothing");

    let left = request(&parts, Method::DELETE, "/auth/session", &cookie).send().await?;
    assert_eq!(left.status(), 204);
    assert!(header(&left, "set-cookie").starts_with(&format!("{COOKIE}=; Max-Age=0; ")));
    assert_eq!(exchange(&parts, &cookie, true).await?.0, 401);
    told_as_over(&parts, &session).await?;
    assert_eq!(exchange(&parts, &other, true).await?.0, 200, "the other browser goes on");
    Ok(())
}

pub(crate) async fn is_locked(parts: Parts) -> Result<()> {
    let ada = person(&parts, "walks-off", Role::Nurse).await?;
    let (cookie, _) = sign_in(&parts, &ada).await?;
    assert_eq!(request(&parts, Method::POST, "/auth/session/lock", &cookie).send().await?.status(), 204);
    let sessions = people::sessions(&parts)?;
    let now = Timestamp::now();
    let ago = |minutes| now - SignedDuration::from_mins(minutes);
    let token = SessionToken::new(Uuid::now_v7(), [5; 32]);
    let left = Session::begin_in_browser(&ada.user, &token, ago(300));
    let left = Session { browser: Some(Attended { at: ago(16), locked: false }), ..left };
    sessions.create(&left, &people::login()).await?;
    for cookie in [cookie, token.reveal()] {
        let (status, problem) = exchange(&parts, &cookie, true).await?;
        assert_eq!((status, slug(&problem)), (401, "session-locked"));
        let read = answered(request(&parts, Method::GET, "/auth/session", &cookie).send().await?).await?;
        assert_eq!((read.0, &read.1["locked"], &read.1["user"]["email"]), (200, &json!(true), &json!(ada.email)));
        let unlock = async |password: &str| {
            let request = request(&parts, Method::POST, "/auth/session/unlock", &cookie);
            answered(request.json(&json!({ "password": password })).send().await?).await
        };
        let (status, problem) = unlock("wrong").await?;
        assert_eq!(
            (status, slug(&problem), &problem["errors"][0]["pointer"]),
            (422, "invalid-credentials", &json!("/password"))
        );
        assert_eq!(exchange(&parts, &cookie, true).await?.0, 401);
        let (status, told) = unlock(PASSWORD).await?;
        assert_eq!((status, &told["locked"]), (200, &json!(false)));
        assert_eq!(exchange(&parts, &cookie, true).await?.0, 200);
    }
    Ok(())
}

pub(crate) async fn is_noted_seldom(parts: Parts) -> Result<()> {
    let ada = person(&parts, "is-busy", Role::Nurse).await?;
    let sessions = people::sessions(&parts)?;
    let token = SessionToken::new(Uuid::now_v7(), [6; 32]);
    let minute_ago = Timestamp::now() - SignedDuration::from_mins(1);
    sessions.create(&Session::begin_in_browser(&ada.user, &token, minute_ago), &people::login()).await?;
    let noted = async || {
        let session = sessions.get(token.session).await?.context("a session")?.session;
        anyhow::Ok((session.used_at, session.browser.context("a browser")?.at))
    };
    assert_eq!(exchange(&parts, &token.reveal(), false).await?.0, 200);
    let by_itself = noted().await?;
    assert!(by_itself.0 > minute_ago && by_itself.1 == minute_ago, "{by_itself:?}");
    assert_eq!(exchange(&parts, &token.reveal(), true).await?.0, 200);
    let by_its_user = noted().await?;
    assert!(by_its_user.1 > minute_ago, "{by_its_user:?}");
    assert_eq!(exchange(&parts, &token.reveal(), true).await?.0, 200);
    assert_eq!(noted().await?, by_its_user, "half a minute later at the earliest");

    // An access token that was given without anybody there is told as over all the same.
    let users = people::users(&parts)?;
    let loaded = users.get(ada.user.id).await?.context("a user")?;
    users.replace(&loaded, &loaded.user.end_sessions(), Vec::new(), &[]).await?;
    told_as_over(&parts, &token.session.to_string()).await?;
    assert_eq!(exchange(&parts, &token.reveal(), true).await?.0, 401);
    Ok(())
}
