//! Refreshing, reuse, signing out.

use std::time::{Duration, Instant};

use access::Role;
use auth::{
    domain::{
        session::{Session, SessionToken},
        user::User,
    },
    outbound::sessions::beginning,
};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use sidecar::failure::Failure;
use testkit::{Parts, Result};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    answered, header,
    people::{self, Tokens, person},
};

/// As long as others may go on with a session that is over.
const TOLD: Duration = Duration::from_secs(3);

pub(crate) async fn refresh(parts: &Parts, token: &str) -> Result<(u16, Value)> {
    let body = json!({ "refresh_token": token });
    answered(parts.request(Method::POST, "/auth/refresh").json(&body).send().await?).await
}

async fn is_revoked(parts: &Parts, session: &str) -> Result<bool> {
    let list = parts.request(Method::GET, "/auth/.well-known/revoked-sessions").send().await?;
    let list: Value = list.error_for_status()?.json().await?;
    Ok(list["sessions"].as_array().is_some_and(|sessions| sessions.iter().any(|id| id == session)))
}

/// Waits until the session is among those that are over, and answers how long that took.
pub(crate) async fn told_as_over(parts: &Parts, session: &str) -> Result<()> {
    let begun = Instant::now();
    while !is_revoked(parts, session).await? {
        anyhow::ensure!(begun.elapsed() < TOLD, "session {session} is not told as over after {:?}", begun.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

pub(crate) async fn an_old_token(parts: Parts) -> Result<()> {
    let ada = person(&parts, "refresh", Role::Nurse).await?;
    let first = ada.sign_in(&parts).await?;
    let other = ada.sign_in(&parts).await?;
    assert_ne!(first.session(), other.session(), "each sign-in is a session");
    let (status, granted) = refresh(&parts, &first.refresh).await?;
    assert_eq!((status, &granted["expires_in"], &granted["scope"]), (200, &json!(600), &json!("api")));
    let second = Tokens::of(&granted)?;
    assert_eq!(second.session(), first.session());
    assert!(second.refresh != first.refresh && second.access != first.access);
    assert!(!is_revoked(&parts, first.session()).await?);

    assert_eq!(refresh(&parts, &first.refresh).await?.0, 401, "a token serves once");
    assert_eq!(refresh(&parts, &second.refresh).await?.0, 401, "and its second use ends the session");
    told_as_over(&parts, first.session()).await?;
    assert_eq!(refresh(&parts, &other.refresh).await?.0, 200, "but no other session");
    let stored = format!(
        "select convert_from(value, 'UTF8')::jsonb -> 'data' -> 'ended' ->> 'reason' as reason, \
         position('{}' in convert_from(value, 'UTF8')) as revealed from state.state where key = 'session/{}'",
        &second.refresh[37..],
        first.session()
    );
    assert_eq!(parts.sql(&stored).await?, [json!({ "reason": "reused", "revealed": 0 })]);
    Ok(())
}

pub(crate) async fn at_once(parts: Parts) -> Result<()> {
    let ada = person(&parts, "at-once", Role::Nurse).await?;
    for callers in [2, 2, 2, 8, 16] {
        let tokens = ada.sign_in(&parts).await?;
        let mut uses = JoinSet::new();
        for _ in 0..callers {
            let (parts, token) = (parts.clone(), tokens.refresh.clone());
            uses.spawn(async move { refresh(&parts, &token).await });
        }
        let answers = uses.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
        let won: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|(status, _)| [200, 401].contains(status)), "{answers:?}");
        let winner = Tokens::of(&won[0].1)?;
        assert_eq!(refresh(&parts, &winner.refresh).await?.0, 401, "nobody can tell the thief from the owner");
        told_as_over(&parts, tokens.session()).await?;
    }
    Ok(())
}

pub(crate) async fn refusals(parts: Parts) -> Result<()> {
    let ada = person(&parts, "refusals", Role::Nurse).await?;
    let users = people::users(&parts)?;
    let sessions = people::sessions(&parts)?;
    let now = Timestamp::now();
    let ago = |minutes| now - SignedDuration::from_mins(minutes);
    let begin = |user: &User, secret: u8, at| {
        let token = SessionToken::new(Uuid::now_v7(), [secret; 32]);
        (Session::begin(user, &token, at), token.reveal())
    };
    let (good, good_token) = begin(&ada.user, 1, ago(29));
    let (idle, idle_token) = begin(&ada.user, 2, ago(31));
    let (begun, expired_token) = begin(&ada.user, 3, ago(721));
    let expired = Session { used_at: ago(1), ..begun };
    for session in [&good, &idle, &expired] {
        sessions.create(session, &people::login()).await?;
    }
    let (_, unknown_token) = begin(&ada.user, 4, now);
    let left = ada.sign_in(&parts).await?;
    assert_eq!(left.request(&parts, Method::POST, "/auth/logout").send().await?.status(), 204);
    let bob = person(&parts, "switched-off", Role::Nurse).await?;
    let off = bob.sign_in(&parts).await?;
    let loaded = users.get(bob.user.id).await?.ok_or_else(|| anyhow::anyhow!("no user"))?;
    users.replace(&loaded, &User { active: false, ..loaded.user.clone() }, Vec::new(), &[]).await?;

    let mut answers = Vec::new();
    for token in ["", "x", &left.access, &unknown_token, &idle_token, &expired_token, &left.refresh, &off.refresh]
        .map(str::to_owned)
    {
        answers.push(refresh(&parts, &token).await?);
    }
    assert_eq!(answers[0].0, 401);
    assert_eq!(answers[0].1["type"], "urn:patient-management:problem:session-over");
    assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
    assert_eq!(refresh(&parts, &good_token).await?.0, 200, "29 minutes are not idle");
    told_as_over(&parts, off.session()).await
}

pub(crate) async fn signing_out(parts: Parts) -> Result<()> {
    let ada = person(&parts, "signs-out", Role::Nurse).await?;
    let (one, two, three) = (ada.sign_in(&parts).await?, ada.sign_in(&parts).await?, ada.sign_in(&parts).await?);
    assert_eq!(parts.request(Method::POST, "/auth/logout").send().await?.status(), 401, "without a token");
    assert_eq!(one.request(&parts, Method::POST, "/auth/logout").send().await?.status(), 204);
    // Until the service has told itself, too.
    let again = one.request(&parts, Method::POST, "/auth/logout").send().await?.status().as_u16();
    assert!([204, 401].contains(&again), "{again}");
    told_as_over(&parts, one.session()).await?;
    assert_eq!(refresh(&parts, &one.refresh).await?.0, 401);
    assert_eq!(two.request(&parts, Method::POST, "/auth/logout-all").send().await?.status(), 204);
    for over in [&two, &three] {
        told_as_over(&parts, over.session()).await?;
        assert_eq!(refresh(&parts, &over.refresh).await?.0, 401);
    }
    let again = ada.sign_in(&parts).await?;
    assert!(!is_revoked(&parts, again.session()).await?);
    assert_eq!(refresh(&parts, &again.refresh).await?.0, 200);
    Ok(())
}

pub(crate) async fn of_a_changed_user(parts: Parts) -> Result<()> {
    let ada = person(&parts, "is-changed", Role::Nurse).await?;
    let users = people::users(&parts)?;
    let before = ada.sign_in(&parts).await?;
    let loaded = users.get(ada.user.id).await?.ok_or_else(|| anyhow::anyhow!("no user"))?;
    users.replace(&loaded, &loaded.user.end_sessions(), Vec::new(), &[]).await?;
    told_as_over(&parts, before.session()).await?;
    assert_eq!(refresh(&parts, &before.refresh).await?.0, 401);

    // A sign-in that was under way when the user was changed comes to an end after it.
    let token = SessionToken::new(Uuid::now_v7(), [9; 32]);
    people::sessions(&parts)?.create(&Session::begin(&ada.user, &token, Timestamp::now()), &people::login()).await?;
    told_as_over(&parts, &token.session.to_string()).await?;
    assert_eq!(refresh(&parts, &token.reveal()).await?.0, 401);

    // What nobody can hold a living access token of is not worth telling.
    let old = SessionToken::new(Uuid::now_v7(), [8; 32]);
    let long_ago = Timestamp::now() - SignedDuration::from_mins(14);
    people::sessions(&parts)?.create(&Session::begin(&ada.user, &old, long_ago), &people::login()).await?;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(!is_revoked(&parts, &old.session.to_string()).await?);
    Ok(())
}

pub(crate) async fn saved_together(parts: Parts) -> Result<()> {
    let ada = person(&parts, "is-saved", Role::Nurse).await?;
    let (users, sessions) = (people::users(&parts)?, people::sessions(&parts)?);
    let stale = users.get(ada.user.id).await?.ok_or_else(|| anyhow::anyhow!("no user"))?;
    users.replace(&stale, &ada.user.end_sessions(), Vec::new(), &[]).await?;
    let session = |secret| {
        let token = SessionToken::new(Uuid::now_v7(), [secret; 32]);
        Session::begin(&ada.user, &token, Timestamp::now())
    };
    let (refused, there) = (session(1), session(2));
    let refused_too = beginning(&refused, &people::login())?;
    let failure = users.replace(&stale, &ada.user.end_sessions(), vec![refused_too], &[]).await;
    assert!(matches!(failure, Err(Failure::Changed)), "{failure:?}");
    assert!(sessions.get(refused.id).await?.is_none(), "a session stays of what was refused");

    let current = users.get(ada.user.id).await?.ok_or_else(|| anyhow::anyhow!("no user"))?;
    sessions.create(&there, &people::login()).await?;
    let again = beginning(&there, &people::login())?;
    let failure = users.replace(&current, &ada.user, vec![again], &[]).await;
    assert!(matches!(failure, Err(Failure::KeyTaken)), "{failure:?}");
    let after = users.get(ada.user.id).await?.ok_or_else(|| anyhow::anyhow!("no user"))?;
    assert_eq!(after.version(), current.version(), "a user stays of what was refused");
    let now = users.replace(&current, &ada.user, vec![beginning(&refused, &people::login())?], &[]).await?;
    assert_eq!(now, current.version() + 1);
    assert!(sessions.get(refused.id).await?.is_some());
    Ok(())
}

pub(crate) async fn bad_bodies(parts: Parts) -> Result<()> {
    for (body, status, pointer) in [
        ("", 400, None),
        ("{", 400, None),
        ("[]", 422, Some("")),
        ("{}", 422, Some("/refresh_token")),
        (r#"{"refresh_token": 5}"#, 422, Some("/refresh_token")),
        (r#"{"refresh_token": "x", "grant_type": "y"}"#, 422, Some("/grant_type")),
    ] {
        let request =
            parts.request(Method::POST, "/auth/refresh").header("content-type", "application/json").body(body);
        let response = request.send().await?;
        assert_eq!(header(&response, "cache-control"), "no-store", "{body}");
        let (answered, problem) = answered(response).await?;
        assert_eq!((answered, problem["errors"][0]["pointer"].as_str()), (status, pointer), "{body}: {problem}");
    }
    Ok(())
}
