//! Remittances in the state store. One is written once; what was booked of it stands in the journal.

use std::collections::{BTreeMap, BTreeSet};

use audit::Entry;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sidecar::{
    Sidecar,
    documents::{Answered, Document, Documents, KeyedRequest, Kind, Write},
    failure::Failure,
    origin::Origin,
};
use uuid::Uuid;

use super::{change::posted, journal::Outcome, lists::Page};
use crate::domain::{
    claim::remittance::Remittance,
    ids::{JournalId, PatientId, PayerId, RemittanceId},
    ledger::JournalEntry,
};

/// Makes the ids of remittances.
const REMITTANCES: Uuid = Uuid::from_u128(0x5be8_213d_c07f_4d11_9a64_f3c2_80e5_76b9);

/// The id of a remittance: payer and trace make it one.
pub fn remittance_id(payer: PayerId, trace: &str) -> RemittanceId {
    RemittanceId(Uuid::new_v5(&REMITTANCES, format!("{payer}/{trace}").as_bytes()))
}

/// `data` of a `remittance/<id>` document.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemittanceData {
    /// What the payer says.
    #[serde(flatten)]
    pub remittance: Remittance,
    /// When it came.
    pub received_at: Timestamp,
    /// The acts that book what it says, claim by claim.
    pub journal_ids: Vec<JournalId>,
}

impl Kind for RemittanceData {
    const NAME: &'static str = "remittance";
    const SCHEMA: u32 = 1;
}

/// A remittance, and how far it is booked.
#[derive(Clone, Debug)]
pub struct FoundRemittance {
    /// Which.
    pub id: RemittanceId,
    /// What it says.
    pub data: RemittanceData,
    /// The places of the claims that are booked.
    pub booked: BTreeSet<usize>,
    /// Whose claims they are, as far as they are known.
    pub patients: Vec<Option<PatientId>>,
}

/// Which remittances.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedRemittances {
    /// Of which payer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_id: Option<PayerId>,
    /// Only those of which something waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<bool>,
    /// Which part.
    #[serde(flatten)]
    pub page: Page,
}

#[derive(Deserialize)]
struct Found {
    remittance: Answered,
    booked: BTreeSet<usize>,
    patients: Vec<Option<PatientId>>,
}

impl Found {
    fn read(self) -> Result<FoundRemittance, Failure> {
        let Self { remittance, booked, patients } = self;
        let data = remittance.stored::<RemittanceData>()?.document.data;
        Ok(FoundRemittance { id: RemittanceId(remittance.id), data, booked, patients })
    }
}

/// The remittances.
#[derive(Clone, Debug)]
pub struct Remittances {
    sidecar: Sidecar,
    documents: Documents,
}

impl Remittances {
    /// Remittances in this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { sidecar, documents }
    }

    /// Takes one in, with the act that has its money.
    pub async fn receive(
        &self,
        id: RemittanceId,
        data: RemittanceData,
        act: JournalEntry,
        request: KeyedRequest,
        entry: &Entry,
    ) -> Result<(), Failure> {
        let document = Document::first(data, Vec::new()).audited(entry)?;
        let posted = posted(act, &BTreeMap::new(), Outcome::Remittance { id }, request, &Origin::current())?;
        let writes = vec![posted, Write::create(id.0, document)?];
        self.documents.save_in_order(writes).await
    }

    /// One of them.
    pub async fn get(&self, id: RemittanceId) -> Result<Option<FoundRemittance>, Failure> {
        let found: Option<Found> = self.sidecar.query("remittance", &json!({ "id": id })).await?;
        found.map(Found::read).transpose()
    }

    /// A page, newest first.
    pub async fn page(&self, wanted: &WantedRemittances) -> Result<Vec<FoundRemittance>, Failure> {
        let found: Vec<Found> = self.sidecar.query("remittance_page", wanted).await?;
        found.into_iter().map(Found::read).collect()
    }
}
