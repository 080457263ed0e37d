//! Users, as the administrator makes and changes them.

use std::collections::BTreeSet;

use access::Role;
use anyhow::Context as _;
use auth::domain::{password::Password, user::User};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use testkit::{Parts, Result};
use uuid::Uuid;

use crate::{
    administrator, answered, header,
    passwords::{OTHER, change},
    people::{self, PASSWORD, Tokens, person},
    sessions::{refresh, told_as_over},
    sign_in,
};

async fn admin(parts: &Parts) -> Result<Tokens> {
    let (email, password) = administrator(parts);
    Tokens::of(&sign_in(parts, email, password).await?.1)
}

fn make(parts: &Parts, admin: &Tokens, key: &str, body: &Value) -> RequestBuilder {
    admin.request(parts, Method::POST, "/auth/users").header("idempotency-key", key).json(body)
}

fn patch(parts: &Parts, admin: &Tokens, id: &str, version: &str, body: &Value) -> RequestBuilder {
    admin.request(parts, Method::PATCH, &format!("/auth/users/{id}")).header("if-match", version).json(body)
}

fn etag(response: &Response) -> String {
    header(response, "etag").to_owned()
}

pub(crate) async fn made(parts: Parts) -> Result<()> {
    let admin = admin(&parts).await?;
    let wanted = json!({ "email": " Grace@Clinic.example ", "role": "nurse" });
    let response = make(&parts, &admin, "grace-1", &wanted).send().await?;
    assert_eq!(
        (response.status().as_u16(), etag(&response), header(&response, "cache-control")),
        (201, "\"1\"".to_owned(), "no-store")
    );
    let location = header(&response, "location").to_owned();
    let first: Value = response.json().await?;
    assert_eq!(
        (&first["email"], &first["role"], &first["active"]),
        (&json!("grace@clinic.example"), &json!("nurse"), &json!(true))
    );
    assert_eq!(location, format!("/auth/users/{}", first["id"].as_str().context("an id")?));

    // The answer was lost, and the password in it is nowhere else.
    let (status, again) = answered(make(&parts, &admin, "grace-1", &wanted).send().await?).await?;
    assert_eq!((status, &again["id"]), (201, &first["id"]));
    let password = again["password"].as_str().context("a password")?;
    assert_eq!(
        sign_in(&parts, "grace@clinic.example", first["password"].as_str().context("a password")?).await?.0,
        401
    );
    let (status, granted) = sign_in(&parts, "grace@clinic.example", password).await?;
    assert_eq!((status, &granted["scope"]), (200, &json!("enrol")));

    let grace = Tokens::of(&granted)?;
    let (status, me) = answered(grace.request(&parts, Method::GET, "/auth/me").send().await?).await?;
    assert_eq!((status, &me["id"], &me["oneTimePassword"]), (200, &first["id"], &json!(true)));
    let (_, renewed) = refresh(&parts, &grace.refresh).await?;
    assert_eq!(renewed["scope"], "enrol", "no way around it");
    let grace = Tokens::of(&renewed)?;
    assert_eq!(change(&parts, &grace, password, OTHER).await?.0, 204);
    let (status, renewed) = refresh(&parts, &grace.refresh).await?;
    assert_eq!((status, &renewed["scope"]), (200, &json!("api")));

    let (status, later) = answered(make(&parts, &admin, "grace-1", &wanted).send().await?).await?;
    assert_eq!((status, &later["id"], &later["password"]), (201, &first["id"], &Value::Null));
    assert_eq!(sign_in(&parts, "grace@clinic.example", OTHER).await?.0, 200, "a late repeat changes nothing");
    Ok(())
}

pub(crate) async fn wrong_wishes(parts: Parts) -> Result<()> {
    let admin = admin(&parts).await?;
    let good = json!({ "email": "wrong-wish@clinic.example", "role": "biller", "password": PASSWORD });
    let keyless = admin.request(&parts, Method::POST, "/auth/users").json(&good).send().await?;
    assert_eq!(answered(keyless).await?.1["errors"][0]["pointer"], "Idempotency-Key");
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    for (body, pointer) in [
        (json!({}), "/email"),
        (with("email", json!("nobody")), "/email"),
        (with("role", json!("owner")), "/role"),
        (with("role", json!("Admin")), "/role"),
        (with("active", json!(false)), "/active"),
        (with("password", json!("short")), "/password"),
        (with("password", json!("wrong-wish@clinic.example")), "/password"),
    ] {
        let (status, problem) = answered(make(&parts, &admin, "wrong", &body).send().await?).await?;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{body}: {problem}");
    }
    assert_eq!(make(&parts, &admin, "right", &good).send().await?.status(), 201);
    assert_eq!(make(&parts, &admin, "right", &good).send().await?.status(), 201, "the same request again");
    for (key, body, status, slug) in [
        ("right", with("role", json!("admin")), 422, "idempotency-key-reused"),
        ("right", with("password", json!(OTHER)), 422, "idempotency-key-reused"),
        ("other", good.clone(), 409, "address-taken"),
    ] {
        let (answered, problem) = answered(make(&parts, &admin, key, &body).send().await?).await?;
        let kind = format!("urn:patient-management:problem:{slug}");
        assert_eq!((answered, &problem["type"]), (status, &json!(kind)), "{problem}");
    }
    let (status, granted) = sign_in(&parts, "wrong-wish@clinic.example", PASSWORD).await?;
    assert_eq!((status, &granted["scope"]), (200, &json!("api")), "a password of their own needs no other");
    let biller = Tokens::of(&granted)?;
    assert_eq!(make(&parts, &biller, "mine", &good).send().await?.status(), 403);
    for path in [format!("/auth/users/{}", Uuid::now_v7()), "/auth/users/5".to_owned()] {
        assert_eq!(admin.request(&parts, Method::GET, &path).send().await?.status(), 404);
    }
    Ok(())
}

pub(crate) async fn pages(parts: Parts) -> Result<()> {
    let admin = admin(&parts).await?;
    for number in 0..5 {
        person(&parts, &format!("page-{number}"), Role::Analyst).await?;
    }
    let (mut seen, mut path) = (Vec::new(), "/auth/users?limit=2".to_owned());
    loop {
        let response = admin.request(&parts, Method::GET, &path).send().await?;
        let link = header(&response, "link").to_owned();
        let (status, page) = answered(response).await?;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().context("items")?;
        assert!(items.len() == 2 || page["next"].is_null(), "{page}");
        assert!(!page.to_string().contains("argon2"), "{page}");
        seen.extend(items.iter().map(|user| user["email"].as_str().unwrap_or_default().to_owned()));
        let Some(next) = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")) else { break };
        path = next.to_owned();
    }
    let rows = parts.sql("select count(*) as count from projection.users").await?;
    assert_eq!(rows[0]["count"], json!(seen.len()));
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{seen:?}");
    assert!(seen.contains(&"page-4@clinic.example".to_owned()));
    for wrong in ["limit=0", "limit=101", "cursor=5", "sort=email", "limit=1&limit=2"] {
        let response = admin.request(&parts, Method::GET, &format!("/auth/users?{wrong}")).send().await?;
        assert_eq!(response.status(), 422, "{wrong}");
    }
    Ok(())
}

pub(crate) async fn changed(parts: Parts) -> Result<()> {
    let admin = admin(&parts).await?;
    let ada = person(&parts, "is-promoted", Role::Nurse).await?;
    let id = ada.user.id.to_string();
    let before = ada.sign_in(&parts).await?;
    let path = format!("/auth/users/{id}");
    let read = admin.request(&parts, Method::GET, &path).send().await?;
    let seen = etag(&read);
    let same = admin.request(&parts, Method::GET, &path).header("if-none-match", &seen).send().await?;
    assert_eq!((same.status().as_u16(), etag(&same)), (304, seen.clone()));

    let promote = json!({ "role": "physician" });
    let blind = admin.request(&parts, Method::PATCH, &path).json(&promote).send().await?;
    assert_eq!(blind.status(), 428);
    for tag in ["\"7\"", "7", "W/\"1\"", "*"] {
        assert_eq!(patch(&parts, &admin, &id, tag, &promote).send().await?.status(), 412, "{tag}");
    }
    let wrong = json!({ "role": "owner", "active": "no", "email": "x@y.example" });
    let (status, problem) = answered(patch(&parts, &admin, &id, &seen, &wrong).send().await?).await?;
    assert_eq!((status, problem["errors"].as_array().map(Vec::len)), (422, Some(3)), "{problem}");

    let response = patch(&parts, &admin, &id, &seen, &promote).send().await?;
    assert_eq!((response.status().as_u16(), etag(&response)), (200, "\"2\"".to_owned()));
    assert_eq!(patch(&parts, &admin, &id, &seen, &promote).send().await?.status(), 412);
    assert_eq!(patch(&parts, &admin, &id, "\"2\"", &promote).send().await?.status(), 200);
    told_as_over(&parts, before.session()).await?;
    assert_eq!(refresh(&parts, &before.refresh).await?.0, 401, "the role in a token is the one that they have");

    let after = ada.sign_in(&parts).await?;
    let off = patch(&parts, &admin, &id, "\"2\"", &json!({ "active": false })).send().await?;
    assert_eq!((off.status().as_u16(), etag(&off)), (200, "\"3\"".to_owned()));
    told_as_over(&parts, after.session()).await?;
    assert_eq!(refresh(&parts, &after.refresh).await?.0, 401);
    assert_eq!(sign_in(&parts, &ada.email, PASSWORD).await?.0, 401);
    parts
        .eventually("their access token is refused", || async {
            Ok(after.request(&parts, Method::GET, "/auth/me").send().await?.status() == 401)
        })
        .await?;
    assert_eq!(patch(&parts, &admin, &id, "\"3\"", &json!({ "active": true })).send().await?.status(), 200);
    assert_eq!(refresh(&parts, &after.refresh).await?.0, 401, "what is over stays over");
    ada.sign_in(&parts).await?;
    Ok(())
}

/// Administrators who can sign in, but for these.
async fn others(parts: &Parts, but: &[Uuid]) -> Result<Vec<String>> {
    let rows = parts.sql("select user_id from projection.users where role = 'admin' and active").await?;
    let ids = rows.iter().filter_map(|row| row["user_id"].as_str().map(str::to_owned));
    Ok(ids.filter(|id| but.iter().all(|but| but.to_string() != *id)).collect())
}

async fn seen(parts: &Parts, by: &Tokens, id: &str) -> Result<String> {
    Ok(etag(&by.request(parts, Method::GET, &format!("/auth/users/{id}")).send().await?))
}

async fn set(parts: &Parts, by: &Tokens, id: &str, body: &Value) -> Result<u16> {
    let seen = seen(parts, by, id).await?;
    Ok(patch(parts, by, id, &seen, body).send().await?.status().as_u16())
}

pub(crate) async fn last_administrator(parts: Parts) -> Result<()> {
    let (on, off) = (json!({ "active": true }), json!({ "active": false }));
    let demoted = json!({ "role": "nurse" });
    let ada = person(&parts, "last-ada", Role::Admin).await?;
    let bob = person(&parts, "last-bob", Role::Admin).await?;
    let by_ada = ada.sign_in(&parts).await?;
    let (id_ada, id_bob) = (ada.user.id.to_string(), bob.user.id.to_string());
    let rest = others(&parts, &[ada.user.id, bob.user.id]).await?;
    for id in &rest {
        assert_eq!(set(&parts, &by_ada, id, &off).await?, 200);
    }
    for _ in 0..8 {
        let (by_ada, by_bob) = (ada.sign_in(&parts).await?, bob.sign_in(&parts).await?);
        let (seen_bob, seen_ada) = (seen(&parts, &by_ada, &id_bob).await?, seen(&parts, &by_bob, &id_ada).await?);
        let answers = tokio::try_join!(
            patch(&parts, &by_ada, &id_bob, &seen_bob, &off).send(),
            patch(&parts, &by_bob, &id_ada, &seen_ada, &demoted).send()
        )?;
        let answers = (answers.0.status().as_u16(), answers.1.status().as_u16());
        // Whoever has just been switched off may be told that, too.
        assert!([(200, 409), (409, 200), (200, 401), (401, 200)].contains(&answers), "{answers:?}");
        let left = others(&parts, &[]).await?;
        assert_eq!(left.len(), 1, "{left:?}");
        // Whoever is left makes the other one an administrator again; their own token is of before all this.
        let (stays, gone) = if left[0] == id_ada { (&ada, &id_bob) } else { (&bob, &id_ada) };
        let by = stays.sign_in(&parts).await?;
        for body in [&off, &demoted] {
            assert_eq!(set(&parts, &by, &left[0], body).await?, 409, "nobody locks everybody out");
        }
        assert_eq!(set(&parts, &by, gone, &json!({ "active": true, "role": "admin" })).await?, 200);
        if [ada.sign_in(&parts).await, bob.sign_in(&parts).await].iter().any(Result::is_err) {
            anyhow::bail!("both can sign in again");
        }
    }
    let by = ada.sign_in(&parts).await?;
    for id in &rest {
        assert_eq!(set(&parts, &by, id, &on).await?, 200);
    }
    Ok(())
}

pub(crate) async fn reset(parts: Parts) -> Result<()> {
    let admin = admin(&parts).await?;
    let ada = person(&parts, "forgets", Role::Nurse).await?;
    let before = ada.sign_in(&parts).await?;
    let path = format!("/auth/users/{}/reset", ada.user.id);
    let (status, answer) = answered(admin.request(&parts, Method::POST, &path).send().await?).await?;
    assert_eq!((status, &answer["oneTimePassword"]), (200, &json!(true)));
    let password = answer["password"].as_str().context("a password")?;
    assert_eq!(sign_in(&parts, &ada.email, PASSWORD).await?.0, 401);
    assert_eq!(refresh(&parts, &before.refresh).await?.0, 401);
    let (status, granted) = sign_in(&parts, &ada.email, password).await?;
    assert_eq!((status, &granted["scope"]), (200, &json!("enrol")));
    assert_eq!(change(&parts, &Tokens::of(&granted)?, password, OTHER).await?.0, 204);
    assert_eq!(sign_in(&parts, &ada.email, password).await?.0, 401);
    assert_eq!(sign_in(&parts, &ada.email, OTHER).await?.1["scope"], "api");

    // A day later nobody gets in with one that was never used.
    let hash = Password::parse(PASSWORD).map_err(anyhow::Error::msg)?.hash(&[7; 16])?;
    let long_ago = Timestamp::now() - SignedDuration::from_hours(25);
    let users = people::users(&parts)?;
    let loaded = users.get(ada.user.id).await?.context("a user")?;
    let user = User { one_time_until: Some(long_ago), ..loaded.user.with_password(hash, false) };
    users.replace(&loaded, &user, Vec::new(), &[]).await?;
    let (status, problem) = sign_in(&parts, &ada.email, PASSWORD).await?;
    assert_eq!((status, &problem["type"]), (401, &json!("urn:patient-management:problem:invalid-credentials")));
    let nobody = admin.request(&parts, Method::POST, &format!("/auth/users/{}/reset", Uuid::now_v7())).send().await?;
    assert_eq!(nobody.status(), 404);
    Ok(())
}
