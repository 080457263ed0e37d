//! A clinic with fifty practitioners.

use anyhow::{Context as _, Result, ensure};
use http::{HeaderValue, StatusCode};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Client;

const ZONE: &str = "Europe/Berlin";
const PRACTITIONERS: usize = 50;
const MINUTES: i64 = 20;
/// From eight to six.
pub(super) const TIMES_A_DAY: u64 = 30;

/// What can be booked.
pub(super) struct Clinic {
    /// Its id.
    pub(super) id: String,
    /// Who sees patients.
    pub(super) practitioners: Vec<String>,
    /// What for.
    pub(super) service: String,
    /// The first day that is free.
    pub(super) first: Date,
}

impl Clinic {
    /// Sets one up, as an administrator does.
    pub(super) async fn open(client: &Client) -> Result<Self> {
        let id = make(client, "/api/clinics", &json!({ "name": "Bench", "timeZone": ZONE })).await?;
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let week = json!([{ "days": days, "start": "08:00", "end": "18:00" }]);
        let mut practitioners = Vec::new();
        for number in 1..=PRACTITIONERS {
            let hours = json!([{ "clinicId": id, "from": "2026-01-01", "week": week }]);
            let body = json!({ "name": format!("Practitioner {number}"), "schedules": hours });
            practitioners.push(make(client, "/api/practitioners", &body).await?);
        }
        let service = json!({ "name": "Visit", "durationMinutes": MINUTES });
        let service = make(client, "/api/services", &service).await?;
        let first = TimeZone::get(ZONE)?.to_datetime(Timestamp::now()).date().tomorrow()?;
        Ok(Self { id, practitioners, service, first })
    }

    /// The `n`-th time from the first day on.
    pub(super) fn start(&self, n: u64) -> Result<Timestamp> {
        let (day, time) = (i64::try_from(n / TIMES_A_DAY)?, i64::try_from(n % TIMES_A_DAY)?);
        let opens = self.first.checked_add(day.days())?.at(8, 0, 0, 0).in_tz(ZONE)?;
        Ok(opens.timestamp() + SignedDuration::from_mins(time * MINUTES))
    }
}

/// Makes something; answers its id.
async fn make(client: &Client, path: &str, body: &Value) -> Result<String> {
    let mut request = client.post(path, body.to_string().into_bytes())?;
    request.headers_mut().insert("idempotency-key", HeaderValue::from_str(&format!("bench-{}", Uuid::now_v7()))?);
    let answer = client.send(request).await?;
    let text = String::from_utf8_lossy(&answer.body);
    ensure!(answer.status == StatusCode::CREATED, "POST {path} was answered {}: {text}", answer.status);
    let made: Value = serde_json::from_slice(&answer.body)?;
    Ok(made["id"].as_str().context("no id")?.to_owned())
}
