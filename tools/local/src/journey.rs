//! One patient through the whole chain, from registration to the balanced invoice, told step by step: what `make run`
//! ends with.

mod answer;
mod insurance;
mod money;
mod visit;

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use self::answer::{Answer, send};
use crate::{broker, readiness::client, report::Report, secrets::Secrets};

const ANSWER: Duration = Duration::from_secs(10);
const COUNTED: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

/// Walks the chain at `url`, which has this broker, as the administrator, with a claim if the patient can be `insured`, which
/// takes somebody who answers claims; any step that answers otherwise than it should is an error.
pub async fn journey(url: &str, broker: broker::Kind, insured: bool, secrets: &Secrets, report: &Report) -> Result<()> {
    let traveller = Traveller { insured, ..Traveller::sign_in(url, secrets, report).await? };
    let before = traveller.count().await?;
    let patient = traveller.register().await?;
    traveller.read_account(&patient).await?;
    traveller.wait_counted(before, broker).await?;
    traveller.register_nonsense().await?;
    visit::visit(&traveller, &patient).await
}

struct Traveller<'a> {
    client: Client,
    url: &'a str,
    token: String,
    /// Whether somebody answers claims.
    insured: bool,
    report: &'a Report,
}

impl<'a> Traveller<'a> {
    async fn sign_in(url: &'a str, secrets: &Secrets, report: &'a Report) -> Result<Self> {
        let client = client(ANSWER)?;
        let credentials = json!({
            "email": secrets.administrator_email,
            "password": secrets.administrator_password,
        });
        let answer = send(client.post(format!("{url}/auth/login")).json(&credentials)).await?;
        answer.expect(StatusCode::OK, "POST /auth/login")?;
        let token = answer.text("/access_token")?.to_owned();
        report.say(&format!(
            "POST /auth/login                {}  signed in as {}",
            answer.summary(),
            secrets.administrator_email
        ));
        Ok(Self { client, url, token, insured: false, report })
    }

    async fn register(&self) -> Result<String> {
        let answer = self.post_patient(&person()).await?;
        answer.expect(StatusCode::CREATED, "POST /api/patients")?;
        let id = answer.text("/id")?.to_owned();
        self.report.say(&format!(
            "POST /api/patients              {}  gateway -> patient -> billing (gRPC)",
            answer.summary()
        ));
        self.report.add(&format!("Location {}", answer.header("location")?));
        self.report.add(&format!("ETag     {}", answer.header("etag")?));
        self.report.add(&format!("MRN      {}", answer.text("/mrn")?));
        self.report.add(&format!("account  {}", answer.at("/billingAccount")?));
        Ok(id)
    }

    async fn read_account(&self, patient: &str) -> Result<()> {
        // An account that was pending opens by the event, a moment later.
        let begun = Instant::now();
        loop {
            let path = format!("/api/billing/accounts/{patient}");
            let answer = self.get(&path).await?;
            if answer.status == StatusCode::OK {
                self.report
                    .say(&format!("GET  /api/billing/accounts/...  {}  gateway -> billing (gRPC)", answer.summary()));
                self.report.add(&answer.body.to_string());
                return Ok(());
            }
            if answer.status != StatusCode::NOT_FOUND || begun.elapsed() > COUNTED {
                answer.expect(StatusCode::OK, &path)?;
            }
            sleep(POLL).await;
        }
    }

    async fn wait_counted(&self, before: u64, broker: broker::Kind) -> Result<()> {
        let begun = Instant::now();
        while self.count().await? <= before {
            ensure!(
                begun.elapsed() < COUNTED,
                "analytics did not count the registration within {} s",
                COUNTED.as_secs()
            );
            sleep(POLL).await;
        }
        self.report.say(&format!(
            "GET  /api/analytics/...         counted after {} ms: {} -> {}  patient -> {} -> analytics",
            begun.elapsed().as_millis(),
            before,
            self.count().await?,
            broker.title()
        ));
        Ok(())
    }

    async fn register_nonsense(&self) -> Result<()> {
        let mut person = person();
        person["birthDate"] = "2023-02-30".into();
        let answer = self.post_patient(&person).await?;
        ensure!(answer.status.is_client_error(), "an impossible birth date was answered {}", answer.status);
        let kind = answer.header("content-type")?;
        ensure!(kind.starts_with("application/problem+json"), "a problem came as {kind}");
        self.report.say(&format!(
            "POST /api/patients              {}  born on 30 February: refused, nothing written",
            answer.summary()
        ));
        self.report.add(&answer.body.to_string());
        Ok(())
    }

    /// How many registrations analytics has counted about now.
    async fn count(&self) -> Result<u64> {
        let (from, to) = around_now()?;
        let path = format!("/api/analytics/metrics/registrations?group=hour&from={from}&to={to}");
        let answer = self.get(&path).await?;
        answer.expect(StatusCode::OK, &path)?;
        let total = answer.body["series"][0]["total"]["value"].as_f64();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        total.map(|total| total as u64).with_context(|| format!("no total in {}", answer.body))
    }

    async fn post_patient(&self, person: &Value) -> Result<Answer> {
        let request = self
            .client
            .post(format!("{}/api/patients", self.url))
            .bearer_auth(&self.token)
            .header("idempotency-key", Uuid::now_v7().to_string())
            .json(person);
        send(request).await
    }

    async fn get(&self, path: &str) -> Result<Answer> {
        send(self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token)).await
    }
}

/// Somebody who has never been registered.
fn person() -> Value {
    let random = Uuid::now_v7();
    let tail = &random.as_bytes()[8..];
    let mut family = "Okafor-".to_owned();
    let mut phone = "+1555".to_owned();
    for (index, byte) in tail.iter().enumerate() {
        let letter = char::from(b'a' + byte % 26);
        family.push(if index == 0 { letter.to_ascii_uppercase() } else { letter });
        let _ = write!(phone, "{}", byte % 10);
    }
    let year = 1940 + u32::from(tail[6]) % 70;
    let day = 1 + u32::from(tail[7]) % 28;
    json!({
        "name": [{ "family": family, "given": ["Ada"] }],
        "gender": "female",
        "birthDate": format!("{year}-02-{day:02}"),
        "telecom": [{ "system": "phone", "value": phone }],
        "address": [{
            "line": ["12 High Street"], "city": "Springfield", "postalCode": "12345", "country": "US",
        }],
    })
}

/// Full hours around this moment, with room for zones whose hours begin at half past ours.
fn around_now() -> Result<(Timestamp, Timestamp)> {
    let hour = TimestampRound::new().smallest(Unit::Hour).mode(RoundMode::Floor);
    let this = Timestamp::now().round(hour)?;
    Ok((this.checked_sub(SignedDuration::from_hours(1))?, this.checked_add(SignedDuration::from_hours(2))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_people_are_never_the_same() {
        let (one, other) = (person(), person());
        assert_ne!(one["name"], other["name"]);
        assert_ne!(one["telecom"], other["telecom"]);
        let born = one["birthDate"].as_str().unwrap();
        assert!(born.parse::<jiff::civil::Date>().is_ok(), "{born}");
    }

    #[test]
    fn the_hours_are_full_and_now_is_among_them() {
        let (from, to) = around_now().unwrap();
        assert!(from <= Timestamp::now() && Timestamp::now() < to);
        assert_eq!(from.as_second() % 3600, 0);
    }
}
