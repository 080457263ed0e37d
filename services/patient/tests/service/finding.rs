use libtest_mimic::Trial;
use serde_json::{Value, json};
use testkit::{Parts, Result, test};

use super::{get, person, registered, unique};

async fn found(parts: &Parts, query: &str) -> Result<Vec<String>> {
    let answer = get(parts, &format!("/api/patients?{query}")).await?;
    anyhow::ensure!(answer.status() == 200, "{query}: {}", answer.text().await?);
    let page: Value = answer.json().await?;
    let items = page["items"].as_array().cloned().unwrap_or_default();
    Ok(items.iter().filter_map(|patient| patient["id"].as_str().map(str::to_owned)).collect())
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_patient_is_found_by_whatever_the_clerk_knows", parts, |parts| async move {
            let (family, number) = (unique("Grün"), unique("n"));
            let mut body = person(&family);
            body["telecom"] = json!([{ "system": "phone", "value": "+1 (555) 987-6501" }, { "system": "email", "value": format!("{family}@Example.org").replace('ü', "u") }]);
            body["identifier"] = json!([{ "system": "urn:test", "value": number }]);
            body["name"][0]["given"] = json!(["Zoë", "Marie"]);
            let patient = registered(&parts, &body).await?;
            let id = patient["id"].as_str().unwrap_or_default().to_owned();
            let plain = family.to_lowercase().replace('ü', "u");
            let mrn = patient["mrn"].as_str().unwrap_or_default();
            for query in [
                format!("family={plain}"),
                format!("family={}", &plain[..plain.len() - 3]),
                format!("family={plain}&given=zoe"),
                format!("family={plain}&given=ZO%C3%8B%20m"),
                format!("family={plain}&birthDate=1984-02-11"),
                format!("family={plain}&birthDate=1984"),
                format!("family={plain}&phone=15559876501"),
                format!("family={plain}&email={plain}@example.org"),
                format!("identifier=urn:test%7C{number}"),
                format!("identifier={number}"),
                format!("query={mrn}"),
                format!("query=marie%20{plain}"),
                format!("query={plain}@example.org"),
                format!("query=%2B1%20555%20987%206501&family={plain}"),
            ] {
                assert_eq!(found(&parts, &query).await?, [id.as_str()], "{query}");
            }
            for query in [
                format!("family={plain}&given=x"),
                format!("family={plain}&birthDate=1985"),
                format!("family={plain}x"),
                format!("identifier=urn:other%7C{number}"),
                format!("family={plain}&phone=1"),
                // What would be a pattern is only text.
                "family=%25".to_owned(),
                "query=%25%27".to_owned(),
            ] {
                let found = found(&parts, &query).await?;
                assert!(!found.contains(&id) || query.contains("%25"), "{query}");
            }
            Ok(())
        }),
        test("a_write_is_found_as_soon_as_it_is_acknowledged", parts, |parts| async move {
            for _ in 0..10 {
                let family = unique("Now");
                registered(&parts, &person(&family)).await?;
                assert_eq!(found(&parts, &format!("family={family}")).await?.len(), 1);
            }
            Ok(())
        }),
        test("pages_hold_everyone_once_in_order", parts, |parts| async move {
            let family = unique("Page");
            for n in 0..7 {
                let mut body = person(&family);
                body["name"][0]["given"] = json!([format!("Given{}", char::from(b'g' - n))]);
                registered(&parts, &body).await?;
            }
            let (mut seen, mut link) = (Vec::new(), format!("/api/patients?family={family}&limit=3"));
            loop {
                let answer = get(&parts, &link).await?;
                let next = answer.headers().get("link").and_then(|link| link.to_str().ok()).map(str::to_owned);
                let page: Value = answer.json().await?;
                seen.extend(page["items"].as_array().cloned().unwrap_or_default());
                match next {
                    Some(next) => link = next.trim_start_matches('<').split('>').next().unwrap_or_default().to_owned(),
                    None => break,
                }
            }
            let given: Vec<_> = seen.iter().filter_map(|patient| patient["name"][0]["given"][0].as_str()).collect();
            assert_eq!(given, ["Givena", "Givenb", "Givenc", "Givend", "Givene", "Givenf", "Giveng"]);
            Ok(())
        }),
    ]
}
