//! What is sent.

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use uuid::Uuid;

use super::books::Billed;
use crate::{client::Client, load::Source};

/// What each payment is of, in cents.
pub(super) const AMOUNT: i64 = 25;

/// Payments of one patient after another; each pays a part of the patient's one invoice.
pub(super) struct Payments {
    patients: Vec<Uuid>,
}

impl Payments {
    pub(super) fn of(billed: &[Billed]) -> Self {
        Self { patients: billed.iter().map(|billed| billed.patient).collect() }
    }
}

impl Source for Payments {
    fn request(&self, client: &Client, n: u64) -> Result<Request<Full<Bytes>>> {
        let patient = self.patients[usize::try_from(n)? % self.patients.len()];
        let body = json!({
            "patientId": patient, "method": "card", "amount": AMOUNT, "currencyCode": "EUR",
            "reference": format!("T-20261130-{n:06}"), "cardLast4": "4242",
        });
        keyed(client, "/api/billing/payments", &body)
    }

    fn expected(&self) -> StatusCode {
        StatusCode::CREATED
    }
}

/// What the floor does for a payment.
pub(super) struct FloorPayments {
    /// Whether it asks a question first.
    pub(super) asks: bool,
}

impl Source for FloorPayments {
    fn request(&self, client: &Client, n: u64) -> Result<Request<Full<Bytes>>> {
        let path = if self.asks { "/floor/payments/asked" } else { "/floor/payments" };
        client.post(path, json!({ "n": n }).to_string().into_bytes())
    }

    fn expected(&self) -> StatusCode {
        StatusCode::CREATED
    }
}

/// Invoices by id, from all over the table.
pub(super) struct Invoices {
    pub(super) ids: Vec<Uuid>,
}

impl Source for Invoices {
    fn request(&self, client: &Client, n: u64) -> Result<Request<Full<Bytes>>> {
        let at = usize::try_from(crate::sources::scatter(n))? % self.ids.len();
        client.get(&format!("/api/billing/invoices/{}", self.ids[at]))
    }

    fn expected(&self) -> StatusCode {
        StatusCode::OK
    }
}

/// A request with a key that nobody had.
pub(super) fn keyed(client: &Client, path: &str, body: &Value) -> Result<Request<Full<Bytes>>> {
    let mut request = client.post(path, body.to_string().into_bytes())?;
    request.headers_mut().insert("idempotency-key", HeaderValue::from_str(&format!("bench-{}", Uuid::now_v7()))?);
    Ok(request)
}
