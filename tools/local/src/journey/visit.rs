//! A visit: from the search for a free time to the finished encounter, by those who may do it.

use anyhow::{Context as _, Result, ensure};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Traveller,
    answer::{Answer, send},
    money::{money, put_up_fees},
};
use crate::secrets;

/// The system of codes of what is done.
pub(super) const CPT: &str = "http://www.ama-assn.org/go/cpt";
const ZONE: &str = "Europe/Berlin";

/// Takes a patient through a visit of today, in a clinic that is set up for it.
pub(super) async fn visit(admin: &Traveller<'_>, patient: &str) -> Result<()> {
    let clinic = Clinic::open(admin).await?;
    put_up_fees(admin).await?;
    let front_desk = admin.staff("front-desk").await?;
    let physician = admin.staff("physician").await?;

    let appointment = front_desk.book(&clinic, patient).await?;
    front_desk.on(&appointment, "confirm").await?;
    front_desk.on(&appointment, "arrive").await?;
    front_desk.on(&appointment, "check-in").await?;
    physician.observe(patient).await?;
    physician.see(patient, &appointment).await?;
    money(admin, &front_desk, patient).await
}

/// What has to be there before anybody can be booked.
struct Clinic {
    id: String,
    practitioner: String,
    service: String,
}

impl Clinic {
    async fn open(admin: &Traveller<'_>) -> Result<Self> {
        let id = admin
            .make("/api/clinics", &json!({ "name": "Demo clinic", "timeZone": ZONE }))
            .await?
            .text("/id")?
            .to_owned();
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        // Day and night, since nobody knows when this is run.
        let week = json!([{ "days": days, "start": "00:00", "end": "24:00" }]);
        let hours = json!([{ "clinicId": id, "from": "2026-01-01", "week": week }]);
        let practitioner = json!({ "name": "Dr. Demo", "schedules": hours });
        let practitioner = admin.make("/api/practitioners", &practitioner).await?.text("/id")?.to_owned();
        let service = json!({
            "name": "Follow-up visit", "durationMinutes": 30, "bufferAfterMinutes": 5,
            "priceCode": { "system": CPT, "code": "99213" },
        });
        let made = admin.make("/api/services", &service).await?;
        let service = made.text("/id")?.to_owned();
        admin
            .report
            .say(&format!("POST /api/clinics ...            {}  a clinic, a practitioner, a service", made.summary()));
        Ok(Self { id, practitioner, service })
    }
}

impl<'a> Traveller<'a> {
    /// Somebody of the staff, who is made and signs in.
    pub(super) async fn staff(&self, role: &str) -> Result<Traveller<'a>> {
        let (email, password) = (format!("{role}-{}@clinic.example", Uuid::now_v7()), secrets::random()?);
        let user = json!({ "email": email, "password": password, "role": role });
        self.make("/auth/users", &user).await?;
        let credentials = json!({ "email": email, "password": password });
        let answer = send(self.client.post(format!("{}/auth/login", self.url)).json(&credentials)).await?;
        answer.expect(StatusCode::OK, "POST /auth/login")?;
        self.report.say(&format!("POST /auth/login                 {}  signed in as {role}", answer.summary()));
        let token = answer.text("/access_token")?.to_owned();
        Ok(Traveller { client: self.client.clone(), url: self.url, token, insured: self.insured, report: self.report })
    }

    /// The first time that is free, and the appointment.
    async fn book(&self, clinic: &Clinic, patient: &str) -> Result<Value> {
        let today = TimeZone::get(ZONE)?.to_datetime(Timestamp::now()).date();
        let Clinic { id, practitioner, service } = clinic;
        let to = today.checked_add(1.day())?;
        let path = format!("/api/slots?service={service}&practitioner={practitioner}&clinic={id}&from={today}&to={to}");
        let found = self.get(&path).await?;
        found.expect(StatusCode::OK, &path)?;
        let slots = found.at("/items")?.as_array().context("a list of slots")?;
        let start = &slots.first().context("no time is free")?["start"];
        self.report.say(&format!(
            "GET  /api/slots                  {}  {} free times, the first at {start}",
            found.summary(),
            slots.len()
        ));
        let booking = json!({
            "patientId": patient, "clinicId": id, "practitionerId": practitioner, "serviceId": service, "start": start,
        });
        let booked = self.make("/api/appointments", &booking).await?;
        self.report.say(&format!("POST /api/appointments           {}  booked", booked.summary()));
        let again = self.post("/api/appointments", &booking, None).await?;
        ensure!(again.status == StatusCode::CONFLICT, "the same time was booked twice: {}", again.status);
        self.report
            .say(&format!("POST /api/appointments           {}  the same time once more: refused", again.summary()));
        Ok(booked.body)
    }

    /// Does something with an appointment at whatever version it is.
    async fn on(&self, appointment: &Value, action: &str) -> Result<Value> {
        let path = format!("/api/appointments/{}", appointment["id"].as_str().unwrap_or_default());
        let version = self.get(&path).await?.at("/version")?.clone();
        let path = format!("{path}/{action}");
        let done = self.post(&path, &json!({}), version.as_u64()).await?;
        done.expect(StatusCode::OK, &path)?;
        self.report.say(&format!(
            "POST /api/appointments/../{action:<10} {}  {}",
            done.summary(),
            done.text("/status")?
        ));
        Ok(done.body)
    }

    async fn observe(&self, patient: &str) -> Result<()> {
        let rate = json!({
            "status": "final",
            "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4", "display": "Heart rate" }] },
            "effectiveDateTime": Timestamp::now().to_string(),
            "valueQuantity": { "value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min" },
        });
        let written = self.make(&format!("/api/patients/{patient}/observations"), &rate).await?;
        self.report.say(&format!("POST /api/patients/../observations {}  a heart rate", written.summary()));
        Ok(())
    }

    /// Sees the patient: the encounter begins, ends with what it comes to, and the appointment with it.
    async fn see(&self, patient: &str, appointment: &Value) -> Result<()> {
        let begun = self.on(appointment, "start").await?;
        let encounter = begun["encounterId"].as_str().unwrap_or_default();
        let path = format!("/api/patients/{patient}/encounters/{encounter}");
        let seen = self.get(&path).await?;
        let finish = json!({
            "status": "finished",
            "diagnosis": [{ "code": { "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10" } }],
            "services": [{ "code": { "system": CPT, "code": "99213" }, "diagnoses": [1] }],
        });
        let request = self.client.patch(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let finished = send(request.header("if-match", seen.header("etag")?).json(&finish)).await?;
        finished.expect(StatusCode::OK, &path)?;
        self.report.say(&format!(
            "PATCH /api/patients/../encounters {}  {}  patient -> encounter.finished",
            finished.summary(),
            finished.text("/status")?
        ));
        self.on(appointment, "finish").await?;
        Ok(())
    }

    pub(super) async fn make(&self, path: &str, body: &Value) -> Result<Answer> {
        let made = self.post(path, body, None).await?;
        made.expect(StatusCode::CREATED, path)?;
        Ok(made)
    }

    /// Does something once to the version that was seen.
    pub(super) async fn act(&self, path: &str, body: &Value, seen: Option<u64>) -> Result<Answer> {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = request.header("idempotency-key", Uuid::now_v7().to_string());
        let request = request.header("if-match", format!("\"{}\"", seen.unwrap_or_default()));
        send(request.json(body)).await
    }

    async fn post(&self, path: &str, body: &Value, seen: Option<u64>) -> Result<Answer> {
        let mut request = self.client.request(Method::POST, format!("{}{path}", self.url)).bearer_auth(&self.token);
        request = match seen {
            Some(version) => request.header("if-match", format!("\"{version}\"")),
            None => request.header("idempotency-key", Uuid::now_v7().to_string()),
        };
        send(request.json(body)).await
    }
}
