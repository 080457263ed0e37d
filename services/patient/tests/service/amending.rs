use access::Role;
use futures::future::try_join_all;
use libtest_mimic::Trial;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{get, id, person, registered, unique};

pub(super) async fn patch(parts: &Parts, id: &str, seen: &str, patch: &Value) -> Result<Response> {
    let request =
        parts.request(Method::PATCH, &format!("/api/patients/{id}")).bearer_auth(parts.token(Role::FrontDesk)?);
    let request = request.header("if-match", seen).header("content-type", "application/merge-patch+json");
    Ok(request.body(patch.to_string()).send().await?)
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("an_amendment_makes_a_version_and_keeps_the_old_one", parts, |parts| async move {
            let patient = registered(&parts, &person(&unique("Amend"))).await?;
            let answer = patch(&parts, id(&patient), "\"1\"", &json!({ "gender": "other", "address": null })).await?;
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.headers()["etag"], "\"2\"");
            let amended: Value = answer.json().await?;
            assert_eq!(
                (&amended["gender"], &amended["version"], amended.get("address")),
                (&json!("other"), &json!(2), None)
            );
            assert_eq!((&amended["mrn"], &amended["name"]), (&patient["mrn"], &patient["name"]));
            let kept = parts
                .sql(&format!("select document from document.history where key = 'patient/{}'", id(&patient)))
                .await?;
            assert_eq!((kept.len(), &kept[0]["document"]["version"]), (1, &json!(1)));

            let unchanged = patch(&parts, id(&patient), "\"2\"", &json!({ "gender": "other" })).await?;
            assert_eq!((unchanged.status().as_u16(), &unchanged.headers()["etag"]), (200, &"\"2\"".parse()?));
            Ok(())
        }),
        test("an_amendment_wants_the_version_that_was_seen", parts, |parts| async move {
            let patient = registered(&parts, &person(&unique("Seen"))).await?;
            let change = json!({ "gender": "other" });
            for seen in ["\"2\"", "\"0\"", "W/\"1\"", "*", "1"] {
                assert_eq!(patch(&parts, id(&patient), seen, &change).await?.status(), 412, "{seen}");
            }
            let path = format!("/api/patients/{}", id(&patient));
            let blind = parts.request(Method::PATCH, &path).bearer_auth(parts.token(Role::FrontDesk)?).json(&change);
            assert_eq!(blind.send().await?.status(), 428);
            assert_eq!(get(&parts, &path).await?.headers()["etag"], "\"1\"");
            let seen = parts
                .request(Method::GET, &path)
                .bearer_auth(parts.token(Role::FrontDesk)?)
                .header("if-none-match", "\"1\"");
            assert_eq!(seen.send().await?.status(), 304);
            let nobody = patch(&parts, "0197a1b2-0000-7000-8000-000000000000", "\"1\"", &change).await?;
            assert_eq!(nobody.status(), 404);
            Ok(())
        }),
        test("of_many_amendments_at_once_one_wins", parts, |parts| async move {
            let patient = registered(&parts, &person(&unique("Many"))).await?;
            let changes: Vec<_> = (0..12).map(|n| json!({ "address": [{ "city": format!("Town {n}") }] })).collect();
            let answers =
                try_join_all(changes.iter().map(|change| patch(&parts, id(&patient), "\"1\"", change))).await?;
            let statuses: Vec<_> = answers.iter().map(|answer| answer.status().as_u16()).collect();
            assert_eq!(statuses.iter().filter(|&&status| status == 200).count(), 1, "{statuses:?}");
            assert_eq!(statuses.iter().filter(|&&status| status == 412).count(), 11, "{statuses:?}");
            Ok(())
        }),
        test("an_amendment_with_a_key_can_be_repeated", parts, |parts| async move {
            let patient = registered(&parts, &person(&unique("Keyed"))).await?;
            let send = |change: Value| {
                let request = parts.request(Method::PATCH, &format!("/api/patients/{}", id(&patient)));
                parts.token(Role::FrontDesk).map(|token| {
                    request
                        .bearer_auth(token)
                        .header("if-match", "\"1\"")
                        .header("idempotency-key", "amend-1")
                        .json(&change)
                        .send()
                })
            };
            let first: Value = send(json!({ "gender": "other" }))?.await?.json().await?;
            assert_eq!(patch(&parts, id(&patient), "\"2\"", &json!({ "gender": "male" })).await?.status(), 200);
            let again = send(json!({ "gender": "other" }))?.await?;
            assert_eq!((again.status().as_u16(), again.json::<Value>().await?), (200, first));
            assert_eq!(send(json!({ "gender": "unknown" }))?.await?.status(), 422);
            Ok(())
        }),
        test("an_amendment_cannot_make_two_records_one_person", parts, |parts| async move {
            let (family, other) = (unique("Same"), unique("Else"));
            let first = registered(&parts, &person(&family)).await?;
            let second = registered(&parts, &person(&other)).await?;
            let name = json!({ "name": [{ "family": family, "given": ["Ada"] }] });
            let answer = patch(&parts, id(&second), "\"1\"", &name).await?;
            assert_eq!(answer.status(), 409);
            assert_eq!(answer.json::<Value>().await?["duplicateOf"], first["id"]);
            // The first one takes another name, and the identity is free.
            let moved = json!({ "name": [{ "family": unique("Moved"), "given": ["Ada"] }] });
            assert_eq!(patch(&parts, id(&first), "\"1\"", &moved).await?.status(), 200);
            assert_eq!(patch(&parts, id(&second), "\"1\"", &name).await?.status(), 200);
            Ok(())
        }),
        test("what_is_not_the_callers_cannot_be_patched", parts, |parts| async move {
            let patient = registered(&parts, &person(&unique("Fixed"))).await?;
            for (change, pointer) in [
                (json!({ "mrn": "1" }), "/mrn"),
                (json!({ "id": "1" }), "/id"),
                (json!({ "name": null }), "/name"),
                (json!({ "birthDate": "tomorrow" }), "/birthDate"),
                (json!({ "active": "no" }), "/active"),
            ] {
                let answer = patch(&parts, id(&patient), "\"1\"", &change).await?;
                assert_eq!(answer.status(), 422, "{change}");
                assert_eq!(answer.json::<Value>().await?["errors"][0]["pointer"], pointer);
            }
            Ok(())
        }),
    ]
}
