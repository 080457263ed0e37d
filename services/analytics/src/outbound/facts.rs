//! Facts in the database.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use sidecar::{Sidecar, failure::Failure};
use uuid::Uuid;

use crate::domain::fact::{Fact, FactKind};

/// The parameter of `api.ingest`.
#[derive(Serialize)]
struct Batch<'a> {
    restates: bool,
    facts: BTreeMap<FactKind, Vec<Row<'a>>>,
}

/// A fact as its table has it: its members are called as the columns are.
struct Row<'a>(&'a Fact);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Fact::Patient(fact) => fact.serialize(serializer),
            Fact::Account(fact) => fact.serialize(serializer),
            Fact::Appointment(fact) => fact.serialize(serializer),
            Fact::Encounter(fact) => fact.serialize(serializer),
            Fact::Invoice(fact) => fact.serialize(serializer),
            Fact::Payment(fact) => fact.serialize(serializer),
            Fact::Claim(fact) => fact.serialize(serializer),
            Fact::Entry(fact) => fact.serialize(serializer),
        }
    }
}

/// What facts of a range of ids come to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Digest {
    /// How many there are.
    pub count: i64,
    /// Of their ids and versions.
    pub digest: String,
}

/// The facts.
#[derive(Clone, Debug)]
pub struct Facts {
    sidecar: Sidecar,
}

impl Facts {
    /// Facts in this sidecar's database.
    pub fn new(sidecar: Sidecar) -> Self {
        Self { sidecar }
    }

    /// Stores what is newer than what is known, and counts it; one call, one transaction. What `restates` says so in what
    /// was told of groups that are over.
    pub async fn ingest(&self, facts: &[Fact], restates: bool) -> Result<(), Failure> {
        let mut batch = Batch { restates, facts: BTreeMap::new() };
        for fact in facts {
            batch.facts.entry(fact.kind()).or_default().push(Row(fact));
        }
        self.sidecar.exec("ingest", &batch).await
    }

    /// What facts with ids after one and up to another come to.
    pub async fn digest(&self, kind: FactKind, after: Option<Uuid>, up_to: Option<Uuid>) -> Result<Digest, Failure> {
        let mut asked = json!({ "kind": kind.code() });
        for (name, id) in [("after", after), ("upTo", up_to)] {
            if let Some(id) = id {
                asked[name] = json!(id);
            }
        }
        self.sidecar.query("digest", &asked).await
    }

    /// Forgets everything; there are no figures until it is said that all is there again.
    pub async fn rebuild(&self, rebuilding: bool) -> Result<(), Failure> {
        self.sidecar.exec("rebuild", &json!({ "rebuilding": rebuilding })).await
    }
}
