//! Pages of invoices, payments and postings, and sums of the books.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sidecar::{
    Sidecar,
    documents::{Answered, Kind},
    failure::Failure,
};
use uuid::Uuid;

use super::journal::Versioned;
use crate::domain::{
    ids::{InvoiceId, PatientId, PayerId, PaymentId},
    invoice::{self, Invoice},
    ledger::{Act, LedgerAccount},
    money::{Amount, Currency},
    payment::Payment,
};

/// Where a page ends: what comes next is older, or as old and of a smaller id.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Position {
    /// How old.
    pub at: Timestamp,
    /// Which.
    pub id: Uuid,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Page {
    /// What comes after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Position>,
    /// So many at most.
    pub limit: usize,
}

/// Which invoices.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedInvoices {
    /// Whose; everybody's without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_id: Option<PatientId>,
    /// In which state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<invoice::Status>,
    /// Only those that a person has to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<bool>,
    /// Which part.
    #[serde(flatten)]
    pub page: Page,
}

/// Which payments.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedPayments {
    /// Whose; everybody's without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_id: Option<PatientId>,
    /// Only those of which a refund waits for a second person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaiting_approval: Option<bool>,
    /// Which part.
    #[serde(flatten)]
    pub page: Page,
}

/// Which postings.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedPostings {
    /// On whose account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_id: Option<PatientId>,
    /// Of which invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<InvoiceId>,
    /// Of which payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// Of which payer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_id: Option<PayerId>,
    /// Of which service, by its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_code: Option<String>,
    /// On which account of the books.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<LedgerAccount>,
    /// Of which acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Act>,
    /// The first day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// What comes after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<PostingPosition>,
    /// So many at most.
    pub limit: usize,
}

/// Where a page of postings ends.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PostingPosition {
    /// When the act was recorded.
    pub at: Timestamp,
    /// Which act.
    pub id: Uuid,
    /// Which of its postings.
    pub place: u32,
}

/// A posting with its act.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundPosting {
    /// The act.
    pub journal_id: Uuid,
    /// Which of its postings.
    pub place: u32,
    /// What was done.
    pub act: Act,
    /// Where it was posted.
    pub account: LedgerAccount,
    /// Debits are above nothing.
    pub amount: Amount,
    /// The currency.
    pub currency: Currency,
    /// The day of the books.
    pub date: Date,
    /// When.
    pub recorded_at: Timestamp,
    /// On whose account; nobody's where a payer has paid for claims of many.
    pub patient_id: Option<Uuid>,
    /// Of which invoice.
    pub invoice_id: Option<Uuid>,
    /// Of which payment.
    pub payment_id: Option<Uuid>,
    /// Of which claim.
    pub claim_id: Option<Uuid>,
    /// Of which payer.
    pub payer_id: Option<Uuid>,
    /// Of which service.
    pub service_code: Option<String>,
    /// Who did it.
    pub user_id: Option<Uuid>,
}

/// What was debited and credited on an account.
#[derive(Clone, Debug, Deserialize)]
pub struct AccountSum {
    /// The account.
    pub account: LedgerAccount,
    /// The currency.
    pub currency: Currency,
    /// All debits.
    pub debit: Amount,
    /// All credits.
    pub credit: Amount,
}

/// What is open on a patient's account.
#[derive(Clone, Debug, Deserialize)]
pub struct PatientBalance {
    /// The currency.
    pub currency: Currency,
    /// For the patient to pay.
    pub receivable: Amount,
    /// For payers to pay.
    pub insurance: Amount,
    /// Paid, and not used.
    pub unapplied: Amount,
}

/// Lists and sums.
#[derive(Clone, Debug)]
pub struct Lists {
    pub(super) sidecar: Sidecar,
}

impl Lists {
    /// Lists of this sidecar's database.
    pub fn new(sidecar: Sidecar) -> Self {
        Self { sidecar }
    }

    /// A page of invoices, newest first.
    pub async fn invoices(&self, wanted: &WantedInvoices) -> Result<Vec<Versioned<Invoice>>, Failure> {
        let found = self.page::<Invoice>("invoice_page", wanted).await?;
        Ok(found
            .into_iter()
            .map(|(id, found)| Versioned { item: Invoice { id: InvoiceId(id), ..found.item }, version: found.version })
            .collect())
    }

    /// A page of payments, newest first.
    pub async fn payments(&self, wanted: &WantedPayments) -> Result<Vec<Versioned<Payment>>, Failure> {
        let found = self.page::<Payment>("payment_page", wanted).await?;
        Ok(found
            .into_iter()
            .map(|(id, found)| Versioned { item: Payment { id: PaymentId(id), ..found.item }, version: found.version })
            .collect())
    }

    async fn page<T: Kind>(
        &self,
        function: &'static str,
        wanted: &impl Serialize,
    ) -> Result<Vec<(Uuid, Versioned<T>)>, Failure> {
        let found: Vec<Answered> = self.sidecar.query(function, wanted).await?;
        let read = |found: Answered| {
            let document = found.stored::<T>()?.document;
            Ok((found.id, Versioned { item: document.data, version: document.version }))
        };
        found.into_iter().map(read).collect()
    }

    /// A page of postings, newest first.
    pub async fn postings(&self, wanted: &WantedPostings) -> Result<Vec<FoundPosting>, Failure> {
        self.sidecar.query("posting_page", wanted).await
    }

    /// What was debited and credited up to the end of a day.
    pub async fn trial_balance(&self, date: Date) -> Result<Vec<AccountSum>, Failure> {
        self.sidecar.query("trial_balance", &json!({ "date": date })).await
    }

    /// What is open on a patient's account.
    pub async fn balances(&self, patient: PatientId) -> Result<Vec<PatientBalance>, Failure> {
        self.sidecar.query("account_balances", &json!({ "patientId": patient })).await
    }
}
