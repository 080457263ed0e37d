//! A claim: who insures the patient, what the payer is asked for, and what it answers.

use std::time::Instant;

use anyhow::{Result, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use super::{COUNTED, POLL, Traveller, answer::Answer};

/// A number that a provider can have.
const NPI: &str = "1234567893";

/// Has a payer asked for what an invoice comes to, and waits for its answer.
pub(super) async fn claim(admin: &Traveller<'_>, biller: &Traveller<'_>, patient: &str, invoice: &str) -> Result<()> {
    let payer = json!({
        "name": "Demo Mutual", "electronicId": "60054", "filing": "commercial",
        "filingDays": 90, "appealDays": 180, "alertDays": 14,
    });
    let payer = admin.make("/api/billing/payers", &payer).await?.text("/payerId")?.to_owned();
    // The payer simulator pays members of this number, less a contract and a copay.
    let member = format!("PAY-{}", Uuid::now_v7().simple());
    let coverage = json!({
        "patientId": patient, "payerId": payer, "plan": "Demo Silver", "memberId": member, "relationship": "self",
        "start": "2026-01-01", "order": 1, "terms": { "currencyCode": "EUR", "copayPerVisit": 2_000 },
    });
    let made = biller.make("/api/billing/coverages", &coverage).await?;
    let coverage = made.text("/coverageId")?.to_owned();
    biller.report.say(&format!("POST /api/billing/coverages      {}  insured by Demo Mutual", made.summary()));
    let checked = biller.act(&format!("/api/billing/coverages/{coverage}/eligibility"), &json!({}), None).await?;
    checked.expect(StatusCode::OK, "eligibility")?;
    biller.report.say(&format!(
        "POST /api/billing/../eligibility {}  active: {}  billing -> clearinghouse",
        checked.summary(),
        checked.at("/active")?
    ));

    let content = json!({ "billingProvider": NPI, "renderingProvider": NPI });
    let claim = json!({ "invoiceId": invoice, "coverageId": coverage, "content": content });
    let drafted = biller.make("/api/billing/claims", &claim).await?;
    let path = format!("/api/billing/claims/{}", drafted.text("/claimId")?);
    let ready = biller.step(&path, "prepare", &drafted).await?;
    biller.step(&path, "submit", &ready).await?;

    let answered = biller.answered(&path).await?;
    let answer = &answered["answer"];
    let adjustments: Vec<_> = answer["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|line| line["adjustments"].as_array().into_iter().flatten())
        .map(|one| format!("{}-{} {}", text(one, "group"), text(one, "reason"), one["amount"]))
        .collect();
    biller.report.add(&format!("billed {} = paid {} + {}", answer["billed"], answer["paid"], adjustments.join(" + ")));
    Ok(())
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

impl Traveller<'_> {
    async fn step(&self, path: &str, action: &str, seen: &Answer) -> Result<Answer> {
        let done = self.act(&format!("{path}/{action}"), &json!({}), seen.at("/version")?.as_u64()).await?;
        done.expect(StatusCode::OK, action)?;
        self.report.say(&format!(
            "POST /api/billing/claims/../{action:<8} {}  {}, {} expected",
            done.summary(),
            done.text("/status")?,
            done.at("/expected")?
        ));
        Ok(done)
    }

    /// The claim, once its payer has decided.
    async fn answered(&self, path: &str) -> Result<Value> {
        let begun = Instant::now();
        loop {
            let found = self.get(path).await?;
            found.expect(StatusCode::OK, path)?;
            if found.body["answer"].is_object() {
                self.report.say(&format!(
                    "GET  /api/billing/claims/..      {}  {} after {} ms  clearinghouse -> gateway -> billing",
                    found.summary(),
                    found.text("/status")?,
                    begun.elapsed().as_millis()
                ));
                return Ok(found.body);
            }
            ensure!(begun.elapsed() < COUNTED, "no answer to the claim within {} s", COUNTED.as_secs());
            sleep(POLL).await;
        }
    }
}
