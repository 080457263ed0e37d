//! Coverages of this client's own patients, and claims for what they were billed.
//!
//! Whoever has claimed an invoice leaves it alone from then on: what becomes of it is its payer's to say.

use access::Role;
use anyhow::Result;
use rand::Rng as _;
use serde_json::{Value, json};

use super::{
    Answer, Ask, Client,
    bills::{Bill, INVOICES, text},
};
use crate::journal::Wish;

const COVERAGES: &str = "/api/billing/coverages";
const CLAIMS: &str = "/api/billing/claims";
/// A number that a provider can have.
const NPI: &str = "1234567893";
/// Says that a service was done again, as often as it is on an invoice or on several.
const AGAIN: &str = "76";
/// How often two people claim for the same invoice at once: one of them has to be refused.
const SIDE_BY_SIDE: f64 = 0.2;
/// How often a claim stays where it is.
const LEFT: f64 = 0.1;
/// How often a payer says that it has a claim, before it answers; and of that, how often it wants to know more.
const ACKNOWLEDGED: f64 = 0.6;
const PENDED: f64 = 0.2;

impl Client {
    /// Writes a coverage of the patient down, unless there is one; answers payer and coverage.
    pub(super) async fn insure(&mut self, patient: &str) -> Result<Option<(String, String)>> {
        if let Some(insured) = self.insured.get(patient) {
            return Ok(Some(insured.clone()));
        }
        let (key, tag) = self.name();
        let payer = self.world.clinic.payer(&mut self.random).to_owned();
        let deductible = self.random.random_range(0..=500) * 100;
        let terms = json!({ "currencyCode": "EUR", "deductible": deductible, "coinsuranceMillionths": 200_000 });
        let body = json!({
            "patientId": patient, "payerId": payer, "plan": "Chaos", "memberId": tag, "relationship": "self",
            "start": "2020-01-01", "order": 1, "terms": terms,
        });
        let answers = self.perhaps_twice(Ask::post(Role::FrontDesk, COVERAGES, &key, &body)).await?;
        self.note_all(Wish::Insure, &key, None, &body, &answers)?;
        let Some(Answer { status: Some(201), body, .. }) = answers.first() else { return Ok(None) };
        let insured = (payer, text(body, "coverageId"));
        self.insured.insert(patient.to_owned(), insured.clone());
        Ok(Some(insured))
    }

    /// Claims what is open of an invoice, as far as the payer's desk.
    pub(super) async fn claim(&mut self) -> Result<bool> {
        if self.bills.is_empty() {
            return Ok(false);
        }
        let n = self.random.random_range(0..self.bills.len());
        let Bill { id, patient } = self.bills[n].clone();
        let invoice = self.see(Role::Biller, &format!("{INVOICES}/{id}")).await?;
        let lines = invoice["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
        // A payer is not asked for nothing, neither in all nor by a line.
        let is_worth_it = |line: &Value| line["total"].as_i64().unwrap_or_default() > 0;
        if invoice["balance"]["patientOpen"].as_i64().unwrap_or_default() <= 0 || !lines.iter().all(is_worth_it) {
            return Ok(false);
        }
        let Some((payer, coverage)) = self.insure(&patient).await? else { return Ok(true) };
        self.bills.swap_remove(n);
        let Some(claim) = self.write_claim(&id, &coverage, lines.len()).await? else { return Ok(true) };
        let mut seen = claim;
        for (wish, action) in [(Wish::Prepare, "prepare"), (Wish::Submit, "submit")] {
            if self.random.random_bool(LEFT) {
                return Ok(true);
            }
            let Some(changed) = self.change_claim(wish, action, Role::Biller, &seen, &json!({})).await? else {
                return Ok(true);
            };
            seen = changed;
        }
        if self.random.random_bool(ACKNOWLEDGED) {
            let said = if self.random.random_bool(PENDED) { "pended" } else { "accepted" };
            let body = json!({ "acknowledgement": said, "controlNumber": format!("ICN-{}", self.made) });
            let changed = self.change_claim(Wish::Acknowledge, "acknowledgements", Role::Service, &seen, &body).await?;
            seen = changed.unwrap_or(seen);
        }
        self.world.payers.ask(payer, seen);
        Ok(true)
    }

    async fn write_claim(&mut self, invoice: &str, coverage: &str, lines: usize) -> Result<Option<Value>> {
        let line = |line| json!({ "line": line, "modifiers": [AGAIN], "diagnosisPointers": [1] });
        let lines: Vec<_> = (1..=lines).map(line).collect();
        let content = json!({ "billingProvider": NPI, "renderingProvider": NPI, "diagnoses": ["I10"], "lines": lines });
        let body = json!({ "invoiceId": invoice, "coverageId": coverage, "content": content });
        let (key, _) = self.name();
        let mut answers = if self.random.random_bool(SIDE_BY_SIDE) {
            let (other_key, _) = self.name();
            let randoms = (self.clone_random(), self.clone_random());
            let (first, second) = tokio::join!(
                self.until_definite(randoms.0, Ask::post(Role::Biller, CLAIMS, &key, &body)),
                self.until_definite(randoms.1, Ask::post(Role::Biller, CLAIMS, &other_key, &body)),
            );
            let (first, second) = (first?, second?);
            self.note(Wish::Claim, &key, None, &body, &first)?;
            self.note(Wish::Claim, &other_key, None, &body, &second)?;
            vec![first, second]
        } else {
            let answers = self.perhaps_twice(Ask::post(Role::Biller, CLAIMS, &key, &body)).await?;
            self.note_all(Wish::Claim, &key, None, &body, &answers)?;
            answers
        };
        let made = answers.iter().position(|answer| answer.status == Some(201));
        Ok(made.map(|made| answers.swap_remove(made).body))
    }

    /// Does something to a claim; answers it as it is then.
    async fn change_claim(
        &mut self,
        wish: Wish,
        action: &str,
        role: Role,
        claim: &Value,
        body: &Value,
    ) -> Result<Option<Value>> {
        let (key, _) = self.name();
        let (id, version) = (text(claim, "claimId"), claim["version"].as_u64().unwrap_or_default());
        let path = format!("{CLAIMS}/{id}/{action}");
        // A payer knows nothing of versions.
        let seen = (role == Role::Biller).then_some(version);
        let answers = self.perhaps_twice(Ask { seen, ..Ask::post(role, &path, &key, body) }).await?;
        self.note_all(wish, &key, Some((&id, version)), body, &answers)?;
        let done = answers.into_iter().find(|answer| answer.status == Some(200));
        Ok(done.map(|answer| answer.body))
    }
}
