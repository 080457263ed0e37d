//! A clinic with few practitioners and few times, so that many clients want the same ones.

use anyhow::{Context as _, Result, ensure};
use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use rand::{Rng, seq::IndexedRandom as _};
use serde_json::{Value, json};
use testkit::Issuer;

use crate::client::SERVICES;

const PRACTITIONERS: usize = 6;
const DAYS: i32 = 5;
const TIMES_A_DAY: i64 = 16;
const MINUTES: i64 = 30;
const PAYERS: usize = 2;
/// Seconds from one time to the next, and how many times ahead somebody books who comes at once: they need not hurry, and
/// it is less than the four hours that a patient may be early.
const SLOT: i64 = MINUTES * 60;
const SOON: std::ops::RangeInclusive<i64> = 2..=7;

/// The system of the codes of what is done, `CPT`.
pub(crate) const CPT: &str = "http://www.ama-assn.org/go/cpt";

/// What can be booked, and what it costs.
pub(crate) struct Clinic {
    id: String,
    practitioners: Vec<String>,
    rooms: Vec<String>,
    service: String,
    payers: Vec<String>,
    starts: Vec<Timestamp>,
}

impl Clinic {
    /// Sets it up at the public port, as an administrator does.
    pub(crate) async fn open(url: &str, http: &reqwest::Client, issuer: &Issuer, zone: &str) -> Result<Self> {
        let door = Door { url, http, token: issuer.token("chaos set-up", access::Role::Admin)? };
        let clinic = door.make("/api/clinics", json!({ "name": "Chaos", "timeZone": zone })).await?;
        let week =
            json!([{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00" }]);
        let (mut practitioners, mut rooms) = (Vec::new(), Vec::new());
        for number in 1..=PRACTITIONERS {
            let hours = json!([{ "clinicId": clinic, "from": "2026-01-01", "week": week }]);
            let practitioner = json!({ "name": format!("Practitioner {number}"), "schedules": hours });
            practitioners.push(door.make("/api/practitioners", practitioner).await?);
            // One room less than there are practitioners, so that rooms are short, too.
            if number > 1 {
                let room = json!({ "clinicId": clinic, "name": format!("Room {number}") });
                rooms.push(door.make("/api/rooms", room).await?);
            }
        }
        let service = json!({ "name": "Visit", "durationMinutes": MINUTES, "bufferAfterMinutes": 0 });
        let service = door.make("/api/services", service).await?;
        let fee = |code: &&str| json!({ "system": CPT, "code": code, "text": "Visit", "unitPrice": 9_500 });
        let fees: Vec<_> = SERVICES.iter().map(fee).collect();
        let schedule = json!({ "name": "Chaos", "effectiveFrom": "2026-01-01", "currencyCode": "EUR", "fees": fees });
        door.make("/api/billing/fee-schedules", schedule).await?;
        let mut payers = Vec::new();
        for number in 1..=PAYERS {
            let payer = json!({
                "name": format!("Payer {number}"), "electronicId": format!("CHAOS-{number}"), "filing": "commercial",
                "filingDays": 365, "appealDays": 180, "alertDays": 14,
            });
            payers.push(door.make("/api/billing/payers", payer).await?);
        }
        let zone = TimeZone::get(zone)?;
        let today = zone.to_datetime(Timestamp::now()).date();
        let mut starts = Vec::new();
        for day in 1..=DAYS {
            let opens = today.checked_add(day.days())?.at(8, 0, 0, 0).to_zoned(zone.clone())?.timestamp();
            starts.extend((0..TIMES_A_DAY).map(|n| opens + SignedDuration::from_mins(n * MINUTES)));
        }
        Ok(Self { id: clinic, practitioners, rooms, service, payers, starts })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn practitioner(&self, random: &mut impl Rng) -> &str {
        pick(random, &self.practitioners)
    }

    pub(crate) fn payer(&self, random: &mut impl Rng) -> &str {
        pick(random, &self.payers)
    }

    /// A booking that somebody else may want, too.
    pub(crate) fn booking(&self, random: &mut impl Rng, patient: &str) -> Value {
        let mut booking = json!({
            "patientId": patient,
            "clinicId": self.id,
            "practitionerId": self.practitioner(random),
            "serviceId": self.service,
            "start": self.start(random),
        });
        if random.random_bool(0.5) {
            booking["roomId"] = pick(random, &self.rooms).into();
        }
        booking
    }

    /// The same, at a time at which the patient may come now.
    pub(crate) fn booking_soon(&self, random: &mut impl Rng, patient: &str) -> Value {
        let mut booking = self.booking(random, patient);
        let now = Timestamp::now().as_second() / SLOT * SLOT;
        let start = Timestamp::from_second(now + random.random_range(SOON) * SLOT).unwrap_or_default();
        booking["start"] = start.to_string().into();
        booking
    }

    /// What somebody asks for who waits for a time.
    pub(crate) fn wait(&self, patient: &str) -> Value {
        let (first, last) = (self.starts.first(), self.starts.last());
        let end = last.map(|last| (*last + SignedDuration::from_mins(MINUTES)).to_string());
        json!({
            "status": "waitlist",
            "patientId": patient,
            "clinicId": self.id,
            "serviceId": self.service,
            "requestedPeriod": { "start": first.map(Timestamp::to_string), "end": end },
        })
    }

    /// One of its times.
    pub(crate) fn start(&self, random: &mut impl Rng) -> String {
        self.starts.choose(random).map(ToString::to_string).unwrap_or_default()
    }
}

struct Door<'a> {
    url: &'a str,
    http: &'a reqwest::Client,
    token: String,
}

impl Door<'_> {
    /// Makes something; answers its id.
    async fn make(&self, path: &str, body: Value) -> Result<String> {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let key = format!("chaos-{}", uuid::Uuid::now_v7());
        let answer = request.header("idempotency-key", key).json(&body).send().await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        ensure!(status == 201, "POST {path} was answered {status}: {body}");
        let id = ["id", "feeScheduleId", "payerId"].into_iter().find_map(|member| body[member].as_str());
        Ok(id.context("no id")?.to_owned())
    }
}

fn pick<'a>(random: &mut impl Rng, from: &'a [String]) -> &'a str {
    from.choose(random).map(String::as_str).unwrap_or_default()
}
