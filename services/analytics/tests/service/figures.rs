//! `GET /api/analytics/registrations`

use access::Role;
use anyhow::ensure;
use contracts::billing::account_id;
use reqwest::{Method, header};
use serde_json::{Value, json};
use testkit::{Parts, Result};

use crate::events::{patient, publish, publish_account, snapshot};

const ROUTE: &str = "/api/analytics/registrations";

async fn get(parts: &Parts, query: &str) -> Result<(u16, Value)> {
    let request = parts.request(Method::GET, &format!("{ROUTE}?{query}")).bearer_auth(parts.token(Role::Analyst)?);
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

/// The counts of the hours or days, of which `total` have to be there.
pub(crate) async fn counts(parts: &Parts, query: &str, total: u64) -> Result<Vec<u64>> {
    parts
        .eventually(&format!("{query} counts {total}"), async || Ok(get(parts, query).await?.1["total"] == total))
        .await?;
    let (_, body) = get(parts, query).await?;
    let items = body["items"].as_array().cloned().unwrap_or_default();
    Ok(items.iter().filter_map(|item| item["registrations"].as_u64()).collect())
}

pub(crate) async fn without_patients(parts: Parts) -> Result {
    let (status, body) = get(&parts, "").await?;
    ensure!(status == 200 && body["total"] == 0, "{status} {body}");
    ensure!(body["group"] == "day" && body["items"].as_array().is_some_and(|items| items.len() == 7), "{body}");
    Ok(())
}

pub(crate) async fn from_events(parts: Parts) -> Result {
    let who: Vec<_> = (0..4).map(|n| patient("from_events", n)).collect();
    // The first of two is told by an amendment alone.
    let told = [
        snapshot(who[0], 2, "2021-05-03T12:00:00Z"),
        snapshot(who[1], 1, "2021-05-03T23:30:00-04:00"),
        snapshot(who[2], 1, "2021-05-05T00:00:00-04:00"),
        snapshot(who[3], 1, "2021-05-06T00:00:00-04:00"),
    ];
    publish(&parts, told).await?;
    publish_account(&parts, who[1], "2021-05-04T12:00:00Z").await?;
    ensure!(counts(&parts, "from=2021-05-03&to=2021-05-06", 3).await? == [2, 0, 1]);

    let (_, body) = get(&parts, "from=2021-05-03&to=2021-05-05T00:00:00-04:00&group=day").await?;
    let expected = json!({
        "timeZone": "America/New_York",
        "group": "day",
        "from": "2021-05-03T00:00:00-04:00",
        "to": "2021-05-05T00:00:00-04:00",
        "items": [
            { "start": "2021-05-03T00:00:00-04:00", "registrations": 2 },
            { "start": "2021-05-04T00:00:00-04:00", "registrations": 0 },
        ],
        "total": 2,
    });
    ensure!(body == expected, "{body}");

    let facts = parts
        .sql(&format!(
            "select version, registered_at, gender, age_band, active from fact.patients where patient_id = '{}'",
            who[0]
        ))
        .await?;
    let fact = json!({
        "version": 2,
        "registered_at": "2021-05-03T12:00:00+00:00",
        "gender": "female",
        "age_band": "40-49",
        "active": false,
    });
    ensure!(facts == [fact], "{facts:?}");
    let account = account_id(who[1]);
    parts
        .eventually("the account is a fact", async || {
            let known = parts
                .sql(&format!("select patient_id, opened_at from fact.accounts where account_id = '{account}'"))
                .await?;
            Ok(known == [json!({ "patient_id": who[1], "opened_at": "2021-05-04T12:00:00+00:00" })])
        })
        .await
}

/// New York's clocks went from 02:00 to 03:00 on 14 March 2021 and from 02:00 back to 01:00 on 7 November.
pub(crate) async fn by_the_clock(parts: Parts) -> Result {
    let registered = [
        "2021-03-13T23:59:59.9999999-05:00",
        "2021-03-14T00:00:00-05:00",
        "2021-03-14T01:59:59-05:00",
        "2021-03-14T03:00:00-04:00",
        "2021-03-14T23:59:59.9999999-04:00",
        "2021-03-15T00:00:00-04:00",
        "2021-11-07T00:30:00-04:00",
        "2021-11-07T01:30:00-04:00",
        "2021-11-07T01:30:00-05:00",
        "2021-11-07T01:40:00-05:00",
        "2021-11-07T23:30:00-05:00",
        "2021-11-08T00:00:00-05:00",
    ];
    publish(&parts, registered.iter().enumerate().map(|(n, time)| snapshot(patient("by_the_clock", n), 1, time)))
        .await?;

    ensure!(counts(&parts, "from=2021-03-13&to=2021-03-16", 6).await? == [1, 4, 1]);
    let spring = counts(&parts, "from=2021-03-14&to=2021-03-15&group=hour", 4).await?;
    ensure!(spring.len() == 23 && spring[..4] == [1, 1, 1, 0] && spring[22] == 1, "{spring:?}");

    ensure!(counts(&parts, "from=2021-11-06&to=2021-11-09", 6).await? == [0, 5, 1]);
    let autumn = counts(&parts, "from=2021-11-07&to=2021-11-08&group=hour", 5).await?;
    ensure!(autumn.len() == 25 && autumn[..4] == [1, 1, 2, 0] && autumn[24] == 1, "{autumn:?}");
    Ok(())
}

pub(crate) async fn wrong_parameters(parts: Parts) -> Result {
    for (query, pointers) in [
        ("from=yesterday&to=2021-02-30&group=week", &["from", "to", "group"][..]),
        ("from=2021-05-03T00:00:00+04:00", &["from"]),
        ("from=2021-05-03&from=2021-05-04", &["from"]),
        ("from=2021-05-03&to=2021-05-03", &["from"]),
        ("from=2999-12-31", &["from"]),
        ("from=2011-01-01&to=2021-01-01", &["from"]),
        ("from=2021-01-01&to=2021-05-01&group=hour", &["from"]),
        ("until=2021-05-03&group=", &["until", "group"]),
        ("from=%00", &["from"]),
        ("from=%FF", &["from"]),
    ] {
        let (status, body) = get(&parts, query).await?;
        let named: Vec<_> =
            body["errors"].as_array().into_iter().flatten().filter_map(|error| error["pointer"].as_str()).collect();
        ensure!(status == 422 && named == pointers, "{query}: {status} {body}");
    }
    let (status, body) = get(&parts, "from=2015-06-22&to=2020-12-12").await?;
    ensure!(status == 200 && body["items"].as_array().is_some_and(|items| items.len() == 2000), "{status}");
    Ok(())
}

pub(crate) async fn roles(parts: Parts) -> Result {
    for (role, expected) in [
        (Role::Analyst, 200),
        (Role::Admin, 200),
        (Role::FrontDesk, 403),
        (Role::Nurse, 403),
        (Role::Physician, 403),
        (Role::Biller, 403),
        (Role::PrivacyOfficer, 403),
        (Role::Service, 403),
    ] {
        let answer = parts.request(Method::GET, ROUTE).bearer_auth(parts.token(role)?).send().await?;
        ensure!(answer.status() == expected, "{role}: {}", answer.status());
    }
    let missing = parts.request(Method::GET, ROUTE).send().await?;
    ensure!(missing.status() == 401 && missing.headers()[header::WWW_AUTHENTICATE] == "Bearer");
    let foreign = parts.request(Method::GET, ROUTE).bearer_auth("foreign").send().await?;
    ensure!(foreign.status() == 401);
    // Without the sidecar's token nobody gets in, to events neither.
    let client = reqwest::Client::builder().no_proxy().build()?;
    for path in [ROUTE, "/events/patient.registered"] {
        let answer = client.post(parts.app_url(path)).bearer_auth(parts.token(Role::Admin)?).body("{}").send().await?;
        ensure!(answer.status() == 401, "{path}: {}", answer.status());
    }
    Ok(())
}
