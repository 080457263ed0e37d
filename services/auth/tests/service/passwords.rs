//! Choosing passwords.

use access::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result};
use tokio::task::JoinSet;

use crate::{
    answered, header,
    people::{PASSWORD, Tokens, person, person_of_old},
    sessions::refresh,
    sign_in,
};

pub(crate) const OTHER: &str = "Lantern/7 quorum/9 maple";

pub(crate) async fn change(parts: &Parts, tokens: &Tokens, current: &str, new: &str) -> Result<(u16, Value)> {
    let body = json!({ "current": current, "new": new });
    let response = tokens.request(parts, Method::POST, "/auth/password").json(&body).send().await?;
    if response.status() == 204 { Ok((204, Value::Null)) } else { answered(response).await }
}

pub(crate) async fn changed(parts: Parts) -> Result<()> {
    let ada = person(&parts, "changes", Role::Nurse).await?;
    let (own, other) = (ada.sign_in(&parts).await?, ada.sign_in(&parts).await?);
    assert_eq!(change(&parts, &own, PASSWORD, OTHER).await?.0, 204);
    let (status, granted) = refresh(&parts, &own.refresh).await?;
    assert_eq!(status, 200, "{granted}");
    // A session that is over does not come to life again by its access token, which may still be honoured.
    let again = change(&parts, &other, OTHER, &format!("{OTHER}!")).await?.0;
    assert!([204, 401].contains(&again), "{again}");
    assert_eq!(refresh(&parts, &other.refresh).await?.0, 401, "other sessions are over");
    if again == 204 {
        let own = ada.sign_in_with(&parts, &format!("{OTHER}!")).await?;
        assert_eq!(change(&parts, &own, &format!("{OTHER}!"), OTHER).await?.0, 204);
    }
    let own = ada.sign_in_with(&parts, OTHER).await?;
    assert_eq!(sign_in(&parts, &ada.email, PASSWORD).await?.0, 401);
    assert_eq!(sign_in(&parts, &ada.email, &OTHER.to_lowercase()).await?.0, 401, "compared exactly");
    assert_eq!(sign_in(&parts, &ada.email, OTHER).await?.0, 200);

    // The longest that is taken, with whatever somebody can type.
    let longest: String = "gräv€l sonnet 🔑 teapot ".chars().cycle().take(256).collect();
    assert_eq!(change(&parts, &own, OTHER, &longest).await?.0, 204);
    assert_eq!(sign_in(&parts, &ada.email, &longest).await?.0, 200);
    let shorter: String = longest.chars().take(255).collect();
    assert_eq!(sign_in(&parts, &ada.email, &shorter).await?.0, 401, "nothing is cut off");

    Ok(())
}

pub(crate) async fn at_once(parts: Parts) -> Result<()> {
    let ada = person(&parts, "changes-at-once", Role::Nurse).await?;
    let tokens = ada.sign_in(&parts).await?;
    let mut changes = JoinSet::new();
    for number in 0..4 {
        let (parts, tokens) = (parts.clone(), tokens.clone());
        changes.spawn(async move {
            let new = format!("{OTHER} {number}");
            anyhow::Ok((change(&parts, &tokens, PASSWORD, &new).await?.0, new))
        });
    }
    let answers = changes.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    let won: Vec<_> = answers.iter().filter(|(status, _)| *status == 204).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|(status, _)| [204, 422].contains(status)), "{answers:?}");
    assert_eq!(sign_in(&parts, &ada.email, &won[0].1).await?.0, 200);
    Ok(())
}

pub(crate) async fn refused(parts: Parts) -> Result<()> {
    let ada = person(&parts, "lovelace.ada", Role::Nurse).await?;
    let tokens = ada.sign_in(&parts).await?;
    for (current, new, pointer, reason) in [
        (PASSWORD, "Tr7$kq!92zLmWx", "/new", "at least 15 characters"),
        (PASSWORD, "lovelace.ada@clinic.example", "/new", "e-mail address"),
        (PASSWORD, "patient-management-2026", "/new", "words of the clinic"),
        (PASSWORD, "123456789012345678", "/new", "easy to guess"),
        (PASSWORD, "correct horse battery staple", "/new", "many people choose"),
        (PASSWORD, PASSWORD, "/new", "another than the present"),
        (PASSWORD, &"x".repeat(257), "/new", "at most 256"),
        ("not the present one", OTHER, "/current", "is not the present password"),
    ] {
        let (status, problem) = change(&parts, &tokens, current, new).await?;
        let error = &problem["errors"][0];
        assert_eq!((status, &error["pointer"]), (422, &json!(pointer)), "{problem}");
        assert!(error["detail"].as_str().is_some_and(|detail| detail.contains(reason)), "{problem}");
        assert!(!problem.to_string().contains(new), "{problem}");
    }
    let bad = tokens.request(&parts, Method::POST, "/auth/password").json(&json!({ "new": "", "old": "x" }));
    let (status, problem) = answered(bad.send().await?).await?;
    let pointers: Vec<_> = problem["errors"].as_array().into_iter().flatten().map(|e| e["pointer"].clone()).collect();
    assert_eq!((status, pointers), (422, vec![json!("/current"), json!("/new"), json!("/old")]));
    let nobody = parts.request(Method::POST, "/auth/password").json(&json!({})).send().await?;
    assert_eq!((nobody.status().as_u16(), header(&nobody, "www-authenticate")), (401, "Bearer"));
    assert_eq!(sign_in(&parts, &ada.email, PASSWORD).await?.0, 200, "nothing has changed");
    Ok(())
}

pub(crate) async fn rehashed(parts: Parts) -> Result<()> {
    let ada = person_of_old(&parts, "of-old").await?;
    let stored = format!(
        "select convert_from(value, 'UTF8')::jsonb #>> '{{data,passwordHash}}' as hash from state.state \
         where key = 'user/{}'",
        ada.user.id
    );
    let hash = || async { anyhow::Ok(parts.sql(&stored).await?[0]["hash"].to_string()) };
    assert_eq!(sign_in(&parts, &ada.email, OTHER).await?.0, 401);
    assert!(hash().await?.contains("m=4096,t=1"));
    let before = ada.sign_in(&parts).await?;
    let better = hash().await?;
    assert!(better.contains("m=19456,t=2,p=1"), "{better}");
    ada.sign_in(&parts).await?;
    assert_eq!(hash().await?, better, "once");
    assert_eq!(refresh(&parts, &before.refresh).await?.0, 200, "it is the same password");
    Ok(())
}
