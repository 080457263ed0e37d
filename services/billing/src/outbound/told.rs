//! What was told by events, as the store still has it.

use contracts::topic;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sidecar::{Sidecar, documents::Kind as _, failure::Failure};
use uuid::Uuid;

use super::{accounts::AccountData, journal::JournalData};
use crate::domain::{claim::file::ClaimFile, invoice::Invoice, payment::Payment};

/// Documents that tell, by their kind, and the topics by which they do.
pub const TELLING: [(&str, &[&str]); 5] = [
    (AccountData::NAME, &[topic::BILLING_ACCOUNT_OPENED]),
    (Invoice::NAME, &[topic::BILLING_INVOICE_CREATED, topic::BILLING_INVOICE_CHANGED]),
    (Payment::NAME, &[topic::BILLING_PAYMENT_RECORDED]),
    (ClaimFile::NAME, &[topic::BILLING_CLAIM_CHANGED]),
    (JournalData::NAME, &[topic::BILLING_JOURNAL_POSTED]),
];

/// Which part of what was told.
#[derive(Clone, Debug, Serialize)]
pub struct WantedEvents {
    /// By which kind of documents.
    pub kind: &'static str,
    /// By which topics.
    pub topics: Vec<String>,
    /// What comes after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Uuid>,
    /// So many documents are looked at.
    pub limit: usize,
}

/// A part of what was told.
#[derive(Debug, Deserialize)]
pub struct FoundEvents {
    /// The latest event of each document that has told anything, as it was published.
    pub events: Vec<Box<RawValue>>,
    /// The last document that was looked at; none on the last page.
    pub next: Option<Uuid>,
}

/// What a part of what was told comes to.
#[derive(Debug, Deserialize)]
pub struct FoundDigest {
    /// How many documents have told anything.
    pub count: i64,
    /// 60 bits that are the same for whoever has heard the same.
    pub digest: String,
    /// The last document that was looked at; none on the last page.
    pub next: Option<Uuid>,
}

/// What was told.
#[derive(Clone, Debug)]
pub struct Told {
    sidecar: Sidecar,
}

impl Told {
    /// What this sidecar's store has.
    pub fn new(sidecar: Sidecar) -> Self {
        Self { sidecar }
    }

    /// A page of the latest events.
    pub async fn latest(&self, wanted: &WantedEvents) -> Result<FoundEvents, Failure> {
        self.sidecar.query("replay_page", wanted).await
    }

    /// What a page of them comes to.
    pub async fn digest(&self, wanted: &WantedEvents) -> Result<FoundDigest, Failure> {
        self.sidecar.query("replay_digest", wanted).await
    }
}
