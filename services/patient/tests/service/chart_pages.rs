//! What of a chart is found, and in which pages.

use futures::future::try_join_all;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{
    charting::{KINDS, add, added, amend, chart, get, items, reason},
    id, unique,
};

fn pulse(at: &str, code: &str, category: &str) -> String {
    json!({
        "status": "final",
        "category": [{ "coding": [{ "system": "urn:category", "code": category }] }],
        "code": { "coding": [{ "system": "http://loinc.org", "code": code }, { "system": "urn:other", "code": code }] },
        "effectiveDateTime": at,
        "valueQuantity": { "value": 72 },
    })
    .to_string()
}

async fn times(parts: &Parts, path: &str) -> Result<Vec<String>> {
    let items = items(parts, path).await?;
    Ok(items.iter().filter_map(|item| item["effectiveDateTime"].as_str().map(str::to_owned)).collect())
}

/// Follows `Link` from page to page.
async fn walk(parts: &Parts, first: &str) -> Result<Vec<Value>> {
    let (mut seen, mut link) = (Vec::new(), first.to_owned());
    loop {
        let answer = get(parts, &link).await?;
        anyhow::ensure!(answer.status() == 200, "{link}: {}", answer.text().await?);
        let next = answer.headers().get("link").and_then(|link| link.to_str().ok()).map(str::to_owned);
        let page: Value = answer.json().await?;
        anyhow::ensure!(page["next"].is_null() == next.is_none(), "{page}");
        seen.extend(page["items"].as_array().cloned().unwrap_or_default());
        match next {
            Some(next) => link = next.trim_start_matches('<').split('>').next().unwrap_or_default().to_owned(),
            None => return Ok(seen),
        }
    }
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_record_is_found_by_code_category_status_date_and_encounter", parts, |parts| async move {
            let chart = chart(&parts).await?;
            let all = format!("{chart}/observations");
            let encounter = added(&parts, &format!("{chart}/encounters"), KINDS[0].1).await?;
            for (day, code, category) in
                [("2026-11-01", "8867-4", "vital"), ("2026-11-03", "8480-6", "vital"), ("2026-11-02", "8867-4", "lab")]
            {
                added(&parts, &all, &pulse(day, code, category)).await?;
            }
            let mut within: Value = serde_json::from_str(&pulse("2026-11-04T10:00:00+01:00", "8867-4", "vital"))?;
            within["encounterId"] = encounter["id"].clone();
            within["status"] = json!("preliminary");
            added(&parts, &all, &within.to_string()).await?;
            let (first, second, third) = ("2026-11-01", "2026-11-02", "2026-11-03");
            let fourth = "2026-11-04T10:00:00+01:00";
            for (query, found) in [
                ("", &[fourth, third, second, first][..]),
                ("code=8867-4", &[fourth, second, first]),
                ("code=http://loinc.org%7C8867-4", &[fourth, second, first]),
                ("code=urn:nobody%7C8867-4", &[]),
                ("category=vital", &[fourth, third, first]),
                ("category=urn:category%7Clab", &[second]),
                ("code=8867-4&category=vital", &[fourth, first]),
                ("status=preliminary", &[fourth]),
                ("code=8867-4&status=final", &[second, first]),
                ("date=2026-11-02", &[second]),
                ("date=ge2026-11-02&date=lt2026-11-04", &[third, second]),
                ("code=8867-4&date=gt2026-11-01&date=le2026-11-04T09:00:00Z", &[fourth, second]),
                (&format!("encounter={}", id(&encounter)), &[fourth]),
                (&format!("encounter=Encounter/{}&category=lab", id(&encounter)), &[]),
                ("code=%25%27", &[]),
                ("limit=2", &[fourth, third]),
            ] {
                assert_eq!(times(&parts, &format!("{all}?{query}")).await?, found, "{query}");
            }
            assert_eq!(get(&parts, &format!("{all}?subject=x")).await?.status(), 422);
            Ok(())
        }),
        test("an_amended_time_or_code_moves_a_record", parts, |parts| async move {
            let all = format!("{}/observations", chart(&parts).await?);
            let one = added(&parts, &all, &pulse("2026-11-01", "8867-4", "vital")).await?;
            added(&parts, &all, &pulse("2026-11-02", "8867-4", "vital")).await?;
            let change = json!({ "effectiveDateTime": "2026-11-03", "code": { "coding": [{ "system": "http://loinc.org", "code": "8480-6" }] } });
            amend(&parts, &format!("{all}/{}", id(&one)), 1, &reason("corrected", change)).await?.error_for_status()?;
            assert_eq!(times(&parts, &all).await?, ["2026-11-03", "2026-11-02"]);
            assert_eq!(times(&parts, &format!("{all}?code=8867-4")).await?, ["2026-11-02"]);
            assert_eq!(times(&parts, &format!("{all}?code=8480-6")).await?, ["2026-11-03"]);
            assert_eq!(times(&parts, &format!("{all}?category=vital")).await?, ["2026-11-03", "2026-11-02"]);
            Ok(())
        }),
        test("pages_hold_every_record_once_while_others_are_put_in", parts, |parts| async move {
            let all = format!("{}/observations", chart(&parts).await?);
            // Several at the same instant: the id decides.
            let bodies: Vec<_> =
                (0..30).map(|n| pulse(&format!("2026-10-{:02}", n / 3 + 1), "8867-4", "vital")).collect();
            let keys: Vec<_> = (0..60).map(|_| unique("key")).collect();
            for answer in try_join_all(keys.iter().zip(&bodies).map(|(key, body)| add(&parts, &all, key, body))).await?
            {
                assert_eq!(answer.status(), 201);
            }
            let before: Vec<_> = items(&parts, &format!("{all}?limit=100")).await?;
            assert_eq!(before.len(), 30);
            let more: Vec<_> =
                (0..30).map(|n| pulse(&format!("2026-{:02}-15", n % 3 + 9), "8867-4", "vital")).collect();
            for filter in ["limit=4", "code=8867-4&limit=4"] {
                let path = format!("{all}?{filter}");
                let keys = &keys[30..];
                let adding = try_join_all(keys.iter().zip(&more).map(|(key, body)| add(&parts, &all, key, body)));
                let (walked, _) = tokio::try_join!(walk(&parts, &path), adding)?;
                let mut ids: Vec<_> = walked.iter().map(|item| id(item).to_owned()).collect();
                let known: Vec<_> = before.iter().map(|item| id(item).to_owned()).collect();
                let in_order: Vec<_> = ids.iter().filter(|id| known.contains(*id)).cloned().collect();
                assert_eq!(in_order, known, "nobody is left out, and the order stays");
                ids.sort_unstable();
                let all_of_them = ids.len();
                ids.dedup();
                assert_eq!(ids.len(), all_of_them, "nobody is there twice");
            }
            Ok(())
        }),
        test("a_history_comes_in_pages", parts, |parts| async move {
            let all = format!("{}/notes", chart(&parts).await?);
            let one = format!("{all}/{}", id(&added(&parts, &all, KINDS[7].1).await?));
            for version in 1..=6 {
                let change = reason("amended", json!({ "text": format!("the {version}th") }));
                amend(&parts, &one, version, &change).await?.error_for_status()?;
            }
            let versions = walk(&parts, &format!("{one}/history?limit=2")).await?;
            let numbers: Vec<_> = versions.iter().filter_map(|version| version["version"].as_u64()).collect();
            assert_eq!(numbers, [7, 6, 5, 4, 3, 2, 1]);
            assert_eq!(versions[6].get("amendment"), None);
            Ok(())
        }),
    ]
}
