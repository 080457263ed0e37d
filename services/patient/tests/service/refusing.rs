use access::Role;
use libtest_mimic::Trial;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{counts, get, person, registered, unique};

async fn post(parts: &Parts, body: impl Into<reqwest::Body>) -> Result<Response> {
    let request = parts.request(Method::POST, "/api/patients").bearer_auth(parts.token(Role::FrontDesk)?);
    Ok(request
        .header("idempotency-key", unique("key"))
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await?)
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("bad_input_is_named_and_changes_nothing", parts, |parts| async move {
            let before = counts(&parts).await?;
            let with = |field: &str, value: Value| {
                let mut body = person(&unique("Bad"));
                body[field] = value;
                body.to_string()
            };
            for (body, status, pointer) in [
                ("{".to_owned(), 400, ""),
                ("\"text\"".to_owned(), 422, ""),
                (with("shoeSize", json!(41)), 422, "/shoeSize"),
                (with("birthDate", json!("1984-02-30")), 422, "/birthDate"),
                (with("birthDate", json!("2999-01-01")), 422, "/birthDate"),
                (with("birthDate", json!(1984)), 422, "/birthDate"),
                (with("gender", json!("F")), 422, "/gender"),
                (with("name", json!([])), 422, "/name"),
                (with("name", json!("Ada")), 422, "/name"),
                (with("name", json!([{ "family": "a\u{0}b" }])), 422, "/name/0/family"),
                (with("name", json!([{ "family": "x".repeat(101) }])), 422, "/name/0/family"),
                (with("telecom", json!([{ "system": "email", "value": "nobody" }])), 422, "/telecom/0/value"),
                (with("identifier", json!([{ "value": "1" }])), 422, "/identifier/0/system"),
                (with("address", json!([{ "city": null }])), 422, "/address/0/city"),
                (format!("[{}]", " ".repeat(1 << 20)), 413, ""),
            ] {
                let shown = body.chars().take(80).collect::<String>();
                let answer = post(&parts, body).await?;
                assert_eq!(answer.status(), status, "{shown}");
                assert_eq!(answer.headers()["content-type"], "application/problem+json", "{shown}");
                let problem: Value = answer.json().await?;
                if !pointer.is_empty() {
                    assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
                }
            }
            assert_eq!(counts(&parts).await?, before);
            Ok(())
        }),
        test("headers_are_asked_for", parts, |parts| async move {
            let token = parts.token(Role::FrontDesk)?;
            let request = || parts.request(Method::POST, "/api/patients").json(&person("x"));
            assert_eq!(request().header("idempotency-key", "k").send().await?.status(), 401);
            assert_eq!(request().header("idempotency-key", "k").bearer_auth("forged").send().await?.status(), 401);
            assert_eq!(request().bearer_auth(&token).send().await?.status(), 400);
            let analyst = parts.token(Role::Analyst)?;
            assert_eq!(request().header("idempotency-key", "k").bearer_auth(analyst).send().await?.status(), 403);
            let text = parts.request(Method::POST, "/api/patients").header("idempotency-key", "k").bearer_auth(&token);
            assert_eq!(text.body("{}").header("content-type", "text/plain").send().await?.status(), 415);
            // A caller that forges what sidecars say of callers is nobody all the same.
            let forged = request().header("idempotency-key", "k").header("dapr-caller-app-id", "gateway");
            assert_eq!(forged.send().await?.status(), 401);
            Ok(())
        }),
        test("who_does_not_know_the_apps_token_is_not_let_in", parts, |parts| async move {
            let answer =
                reqwest::Client::new().get(parts.app_url("/api/patients")).bearer_auth(parts.token(Role::FrontDesk)?);
            assert_eq!(answer.send().await?.status(), 401);
            Ok(())
        }),
        test("what_is_not_there_is_not_found", parts, |parts| async move {
            for path in ["/api/patients/0197a1b2-0000-7000-8000-000000000000", "/api/patients/nobody", "/api/nowhere"] {
                let answer = get(&parts, path).await?;
                assert_eq!(answer.status(), 404, "{path}");
                assert_eq!(answer.headers()["content-type"], "application/problem+json");
            }
            assert_eq!(get(&parts, "/api/patients?limit=0").await?.status(), 422);
            Ok(())
        }),
        test("a_refused_write_leaves_no_event_and_no_changed_projection", parts, |parts| async move {
            let body = person(&unique("Kept"));
            registered(&parts, &body).await?;
            let rows = "select * from projection.patients order by patient_id";
            let before = parts.sql(rows).await?;
            let events = "select (select count(*) from document.outbox) as waiting, (select n_tup_ins from pg_stat_user_tables where relname = 'history') as kept";
            parts
                .eventually("the outbox is empty", || async { Ok(parts.sql(events).await?[0]["waiting"] == 0) })
                .await?;
            let refused = super::register(&parts, &unique("key"), &body).await?;
            assert_eq!(refused.status(), 409);
            assert_eq!(parts.sql(rows).await?, before);
            assert_eq!(parts.sql(events).await?[0]["waiting"], 0);
            Ok(())
        }),
    ]
}
