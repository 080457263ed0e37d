//! Trying passwords.

use access::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result};
use tokio::task::JoinSet;

use crate::{
    answered, credentials, header,
    instance::Instance,
    login,
    passwords::OTHER,
    people::{PASSWORD, person},
};

const WRONG: &str = "not the right password";

async fn sign_in_from(parts: &Parts, address: &str, email: &str, password: &str) -> Result<(u16, u64, Value)> {
    let response = login(parts, &credentials(email, password)).header("x-client-address", address).send().await?;
    let wait = header(&response, "retry-after").parse().unwrap_or_default();
    let (status, body) = answered(response).await?;
    Ok((status, wait, body))
}

/// Fails from this address until it is told to wait; how often it could.
async fn fail_until_held_up(parts: &Parts, address: &str, email: &str) -> Result<usize> {
    for tries in 0..100 {
        let (status, wait, body) = sign_in_from(parts, address, email, WRONG).await?;
        if status == 429 {
            anyhow::ensure!(wait > 1 && body["type"] == "urn:patient-management:problem:too-many-tries", "{body}");
            return Ok(tries);
        }
        anyhow::ensure!(status == 401, "{status}: {body}");
    }
    anyhow::bail!("nobody is held up")
}

pub(crate) async fn no_lock_out(parts: Parts) -> Result<()> {
    let ada = person(&parts, "victim", Role::Nurse).await?;
    let (home, elsewhere) = ("192.0.2.10", "192.0.2.11");
    assert_eq!(sign_in_from(&parts, home, &ada.email, PASSWORD).await?.0, 200);
    let mut tries = 0;
    for attacker in 0..6 {
        tries += fail_until_held_up(&parts, &format!("198.51.100.{attacker}"), &ada.email).await?;
    }
    assert_eq!(tries, 20, "five from each address, and twenty from all that the account was never at");
    assert_eq!(sign_in_from(&parts, elsewhere, &ada.email, PASSWORD).await?.0, 429, "so nobody finds the password");
    for _ in 0..3 {
        assert_eq!(sign_in_from(&parts, home, &ada.email, PASSWORD).await?.0, 200, "but where she was she gets in");
    }
    // Her own mistakes are forgiven when she gets it right, and bounded when she does not.
    for _ in 0..15 {
        assert_eq!(sign_in_from(&parts, home, &ada.email, WRONG).await?.0, 401);
    }
    assert_eq!(sign_in_from(&parts, home, &ada.email, PASSWORD).await?.0, 200);
    assert_eq!(fail_until_held_up(&parts, home, &ada.email).await?, 40);

    let again = Instance::start(&parts)?;
    again.ready(&parts).await?;
    let body = credentials(&ada.email, PASSWORD);
    let other = again.request(Method::POST, "/auth/login").json(&body).header("x-client-address", elsewhere);
    assert_eq!(other.send().await?.status(), 429, "another instance, and one that has just started, knows");
    Ok(())
}

pub(crate) async fn alike(parts: Parts) -> Result<()> {
    let ada = person(&parts, "there", Role::Nurse).await?;
    let mut told = Vec::new();
    for (email, address) in [(ada.email.as_str(), "203.0.113.1"), ("not-there@clinic.example", "203.0.113.2")] {
        let tries = fail_until_held_up(&parts, address, email).await?;
        let (status, wait, body) = sign_in_from(&parts, address, email, PASSWORD).await?;
        assert!((595..=600).contains(&wait), "{wait}");
        told.push((tries, status, body));
    }
    assert_eq!(told[0], told[1]);
    Ok(())
}

pub(crate) async fn at_once(parts: Parts) -> Result<()> {
    let ada = person(&parts, "stormed", Role::Nurse).await?;
    let mut tries = JoinSet::new();
    for _ in 0..30 {
        let (parts, email) = (parts.clone(), ada.email.clone());
        tries.spawn(async move { sign_in_from(&parts, "203.0.113.3", &email, WRONG).await });
    }
    let answers = tries.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    let tried = answers.iter().filter(|(status, ..)| *status == 401).count();
    assert_eq!(tried, 5, "many at once are as many as one after the other");
    Ok(())
}

/// From one address, with accounts that may not even exist.
pub(crate) async fn one_address(parts: Parts) -> Result<()> {
    let mut tried = 0;
    for account in 0..100 {
        let email = format!("guess-{account}@clinic.example");
        match sign_in_from(&parts, "203.0.113.4", &email, WRONG).await?.0 {
            401 => tried += 1,
            429 => break,
            status => anyhow::bail!("{status}"),
        }
    }
    // Six more in a minute, while it lasts.
    assert!((60..=63).contains(&tried), "{tried}");
    let kept = "select (select count(*) from state.state where position('203.0.113' in convert_from(value, 'UTF8')) > 0) \
                + (select count(*) from throttle.buckets where position('203.0.113' in bucket) > 0) \
                + (select count(*) from throttle.addresses where position('192.0.2' in address) > 0) as found";
    assert_eq!(parts.sql(kept).await?[0]["found"], 0, "no address is kept as it is");
    Ok(())
}

pub(crate) async fn present_password(parts: Parts) -> Result<()> {
    let ada = person(&parts, "left-her-screen", Role::Nurse).await?;
    let tokens = ada.sign_in(&parts).await?;
    let change = |current: &str| {
        let body = json!({ "current": current, "new": OTHER });
        let request = tokens.request(&parts, Method::POST, "/auth/password").json(&body);
        request.header("x-client-address", "203.0.113.5").send()
    };
    let mut answers = Vec::new();
    for _ in 0..7 {
        answers.push(change(WRONG).await?.status().as_u16());
    }
    assert_eq!(answers, [422, 422, 422, 422, 422, 429, 429]);
    assert_eq!(change(PASSWORD).await?.status(), 429);
    Ok(())
}
