//! Whether a payer insures somebody, which it says by the app `clearinghouse`: no part of this system, but an app of
//! whoever runs it, which speaks to their clearing house.

use audit::Entry;
use axum::http::StatusCode;
use jiff::civil::Date;
use problem::Problem;
use serde::{Deserialize, Serialize};
use sidecar::{
    Sidecar,
    documents::{Document, Documents, Kind, Stored, Write},
    failure::Failure,
};
use uuid::Uuid;

use super::clearinghouse::{CLEARINGHOUSE, ask};
use crate::domain::{
    coverage::{Coverage, CoverageId, Relationship, eligibility::Eligibility},
    payer::{Payer, PayerId},
};

/// Makes the id of what was said of a coverage and a day.
const ANSWERS: Uuid = Uuid::from_u128(0x5be1_90c4_6d3a_4f07_9c52_e1a8_74b3_0d6f);

impl Kind for Eligibility {
    const NAME: &'static str = "eligibility";
    const SCHEMA: u32 = 1;
}

/// The id of what was said of a coverage and a day.
pub fn answer_id(coverage: CoverageId, date: Date) -> Uuid {
    Uuid::new_v5(&ANSWERS, format!("{coverage}/{date}").as_bytes())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    coverage_id: CoverageId,
    date: Date,
    payer: AskedPayer<'a>,
    member_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    relationship: Relationship,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AskedPayer<'a> {
    id: PayerId,
    name: &'a str,
    electronic_id: &'a str,
    filing_indicator: &'static str,
}

/// What a payer says.
#[derive(Clone, Debug, Deserialize)]
pub struct Said {
    /// Whether it insures the patient on that day.
    pub active: bool,
    /// What it says beside that.
    #[serde(default)]
    pub note: Option<String>,
}

/// What payers say of their members, and what they have said.
#[derive(Clone, Debug)]
pub struct Eligibilities {
    sidecar: Sidecar,
    documents: Documents,
}

impl Eligibilities {
    /// What payers say by this sidecar, and what its store has kept of it.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { sidecar, documents }
    }

    /// What was said of a coverage and a day the last time that the payer was asked.
    pub async fn kept(&self, coverage: CoverageId, date: Date) -> Result<Option<Stored<Eligibility>>, Failure> {
        self.documents.get(answer_id(coverage, date)).await
    }

    /// Asks the payer whether it insures this member on a day.
    pub async fn ask(&self, payer: &Payer, coverage: &Coverage, member: &str, date: Date) -> Result<Said, Problem> {
        let question = Question {
            coverage_id: coverage.id,
            date,
            payer: AskedPayer {
                id: payer.id,
                name: &payer.name,
                electronic_id: &payer.electronic_id,
                filing_indicator: payer.filing.code(),
            },
            member_id: member,
            group: coverage.group.as_deref(),
            relationship: coverage.relationship,
        };
        let answer = ask(&self.sidecar, "/eligibility", &question).await.map_err(silent)?;
        if answer.status() != StatusCode::OK {
            return Err(silent(format!("{CLEARINGHOUSE} answered {}", answer.status())));
        }
        // Without the text, which names somebody.
        serde_json::from_slice(answer.body())
            .map_err(|error| silent(format!("{CLEARINGHOUSE} answered what cannot be read: {:?}", error.classify())))
    }

    /// Keeps what was said, in the place of what was loaded if there was something.
    pub async fn keep(
        &self,
        loaded: Option<&Stored<Eligibility>>,
        said: &Eligibility,
        entry: &Entry,
    ) -> Result<u64, Failure> {
        let id = answer_id(said.coverage_id, said.date);
        let document = match loaded {
            Some(loaded) => loaded.document.next(said.clone(), Vec::new()),
            None => Document::first(said.clone(), Vec::new()),
        };
        let document = document.audited(entry)?;
        let version = document.version;
        let write = match loaded {
            Some(loaded) => Write::replace(id, loaded, document)?,
            None => Write::create(id, document)?,
        };
        self.documents.save(vec![write]).await?;
        Ok(version)
    }
}

/// Nobody says it now. What was said before is still there for who can do with it.
fn silent(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Problem {
    let detail = "The payer does not say now whether it insures the patient; ask again, or for an older answer by a larger maxAgeSeconds.";
    Problem::new(problem::Kind::Unavailable, detail).with_slug("payer-silent").with_cause(cause)
}
