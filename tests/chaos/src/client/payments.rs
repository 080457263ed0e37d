//! Payments of this client's own patients, sometimes several at once.

use access::Role;
use anyhow::Result;
use rand::{Rng as _, seq::IndexedRandom as _};
use serde_json::{Value, json};

use super::{Ask, Client, Known, bills::text};
use crate::journal::Wish;

/// A payment that this client has recorded.
#[derive(Clone)]
pub(super) struct Paid {
    key: String,
    id: String,
    /// As it was asked for.
    body: Value,
}

const PAYMENTS: &str = "/api/billing/payments";
/// How often two people at the desk take money of the same patient at once.
const SIDE_BY_SIDE: f64 = 0.3;
/// The clinic's `REFUND_LIMIT`: up to this nobody else is asked.
const REFUND_LIMIT: i64 = 20_000;

impl Client {
    /// Money for whatever is due first, or before anything is.
    pub(super) async fn pay(&mut self, known: &Known) -> Result<bool> {
        let (key, body) = self.money(known);
        if self.random.random_bool(SIDE_BY_SIDE) {
            let (other_key, other) = self.money(known);
            let randoms = (self.clone_random(), self.clone_random());
            let (first, second) = tokio::join!(
                self.until_definite(randoms.0, Ask::post(Role::FrontDesk, PAYMENTS, &key, &body)),
                self.until_definite(randoms.1, Ask::post(Role::Biller, PAYMENTS, &other_key, &other))
            );
            for (key, body, answer) in [(key, body, first?), (other_key, other, second?)] {
                self.note(Wish::Pay, &key, None, &body, &answer)?;
                self.keep(key, body, answer.status, &answer.body);
            }
            return Ok(true);
        }
        let answers = self.perhaps_twice(Ask::post(Role::FrontDesk, PAYMENTS, &key, &body)).await?;
        self.note_all(Wish::Pay, &key, None, &body, &answers)?;
        if let Some(answer) = answers.first() {
            self.keep(key, body, answer.status, &answer.body);
        }
        Ok(true)
    }

    /// An acknowledged payment once more.
    pub(super) async fn repay(&mut self) -> Result<bool> {
        let Some(Paid { key, body, .. }) = self.paid.choose(&mut self.random).cloned() else { return Ok(false) };
        let answers = self.perhaps_twice(Ask::post(Role::FrontDesk, PAYMENTS, &key, &body)).await?;
        self.note_all(Wish::Repay, &key, None, &body, &answers)?;
        Ok(true)
    }

    /// Gives a part back, also of what has paid an invoice.
    pub(super) async fn refund(&mut self) -> Result<bool> {
        let Some(Paid { id, .. }) = self.paid.choose(&mut self.random).cloned() else { return Ok(false) };
        let payment = self.see(Role::Biller, &format!("{PAYMENTS}/{id}")).await?;
        let number = |member: &str| payment[member].as_i64().unwrap_or_default();
        let left = (number("amount") - number("refunded")).min(REFUND_LIMIT);
        let Some(version) = payment["version"].as_u64().filter(|_| left > 0) else { return Ok(false) };
        let (key, _) = self.name();
        let amount = if self.random.random_bool(0.3) { left } else { self.random.random_range(1..=left) };
        let (path, body) = (format!("{PAYMENTS}/{id}/refunds"), json!({ "amount": amount, "reason": "Paid twice" }));
        let ask = Ask { seen: Some(version), ..Ask::post(Role::Biller, &path, &key, &body) };
        let answers = self.perhaps_twice(ask).await?;
        self.note_all(Wish::Refund, &key, Some((&id, version)), &body, &answers)?;
        Ok(true)
    }

    /// The name of a payment is its reference, by which it is found wherever it is.
    fn money(&mut self, known: &Known) -> (String, Value) {
        let (key, tag) = self.name();
        let method = *["cash", "card", "transfer", "check"].choose(&mut self.random).unwrap_or(&"cash");
        let amount = self.random.random_range(1..=30_000);
        let body = json!({
            "patientId": known.id, "method": method, "amount": amount, "currencyCode": "EUR", "reference": tag,
        });
        (key, body)
    }

    fn keep(&mut self, key: String, body: Value, status: Option<u16>, answer: &Value) {
        if status == Some(201) {
            self.paid.push(Paid { key, id: text(answer, "paymentId"), body });
        }
    }
}
