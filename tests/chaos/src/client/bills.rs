//! Invoices of this client's own patients, which nobody else touches; all clients get their numbers from one clinic.

use access::Role;
use anyhow::Result;
use rand::{Rng as _, seq::IndexedRandom as _};
use serde_json::{Value, json};

use super::{Answer, Ask, Client, Known};
use crate::{clinic::CPT, journal::Wish};

/// An invoice that this client has issued.
#[derive(Clone)]
pub(super) struct Bill {
    pub(super) id: String,
    pub(super) patient: String,
}

pub(super) const INVOICES: &str = "/api/billing/invoices";
/// How often a draft stays one.
const LEFT: f64 = 0.1;

impl Client {
    /// Issues what an encounter of the patient has left, else an invoice that is drafted by hand.
    pub(super) async fn bill(&mut self, known: &Known) -> Result<bool> {
        let drafts = self.see(Role::Biller, &format!("{INVOICES}?status=draft&patientId={}", known.id)).await?;
        let of_encounter = |draft: &&Value| !draft["encounterId"].is_null();
        let draft = drafts["items"].as_array().and_then(|items| items.iter().find(of_encounter));
        let (id, version) = if let Some(draft) = draft {
            (text(draft, "invoiceId"), draft["version"].as_u64().unwrap_or_default())
        } else {
            let (key, tag) = self.name();
            let lines = self.lines(&tag);
            let body = json!({ "patientId": known.id, "clinicId": self.world.clinic.id(), "lines": lines });
            let answers = self.perhaps_twice(Ask::post(Role::Biller, INVOICES, &key, &body)).await?;
            self.note_all(Wish::Draft, &key, None, &body, &answers)?;
            let Some(Answer { status: Some(201), body, .. }) = answers.first() else { return Ok(true) };
            (text(body, "invoiceId"), 1)
        };
        if self.random.random_bool(LEFT) {
            return Ok(true);
        }
        let (key, _) = self.name();
        let (path, body) = (format!("{INVOICES}/{id}/issue"), json!({}));
        let ask = Ask { seen: Some(version), ..Ask::post(Role::Biller, &path, &key, &body) };
        let answers = self.perhaps_twice(ask).await?;
        self.note_all(Wish::Issue, &key, Some((&id, version)), &body, &answers)?;
        if answers.iter().any(|answer| answer.status == Some(200)) {
            self.bills.push(Bill { id, patient: known.id.clone() });
        }
        Ok(true)
    }

    /// Takes a part of a line back, of what the patient owes or has paid.
    pub(super) async fn credit(&mut self) -> Result<bool> {
        let Some((id, invoice)) = self.some_invoice().await? else { return Ok(false) };
        let balance = |part: &str| invoice["balance"][part].as_i64().unwrap_or_default();
        let left = balance("patientOpen") + balance("patientPaid");
        let of_line = |line: &Value| {
            left.min(line["total"].as_i64().unwrap_or_default() - line["credited"].as_i64().unwrap_or_default())
        };
        let lines = invoice["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
        let lines: Vec<_> = lines.iter().filter(|line| of_line(line) > 0).collect();
        let Some(line) = lines.choose(&mut self.random) else { return Ok(false) };
        let amount = self.random.random_range(1..=of_line(line));
        let lines = json!([{ "sequence": line["sequence"], "amount": amount }]);
        let body = json!({ "lines": lines, "reason": "The copy was not wanted" });
        self.change_bill(Wish::Credit, "credit-notes", &id, &invoice, &body).await
    }

    /// Gives a part up, or all that is open.
    pub(super) async fn write_off(&mut self) -> Result<bool> {
        let Some((id, invoice)) = self.some_invoice().await? else { return Ok(false) };
        let open = invoice["balance"]["patientOpen"].as_i64().unwrap_or_default();
        if open <= 0 {
            return Ok(false);
        }
        let amount = if self.random.random_bool(0.3) { open } else { self.random.random_range(1..=open) };
        let reason = *["small-balance", "bad-debt", "courtesy"].choose(&mut self.random).unwrap_or(&"courtesy");
        let body = json!({ "reason": reason, "amount": amount });
        self.change_bill(Wish::WriteOff, "write-off", &id, &invoice, &body).await
    }

    async fn change_bill(&mut self, wish: Wish, action: &str, id: &str, seen: &Value, body: &Value) -> Result<bool> {
        let (key, _) = self.name();
        let version = seen["version"].as_u64().unwrap_or_default();
        let path = format!("{INVOICES}/{id}/{action}");
        let ask = Ask { seen: Some(version), ..Ask::post(Role::Biller, &path, &key, body) };
        let answers = self.perhaps_twice(ask).await?;
        self.note_all(wish, &key, Some((id, version)), body, &answers)?;
        Ok(true)
    }

    async fn some_invoice(&mut self) -> Result<Option<(String, Value)>> {
        let Some(Bill { id, .. }) = self.bills.choose(&mut self.random).cloned() else { return Ok(None) };
        let invoice = self.see(Role::Biller, &format!("{INVOICES}/{id}")).await?;
        Ok(invoice["version"].is_u64().then_some((id, invoice)))
    }

    /// One line or two, whose tax comes out even: what it has to be is no question of rounding then.
    fn lines(&mut self, tag: &str) -> Vec<Value> {
        let count = self.random.random_range(1..=2);
        let line = |_| {
            let (price, units) = (self.random.random_range(1..=2_000) * 5, self.random.random_range(1..=3));
            let mut line = json!({
                "system": CPT, "code": "99213", "text": format!("Follow-up {tag}"), "date": "2026-11-30",
                "units": units, "unitPrice": price, "tax": { "category": "exempt" },
            });
            if self.random.random_bool(0.3) {
                line["discount"] = json!({ "amount": 5, "reason": "Booked online" });
            }
            if self.random.random_bool(0.3) {
                line["tax"] = json!({ "category": "standard", "rateMillionths": 200_000 });
            }
            line
        };
        (0..count).map(line).collect()
    }

    /// Writes down every answer that a request has got.
    pub(super) fn note_all(
        &self,
        wish: Wish,
        key: &str,
        subject: Option<(&str, u64)>,
        body: &Value,
        answers: &[Answer],
    ) -> Result<()> {
        let subject = subject.map(|(id, seen)| (id, Some(seen), false));
        answers.iter().try_for_each(|answer| self.note(wish, key, subject, body, answer))
    }
}

pub(super) fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}
