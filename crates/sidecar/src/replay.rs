//! What was told by events, as the store still has it: for producers to tell again, a page at a time.

use problem::{Problem, input::Findings};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Sidecar, failure::Failure};

/// Kinds of documents that tell, and the topics by which they do.
pub type Telling = &'static [(&'static str, &'static [&'static str])];

/// How many things a page looks at: usually, and at most.
#[derive(Clone, Copy, Debug)]
pub struct PageSize {
    usual: i32,
    most: i32,
}

/// Of a page of events.
pub const EVENTS: PageSize = PageSize { usual: 200, most: 500 };
/// Of a page of which there is only a digest.
pub const DIGESTS: PageSize = PageSize { usual: 2_000, most: 5_000 };

/// Which part of what was told.
#[derive(Clone, Debug, Serialize)]
pub struct WantedEvents {
    kind: &'static str,
    topics: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Uuid>,
    limit: usize,
}

impl WantedEvents {
    /// Reads the fields `topics`, `cursor` and `limit` of a request; the topics are some of those of one kind.
    pub fn read(
        telling: Telling,
        topics: Vec<String>,
        cursor: Option<&str>,
        limit: Option<i32>,
        size: PageSize,
    ) -> Result<Self, Problem> {
        let mut findings = Findings::default();
        let tells = |known: &[&str]| !topics.is_empty() && topics.iter().all(|topic| known.contains(&topic.as_str()));
        let kind = telling.iter().find(|(_, known)| tells(known)).map(|(kind, _)| *kind);
        if kind.is_none() {
            let known: Vec<_> = telling.iter().map(|(_, known)| known.join(", ")).collect();
            findings.add("topics", format!("must be some of one of these: {}", known.join("; ")));
        }
        let after = cursor.map(Uuid::parse_str).transpose();
        if after.is_err() {
            findings.add("cursor", "is not the `next` of a page");
        }
        let limit = limit.unwrap_or(size.usual);
        let limit = usize::try_from(limit).ok().filter(|_| (1..=size.most).contains(&limit));
        if limit.is_none() {
            findings.add("limit", format!("must be from 1 to {}", size.most));
        }
        let whole = (|| Some(Self { kind: kind?, topics, after: after.ok()?, limit: limit? }))();
        findings.into_result(whole)
    }
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
