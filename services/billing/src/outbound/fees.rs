//! Fee schedules in the state store.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sidecar::{
    Sidecar,
    documents::{Answered, Documents, Kind, Stored},
    failure::Failure,
};

use super::{
    journal::Versioned,
    kept::Kept,
    lists::{Page, Position},
};
use crate::domain::{
    fees::{Code, Fee, FeeSchedule},
    ids::{FeeScheduleId, PayerId},
    money::Currency,
};

impl Kind for FeeSchedule {
    const NAME: &'static str = "fee-schedule";
    const SCHEMA: u32 = 1;
}

/// What is asked of the schedules.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AskedFee {
    /// The service.
    #[serde(flatten)]
    pub code: Code,
    /// How it was done.
    pub modifiers: Vec<String>,
    /// Whose patient it was.
    pub payer_id: Option<PayerId>,
    /// When.
    pub date: Date,
}

/// A fee, and the currency of its schedule.
#[derive(Clone, Debug, Deserialize)]
pub struct FoundFee {
    /// The fee.
    #[serde(flatten)]
    pub fee: Fee,
    /// The currency.
    pub currency: Currency,
}

/// The fee schedules.
#[derive(Clone, Debug)]
pub struct FeeSchedules {
    sidecar: Sidecar,
    /// Writing them down and replacing them.
    pub kept: Kept<FeeSchedule>,
}

impl FeeSchedules {
    /// Schedules in this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { kept: Kept::new(sidecar.clone(), documents), sidecar }
    }

    /// What services cost, in the order in which they are asked for.
    pub async fn find(&self, asked: &[AskedFee]) -> Result<Vec<Option<FoundFee>>, Failure> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        self.sidecar.query("fees", &serde_json::json!({ "asked": asked })).await
    }

    /// What was agreed on with the payers that are named, by their own schedules alone.
    pub async fn find_of_payer(&self, asked: &[AskedFee]) -> Result<Vec<Option<FoundFee>>, Failure> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        self.sidecar.query("fees", &serde_json::json!({ "asked": asked, "payersOwn": true })).await
    }

    /// One of them, as it is stored.
    pub async fn get(&self, id: FeeScheduleId) -> Result<Option<Stored<FeeSchedule>>, Failure> {
        self.kept.get(id.0).await
    }

    /// A page, newest first, without their fees.
    pub async fn page(&self, page: &Page) -> Result<Vec<Versioned<FeeSchedule>>, Failure> {
        #[derive(Serialize)]
        struct Asked<'a> {
            #[serde(flatten)]
            page: &'a Page,
        }
        let mut found: Vec<serde_json::Value> = self.sidecar.query("fee_schedule_page", &Asked { page }).await?;
        for item in &mut found {
            item["document"]["data"]["fees"] = serde_json::json!([]);
        }
        let found = found.into_iter().map(|item| {
            let found: Answered = serde_json::from_value(item).map_err(|error| Failure::Bug(error.to_string()))?;
            let document = found.stored::<FeeSchedule>()?.document;
            let item = FeeSchedule { id: FeeScheduleId(found.id), ..document.data };
            Ok(Versioned { item, version: document.version })
        });
        found.collect()
    }
}

impl FeeSchedule {
    /// Where a page after this one begins.
    pub fn position(&self) -> Position {
        Position { at: self.created_at, id: self.id.0 }
    }
}
