//! What is sent.

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use jiff::ToSpan as _;
use serde_json::json;
use uuid::Uuid;

use super::clinic::Clinic;
use crate::{client::Client, load::Source, sources::Page};

/// Heart rates of one patient, a minute apart.
pub(super) struct Observations {
    pub(super) patient: Uuid,
}

impl Source for Observations {
    fn request(&self, client: &Client, n: u64) -> Result<Request<Full<Bytes>>> {
        let at = jiff::civil::date(2020, 1, 1).at(8, 0, 0, 0).checked_add(i64::try_from(n)?.minutes())?;
        let body = json!({
            "status": "final",
            "category": [{ "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs",
            }] }],
            "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4", "display": "Heart rate" }] },
            "effectiveDateTime": format!("{at}Z"),
            "valueQuantity": {
                "value": 60 + n % 40, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min",
            },
        });
        keyed(client, &format!("/api/patients/{}/observations", self.patient), &body)
    }

    fn expected(&self) -> StatusCode {
        StatusCode::CREATED
    }
}

/// Bookings that are in nobody's way.
pub(super) struct Bookings {
    clinic: String,
    service: String,
    practitioners: Vec<String>,
    patients: Vec<Uuid>,
    starts: Vec<String>,
}

impl Bookings {
    /// The first day of the first practitioner.
    pub(super) fn of_one_practitioner(clinic: &Clinic, patients: &[Uuid]) -> Self {
        Self::of(clinic, 1, patients, 0..super::clinic::TIMES_A_DAY)
    }

    /// All practitioners, from the second day on, for more than the bookings of some minutes.
    pub(super) fn of_all(clinic: &Clinic, patients: &[Uuid]) -> Self {
        let day = super::clinic::TIMES_A_DAY;
        Self::of(clinic, clinic.practitioners.len(), patients, day..day * 8)
    }

    fn of(clinic: &Clinic, practitioners: usize, patients: &[Uuid], times: std::ops::Range<u64>) -> Self {
        Self {
            clinic: clinic.id.clone(),
            service: clinic.service.clone(),
            practitioners: clinic.practitioners[..practitioners].to_vec(),
            patients: patients.to_vec(),
            starts: times.filter_map(|n| clinic.start(n).ok()).map(|start| start.to_string()).collect(),
        }
    }
}

impl Source for Bookings {
    /// One time after another at one practitioner after another, so that no patient has two appointments at one time.
    fn request(&self, client: &Client, n: u64) -> Result<Request<Full<Bytes>>> {
        let n = usize::try_from(n)?;
        let (practitioner, time) = (n % self.practitioners.len(), n / self.practitioners.len());
        let body = json!({
            "clinicId": self.clinic,
            "serviceId": self.service,
            "practitionerId": self.practitioners[practitioner],
            "patientId": self.patients[n % self.patients.len()],
            "start": self.starts[time % self.starts.len()],
        });
        keyed(client, "/api/appointments", &body)
    }

    fn expected(&self) -> StatusCode {
        StatusCode::CREATED
    }
}

/// The newest observations of a patient.
pub(super) fn page_of_chart(patient: Uuid) -> Page {
    Page(format!("/api/patients/{patient}/observations?limit=20"))
}

/// The free times of a practitioner in thirty days.
pub(super) fn page_of_slots(clinic: &Clinic) -> Page {
    let (from, to) = (clinic.first, clinic.first.saturating_add(29.days()));
    let (id, service, practitioner) = (&clinic.id, &clinic.service, &clinic.practitioners[0]);
    Page(format!("/api/slots?service={service}&practitioner={practitioner}&clinic={id}&from={from}&to={to}"))
}

fn keyed(client: &Client, path: &str, body: &serde_json::Value) -> Result<Request<Full<Bytes>>> {
    let mut request = client.post(path, body.to_string().into_bytes())?;
    request.headers_mut().insert("idempotency-key", HeaderValue::from_str(&format!("bench-{}", Uuid::now_v7()))?);
    Ok(request)
}
