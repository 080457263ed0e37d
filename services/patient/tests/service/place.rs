//! A clinic with somebody who sees patients there.
#![expect(clippy::unwrap_used, reason = "what is not there is a failed test")]

use std::time::Duration;

use access::Role;
use jiff::{Timestamp, ToSpan as _, Zoned, civil::Date, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Parts, Result};
use uuid::Uuid;

use super::{id, unique};

/// One practitioner with hours from 8 to 17 each day, at a clinic of their own, for half an hour each.
pub(crate) struct Place {
    pub(crate) clinic: Uuid,
    pub(crate) practitioner: Uuid,
    pub(crate) service: Uuid,
}

impl Place {
    /// Makes one that nobody else knows.
    pub(crate) async fn make(parts: &Parts) -> Result<Self> {
        Self::open(parts, "Europe/Berlin", ("08:00", "17:00")).await
    }

    /// Makes one where another clock hangs on the wall, with hours of its own.
    pub(crate) async fn open(parts: &Parts, zone: &str, open: (&str, &str)) -> Result<Self> {
        let [clinic, practitioner, service] = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
        let mut database = parts.database().await?;
        let put = "insert into state.state (key, value) values ($1, convert_to($2, 'UTF8'))";
        for (kind, id, data) in [
            ("clinic", clinic, json!({ "name": "North", "timeZone": zone })),
            ("service", service, json!({ "name": "Visit", "durationMinutes": 30 })),
            ("practitioner", practitioner, hours(clinic, open)),
        ] {
            let document = json!({ "schema": 1, "version": 1, "events": [], "data": data }).to_string();
            anyhow::ensure!(database.change(put, &[&format!("{kind}/{id}"), &document]).await?.is_none());
        }
        Ok(Self { clinic, practitioner, service })
    }

    /// Has the practitioner see patients at this clinic from now on.
    pub(crate) async fn works_at(&self, parts: &Parts) -> Result<()> {
        let document =
            json!({ "schema": 1, "version": 2, "events": [], "data": hours(self.clinic, ("08:00", "17:00")) })
                .to_string();
        let put = "update state.state set value = convert_to($2, 'UTF8'), etag = gen_random_uuid() where key = $1";
        let key = format!("practitioner/{}", self.practitioner);
        anyhow::ensure!(parts.database().await?.change(put, &[&key, &document]).await?.is_none());
        Ok(())
    }

    /// The body of a booking.
    pub(crate) fn wanted(&self, patient: &Value, start: &str) -> Value {
        json!({
            "patientId": id(patient), "practitionerId": self.practitioner, "serviceId": self.service,
            "clinicId": self.clinic, "start": start,
        })
    }

    /// Books as the front desk does.
    pub(crate) async fn book(&self, parts: &Parts, patient: &Value, start: &str) -> Result<(u16, Value)> {
        let wanted = self.wanted(patient, start);
        ask(parts, Role::FrontDesk, "/api/appointments", &unique("key"), None, &wanted).await
    }
}

fn hours(clinic: Uuid, (start, end): (&str, &str)) -> Value {
    json!({
        "name": "Dr Okoye", "lanes": 2,
        "schedules": [{ "clinicId": clinic, "from": "2026-01-01", "week": [{
            "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": start, "end": end,
        }] }],
    })
}

/// A time in a week from now by the clinic's clock, with its offset.
pub(crate) fn at(hour: i8, minute: i8) -> String {
    let zoned = day().at(hour, minute, 0, 0).to_zoned(TimeZone::get("Europe/Berlin").unwrap()).unwrap();
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn day() -> Date {
    let today: Zoned = Timestamp::now().to_zoned(TimeZone::get("Europe/Berlin").unwrap());
    today.date().saturating_add(7.days())
}

/// Posts; answers status and body. Without a body it is an action about which nothing has to be said.
pub(crate) async fn ask(
    parts: &Parts,
    role: Role,
    path: &str,
    key: &str,
    seen: Option<u64>,
    body: &Value,
) -> Result<(u16, Value)> {
    let mut request = parts.request(Method::POST, path).bearer_auth(parts.token(role)?).header("idempotency-key", key);
    if let Some(seen) = seen {
        request = request.header("if-match", format!("\"{seen}\""));
    }
    if !body.is_null() {
        request = request.json(body);
    }
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

/// Books as a client does that wants to know: while nobody can tell, it asks again with the same key.
pub(crate) async fn decided(parts: &Parts, key: &str, wanted: &Value) -> Result<(u16, Value)> {
    loop {
        let answer = ask(parts, Role::FrontDesk, "/api/appointments", key, None, wanted).await?;
        if answer.0 != 503 {
            return Ok(answer);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
