//! Reports: sums of postings up to a day, and what they are made of.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sidecar::{Sidecar, failure::Failure};

use super::lists::AccountSum;
use crate::domain::{
    collections::{Collected, by_service},
    ids::{ClaimId, InvoiceId, JournalId, PatientId, PayerId, PaymentId},
    invoice::Line,
    money::{Amount, Currency},
    receivables::{Bucket, Responsibility},
};

/// What is open of one age.
#[derive(Clone, Debug, Deserialize)]
pub struct AgedSum {
    /// Who owes it.
    pub responsibility: Responsibility,
    /// The place of its bucket in [`Bucket::ALL`].
    pub bucket: usize,
    /// The currency.
    pub currency: Currency,
    /// How much.
    pub open: Amount,
    /// Of how many invoices.
    pub invoices: i64,
}

/// What was paid and not used.
#[derive(Clone, Debug, Deserialize)]
pub struct Credit {
    /// The currency.
    pub currency: Currency,
    /// How much.
    pub amount: Amount,
}

/// An aging.
#[derive(Clone, Debug, Deserialize)]
pub struct Aging {
    /// What is open.
    pub open: Vec<AgedSum>,
    /// What is not used.
    pub credits: Vec<Credit>,
}

/// Which invoices behind an aging.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedAged {
    /// As of the end of this day.
    pub date: Date,
    /// Whose; everybody's without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_id: Option<PatientId>,
    /// Owed by whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsibility: Option<Responsibility>,
    /// Issued from this day on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_from: Option<Date>,
    /// Issued up to this day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_to: Option<Date>,
    /// What comes after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<AgedPosition>,
    /// So many at most.
    pub limit: usize,
}

/// Where a page of an aging ends.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct AgedPosition {
    /// When it was issued.
    pub issued: Date,
    /// Which invoice.
    pub id: InvoiceId,
    /// Who owes it.
    pub responsibility: Responsibility,
}

/// An invoice behind an aging.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgedInvoice {
    /// Which.
    pub invoice_id: InvoiceId,
    /// Its number.
    pub number: Option<String>,
    /// Whose.
    pub patient_id: PatientId,
    /// Who owes it.
    pub responsibility: Responsibility,
    /// The currency.
    pub currency: Currency,
    /// The day of the books on which it was issued.
    pub issued: Date,
    /// How much is open.
    pub open: Amount,
    /// Of which claims, where payers owe it.
    pub claims: Option<Vec<OpenClaim>>,
}

/// What is open of a claim.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenClaim {
    /// Which.
    pub claim_id: Option<ClaimId>,
    /// Who was sent it.
    pub payer_id: Option<PayerId>,
    /// How much.
    pub open: Amount,
}

/// Which part of what invoices got.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedCollected {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// From whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<Giver>,
    /// Of invoices with this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_code: Option<String>,
    /// What comes after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<CollectedPosition>,
    /// So many at most.
    pub limit: usize,
}

/// From whom money is.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum Giver {
    /// One payer.
    Payer(PayerId),
    /// Patients themselves, or payers.
    All(Responsibility),
}

/// Where a page of what invoices got ends.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct CollectedPosition {
    /// The day of the books.
    pub date: Date,
    /// Which act.
    pub id: JournalId,
    /// Which of its postings.
    pub place: u32,
}

/// Reports of the books.
#[derive(Clone, Debug)]
pub struct Reports {
    sidecar: Sidecar,
}

impl Reports {
    /// Reports of this sidecar's database.
    pub fn new(sidecar: Sidecar) -> Self {
        Self { sidecar }
    }

    /// What was open at the end of a day, of one patient or of all.
    pub async fn aging(&self, date: Date, patient: Option<PatientId>) -> Result<Aging, Failure> {
        let starts = Bucket::ALL.map(Bucket::first);
        let asked = match patient {
            Some(patient) => json!({ "date": date, "patientId": patient, "starts": starts }),
            None => json!({ "date": date, "starts": starts }),
        };
        self.sidecar.query("aging", &asked).await
    }

    /// A page of the invoices behind an aging, the oldest first.
    pub async fn aged(&self, wanted: &WantedAged) -> Result<Vec<AgedInvoice>, Failure> {
        self.sidecar.query("aging_page", wanted).await
    }

    /// What was debited and credited from a day, or from the beginning, up to the end of another.
    pub async fn sums(&self, from: Option<Date>, to: Date) -> Result<Vec<AccountSum>, Failure> {
        self.sidecar.query("trial_balance", &json!({ "from": from, "date": to })).await
    }

    /// A page of what invoices got, in the order of the days.
    pub async fn collected(&self, wanted: &WantedCollected) -> Result<Vec<Collected>, Failure> {
        let found: Vec<FoundCollected> = self.sidecar.query("collected_page", wanted).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundCollected {
    journal_id: JournalId,
    place: u32,
    date: Date,
    currency: Currency,
    amount: Amount,
    patient_id: PatientId,
    invoice_id: InvoiceId,
    payment_id: Option<PaymentId>,
    claim_id: Option<ClaimId>,
    payer_id: Option<PayerId>,
    lines: Vec<Line>,
}

impl From<FoundCollected> for Collected {
    fn from(found: FoundCollected) -> Self {
        Self {
            journal_id: found.journal_id,
            place: found.place,
            date: found.date,
            patient_id: found.patient_id,
            invoice_id: found.invoice_id,
            payment_id: found.payment_id,
            claim_id: found.claim_id,
            payer_id: found.payer_id,
            currency: found.currency,
            amount: found.amount,
            services: by_service(found.amount, &found.lines),
        }
    }
}

/// Where a page after this one begins.
pub fn aged_position(last: &AgedInvoice) -> AgedPosition {
    AgedPosition { issued: last.issued, id: last.invoice_id, responsibility: last.responsibility }
}

/// Where a page after this one begins.
pub fn collected_position(last: &Collected) -> CollectedPosition {
    CollectedPosition { date: last.date, id: last.journal_id, place: last.place }
}
