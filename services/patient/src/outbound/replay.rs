//! What was told by events, as the store still has it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sidecar::{Sidecar, failure::Failure};
use uuid::Uuid;

/// Which part of what was told.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WantedEvents {
    /// By which topic.
    pub topic: &'static str,
    /// What comes after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Uuid>,
    /// So many things are looked at.
    pub limit: usize,
}

/// A part of what was told.
#[derive(Debug, Deserialize)]
pub struct FoundEvents {
    /// The latest event of each thing that has told anything, as it was published.
    pub events: Vec<Box<RawValue>>,
    /// The last thing that was looked at; none when there was none.
    pub last: Option<Uuid>,
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
        self.sidecar.query("latest_events", wanted).await
    }
}
