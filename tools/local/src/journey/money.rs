//! What a visit costs: from the draft that billing makes of the encounter to the balanced invoice, by a claim where
//! somebody answers claims, and what was posted.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{COUNTED, POLL, Traveller, insurance, visit::CPT};

/// What the demo clinic's service costs, in cents.
const PRICE: i64 = 9_500;

/// Puts up what the demo clinic's service costs.
pub(super) async fn put_up_fees(admin: &Traveller<'_>) -> Result<()> {
    let schedule = json!({
        "name": "Demo fees", "effectiveFrom": "2026-01-01", "currencyCode": "EUR",
        "fees": [{ "system": CPT, "code": "99213", "text": "Follow-up visit", "unitPrice": PRICE }],
    });
    let made = admin.make("/api/billing/fee-schedules", &schedule).await?;
    admin.report.say(&format!("POST /api/billing/fee-schedules  {}  a visit costs {PRICE} cents", made.summary()));
    Ok(())
}

/// Issues the invoice of a patient's visit, has it paid, by a payer as far as there is one, and shows the books.
pub(super) async fn money(admin: &Traveller<'_>, front_desk: &Traveller<'_>, patient: &str) -> Result<()> {
    let biller = admin.staff("biller").await?;
    let draft = biller.draft_of(patient).await?;
    let path = format!("/api/billing/invoices/{}", draft["invoiceId"].as_str().unwrap_or_default());

    let issued = biller.act(&format!("{path}/issue"), &json!({}), draft["version"].as_u64()).await?;
    issued.expect(StatusCode::OK, "issue")?;
    biller.report.say(&format!(
        "POST /api/billing/invoices/../issue {}  {}, due {}",
        issued.summary(),
        issued.text("/number")?,
        issued.text("/dueDate")?
    ));

    if admin.insured {
        insurance::claim(admin, &biller, patient, issued.text("/invoiceId")?).await?;
    }
    let owed = biller.get(&path).await?;
    let owed = owed.at("/balance/patientOpen")?.as_i64().context("an amount")?;
    let payment = json!({ "patientId": patient, "method": "cash", "amount": owed, "currencyCode": "EUR" });
    let paid = front_desk.make("/api/billing/payments", &payment).await?;
    front_desk.report.say(&format!(
        "POST /api/billing/payments       {}  {owed} in cash, {}, {} unapplied",
        paid.summary(),
        paid.text("/status")?,
        paid.at("/unapplied")?
    ));

    let balanced = biller.get(&path).await?;
    balanced.expect(StatusCode::OK, &path)?;
    ensure!(balanced.text("/status")? == "paid", "the invoice is not balanced: {}", balanced.body);
    biller.report.say(&format!(
        "GET  /api/billing/invoices/..    {}  {}",
        balanced.summary(),
        balanced.text("/status")?
    ));

    let postings = biller.get(&format!("/api/billing/ledger/postings?patientId={patient}")).await?;
    postings.expect(StatusCode::OK, "postings")?;
    biller
        .report
        .say(&format!("GET  /api/billing/ledger/postings {}  what was posted, newest first:", postings.summary()));
    for posting in postings.at("/items")?.as_array().context("a list of postings")? {
        let text = |field: &str| posting[field].as_str().unwrap_or_default().to_owned();
        let amount =
            |field: &str| posting[field].as_i64().filter(|amount| *amount != 0).map(|amount| amount.to_string());
        biller.report.add(&format!(
            "{:<18} {:<20} {:>8} {:>8}",
            text("act"),
            text("account"),
            amount("debit").unwrap_or_default(),
            amount("credit").unwrap_or_default()
        ));
    }
    let trial = biller.get("/api/billing/reports/trial-balance").await?;
    trial.expect(StatusCode::OK, "trial balance")?;
    for total in trial.at("/totals")?.as_array().context("totals")? {
        ensure!(total["debit"] == total["credit"], "the books do not balance: {total}");
        biller.report.say(&format!(
            "GET  /api/billing/reports/..     {}  debits {} = credits {}",
            trial.summary(),
            total["debit"],
            total["credit"]
        ));
    }
    Ok(())
}

impl Traveller<'_> {
    /// The draft that billing makes of the encounter, which it hears of by an event.
    async fn draft_of(&self, patient: &str) -> Result<Value> {
        let begun = Instant::now();
        let path = format!("/api/billing/invoices?patientId={patient}");
        loop {
            let found = self.get(&path).await?;
            found.expect(StatusCode::OK, &path)?;
            if let Some(draft) = found.at("/items")?.as_array().and_then(|items| items.first()) {
                ensure!(draft["total"] == PRICE, "the draft comes to something else: {draft}");
                self.report.say(&format!(
                    "GET  /api/billing/invoices       {}  drafted of the encounter after {} ms",
                    found.summary(),
                    begun.elapsed().as_millis()
                ));
                return Ok(draft.clone());
            }
            ensure!(begun.elapsed() < COUNTED, "billing drafted nothing within {} s", COUNTED.as_secs());
            sleep(POLL).await;
        }
    }
}
