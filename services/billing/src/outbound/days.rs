//! Days of the books that were closed, in the state store.

use audit::Entry;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sidecar::{
    Sidecar,
    documents::{Answered, Document, Documents, KeyedRequest, Kind, Write},
    failure::Failure,
};
use uuid::Uuid;

use crate::domain::{
    day::Day,
    ids::DayId,
    money::{Amount, Currency},
};

/// Makes the ids of days.
const DAYS: Uuid = Uuid::from_u128(0x3d5a_90c4_71be_4f26_a8d3_05e7_c2f9_186b);

impl Kind for Day {
    const NAME: &'static str = "day";
    const SCHEMA: u32 = 1;
}

/// What closed a day, and the requests that did.
#[derive(Clone, Debug)]
pub struct Closing {
    /// What closed it.
    pub day: Day,
    /// The requests.
    pub requests: Vec<KeyedRequest>,
}

/// How a day stands.
#[derive(Clone, Debug)]
pub struct FoundDay {
    /// The last day that is closed.
    pub closed: Option<Date>,
    /// What closed this one.
    pub closing: Option<Closing>,
    /// What the account `cash` has moved since the last closed day, up to this one.
    pub expected: Amount,
}

/// Which closings.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WantedDays {
    /// Of days before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Date>,
    /// So many at most.
    pub limit: usize,
}

/// The days.
#[derive(Clone, Debug)]
pub struct Days {
    sidecar: Sidecar,
    documents: Documents,
}

/// What a day is called by.
fn day_id(date: Date) -> DayId {
    DayId(Uuid::new_v5(&DAYS, date.to_string().as_bytes()))
}

fn closing(found: &Answered) -> Result<Closing, Failure> {
    let document = found.stored::<Day>()?.document;
    Ok(Closing { day: document.data, requests: document.requests })
}

impl Days {
    /// Days in this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { sidecar, documents }
    }

    /// The last closed day.
    pub async fn closed(&self) -> Result<Option<Date>, Failure> {
        self.sidecar.query("closed_day", &json!({})).await
    }

    /// How a day stands.
    pub async fn day(&self, date: Date, currency: Currency) -> Result<FoundDay, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            closed: Option<Date>,
            closing: Option<Answered>,
            expected: Amount,
        }
        let asked = json!({ "date": date, "currency": currency });
        let Answer { closed, closing: found, expected } = self.sidecar.query("day", &asked).await?;
        Ok(FoundDay { closed, closing: found.as_ref().map(closing).transpose()?, expected })
    }

    /// A page of what closed days, the latest first.
    pub async fn page(&self, wanted: &WantedDays) -> Result<Vec<Day>, Failure> {
        let found: Vec<Answered> = self.sidecar.query("day_page", wanted).await?;
        found.iter().map(|found| Ok(closing(found)?.day)).collect()
    }

    /// Closes a day.
    pub async fn close(&self, day: &Day, request: KeyedRequest, entry: &Entry) -> Result<(), Failure> {
        let mut document = Document::first(day.clone(), Vec::new()).audited(entry)?;
        document.remember(request);
        self.documents.save(vec![Write::create(day_id(day.date).0, document)?]).await
    }
}
