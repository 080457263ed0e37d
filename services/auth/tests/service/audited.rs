//! The audit of signing in, and of looking at it.

use access::Role;
use anyhow::Context as _;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result};

use crate::{administrator, answered, credentials, header, login, people::person, sessions::refresh, sign_in};

/// A page of the audit as the privacy officer sees it.
async fn page(parts: &Parts, query: &str) -> Result<Value> {
    let request = parts.request(Method::GET, &format!("/auth/audit?{query}"));
    let (status, page) = answered(request.bearer_auth(parts.token(Role::PrivacyOfficer)?).send().await?).await?;
    anyhow::ensure!(status == 200, "{status}: {page}");
    Ok(page)
}

fn items(page: &Value) -> Result<&Vec<Value>> {
    page["items"].as_array().context("no items")
}

/// Waits until the entries of a request are sealed.
async fn of_request(parts: &Parts, id: &str) -> Result<Value> {
    let sealed = format!("select position from audit.entries where request_id = '{id}'");
    parts.eventually("it is sealed", || async { Ok(!parts.sql(&sealed).await?.is_empty()) }).await?;
    let page = page(parts, "limit=200").await?;
    items(&page)?.iter().find(|entry| entry["requestId"] == id).cloned().context("it is not on the page")
}

pub(crate) async fn sign_ins(parts: Parts) -> Result<()> {
    let (email, password) = administrator(&parts);
    let user = parts.sql("select user_id from projection.users").await?[0]["user_id"].clone();
    let wrong = "the-wrong-password-of-this-test";
    let attempt = async |id: &str, email: &str, password: &str| {
        let request = login(&parts, &credentials(email, password)).header("x-request-id", id);
        request.header("x-client-address", "192.0.2.7").send().await
    };
    attempt("audit-good", email, password).await?;
    attempt("audit-wrong", email, wrong).await?;
    attempt("audit-unknown", "nobody@clinic.example", wrong).await?;

    let good = of_request(&parts, "audit-good").await?;
    assert_eq!((&good["subtype"], &good["action"], &good["outcome"]), (&json!("login"), &json!("E"), &json!(0)));
    assert_eq!((&good["agent"]["who"], &good["agent"]["role"]), (&user, &json!("admin")));
    assert!(good["agent"]["session"].is_string(), "{good}");
    assert_eq!(
        (&good["entity"], &good["details"]),
        (&json!({ "type": "user", "id": user }), &json!({ "address": "192.0.2.7" }))
    );

    let refused = of_request(&parts, "audit-wrong").await?;
    assert_eq!((&refused["outcome"], refused.get("agent")), (&json!(4), None));
    assert_eq!(refused["entity"], json!({ "type": "user", "id": user }));
    assert_eq!(refused["details"], json!({ "address": "192.0.2.7", "reason": "wrong-password" }));

    let unknown = of_request(&parts, "audit-unknown").await?;
    assert_eq!((&unknown["outcome"], unknown.get("agent"), unknown.get("entity")), (&json!(4), None, None));
    assert_eq!(unknown["details"]["reason"], "unknown-user");

    let failures = page(&parts, "outcome=failure&subtype=login&limit=200").await?;
    let failures: Vec<_> = items(&failures)?.iter().map(|entry| &entry["requestId"]).collect();
    assert!(failures.contains(&&json!("audit-wrong")) && !failures.contains(&&json!("audit-good")), "{failures:?}");

    // Neither in the chain nor beside it.
    let everything = parts
        .sql("select to_jsonb(entry) as entry, details from audit.entries as entry left join audit.details using (position)")
        .await?;
    let everything = json!(everything).to_string();
    for secret in [email, "nobody@", "@clinic.example", password, wrong, "eyJ"] {
        assert!(!everything.contains(secret), "{secret} is in the audit");
    }
    Ok(())
}

/// What a change leaves in the audit stands in the document that it made, and so in the same transaction.
pub(crate) async fn changes(parts: Parts) -> Result<()> {
    let ada = person(&parts, "is-audited", Role::Nurse).await?;
    let left = async |key: String| {
        let query = "select convert_from(value, 'UTF8')::jsonb #>> '{audit,0,subtype}' as subtype from state.state";
        Ok::<_, anyhow::Error>(parts.sql(&format!("{query} where key = '{key}'")).await?[0]["subtype"].clone())
    };
    let user = format!("user/{}", ada.user.id);
    assert_eq!(left(user.clone()).await?, "user-made");

    let (first, second) = (ada.sign_in(&parts).await?, ada.sign_in(&parts).await?);
    assert_eq!(left(format!("session/{}", first.session())).await?, "login");
    assert_eq!(second.request(&parts, Method::POST, "/auth/logout").send().await?.status(), 204);
    assert_eq!(left(format!("session/{}", second.session())).await?, "logout");
    assert_eq!(refresh(&parts, &first.refresh).await?.0, 200);
    assert_eq!(left(format!("session/{}", first.session())).await?, Value::Null, "a renewal is no deed");
    assert_eq!(refresh(&parts, &first.refresh).await?.0, 401);
    assert_eq!(left(format!("session/{}", first.session())).await?, "refresh-token-reused");

    let third = ada.sign_in(&parts).await?;
    assert_eq!(third.request(&parts, Method::POST, "/auth/logout-all").send().await?.status(), 204);
    assert_eq!(left(user.clone()).await?, "logout-all");
    let path = format!("/auth/users/{}", ada.user.id);
    let by =
        |method, path: &str| Ok::<_, anyhow::Error>(parts.request(method, path).bearer_auth(parts.token(Role::Admin)?));
    for (change, subtype) in [
        (json!({ "role": "biller" }), "role-changed"),
        (json!({ "active": false }), "user-disabled"),
        (json!({ "active": true }), "user-enabled"),
    ] {
        let seen = by(Method::GET, &path)?.send().await?;
        let request = by(Method::PATCH, &path)?.header("if-match", header(&seen, "etag")).json(&change);
        assert_eq!(request.send().await?.status(), 200, "{change}");
        assert_eq!(left(user.clone()).await?, subtype);
    }
    assert_eq!(by(Method::POST, &format!("{path}/reset"))?.send().await?.status(), 200);
    assert_eq!(left(user).await?, "password-reset");
    Ok(())
}

pub(crate) async fn viewing(parts: Parts) -> Result<()> {
    for (role, status) in [(Role::PrivacyOfficer, 200), (Role::Admin, 403), (Role::Physician, 403)] {
        let request = parts.request(Method::GET, "/auth/audit").bearer_auth(parts.token(role)?);
        assert_eq!(request.send().await?.status(), status, "{role}");
    }
    assert_eq!(parts.request(Method::GET, "/auth/audit").send().await?.status(), 401);

    // Following the links shows everything once, newest first, whatever is added meanwhile.
    let (email, password) = administrator(&parts);
    for _ in 0..5 {
        sign_in(&parts, email, password).await?;
    }
    let count = "select count(*) as count from audit.entries where subtype = 'login'";
    parts
        .eventually("they are sealed", || async { Ok(parts.sql(count).await?[0]["count"].as_u64() >= Some(5)) })
        .await?;
    let known =
        parts.sql("select position from audit.entries where subtype = 'login' order by recorded, position").await?;
    let mut next = "/auth/audit?subtype=login&limit=2".to_owned();
    let mut positions = Vec::new();
    loop {
        let request = parts.request(Method::GET, &next).bearer_auth(parts.token(Role::PrivacyOfficer)?);
        let response = request.send().await?;
        assert_eq!(header(&response, "cache-control"), "no-store");
        let link = header(&response, "link").strip_prefix('<').and_then(|link| link.split_once('>'));
        let link = link.map(|(link, _)| link.to_owned());
        let page: Value = response.json().await?;
        positions.extend(items(&page)?.iter().map(|entry| json!({ "position": entry["position"] })));
        assert_eq!(link.is_some(), page["next"].is_string());
        let Some(link) = link else { break };
        next = link;
    }
    positions.reverse();
    assert!(positions.len() >= 5 && positions.ends_with(&known), "{positions:?} {known:?}");

    let looked = of_request_by(&parts, Role::PrivacyOfficer).await?;
    assert_eq!((&looked["action"], &looked["entity"]), (&json!("R"), &json!({ "type": "audit" })));
    assert!(looked["details"]["query"].as_str().is_some_and(|query| query.contains("limit")), "{looked}");
    Ok(())
}

/// The latest look at the audit by the user with this role.
async fn of_request_by(parts: &Parts, role: Role) -> Result<Value> {
    let found = async || {
        let page = page(parts, "subtype=audit-log-used&limit=200").await?;
        Ok(items(&page)?
            .iter()
            .find(|entry| entry["agent"]["role"] == role.to_string() && entry["details"]["query"].is_string())
            .cloned())
    };
    parts.eventually("it is known who looked", || async { found().await.map(|found| found.is_some()) }).await?;
    found().await?.context("it is gone again")
}

pub(crate) async fn bad_questions(parts: Parts) -> Result<()> {
    let query = "agent=ada&from=yesterday&to=%00&entity=user&outcome=3&action=Z&cursor=x&limit=201&sort=a&limit=5";
    let request = parts.request(Method::GET, &format!("/auth/audit?{query}"));
    let (status, problem) = answered(request.bearer_auth(parts.token(Role::PrivacyOfficer)?).send().await?).await?;
    let pointers: Vec<_> = problem["errors"].as_array().context("no errors")?.iter().map(|e| &e["pointer"]).collect();
    let expected = ["agent", "from", "to", "entity", "outcome", "action", "cursor", "limit", "sort", "limit"];
    assert_eq!((status, pointers), (422, expected.map(Value::from).iter().collect()), "{problem}");
    Ok(())
}
