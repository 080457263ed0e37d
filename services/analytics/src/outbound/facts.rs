//! Facts in the database.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use sidecar::{Sidecar, batch::Batcher, failure::Failure};
use tonic::Status;
use tracing::{Instrument as _, Span};
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

/// So many deliveries go in one call, which has to be done within the deadline of the database.
const TOGETHER: usize = 2;
/// A delivery that has waited so long is delivered again.
const PATIENCE: Duration = Duration::from_secs(4);

async fn ingest_together(sidecar: &Sidecar, deliveries: &[Delivery]) -> Vec<Result<(), Failure>> {
    let all = deliveries.iter().flat_map(|(_, facts, _)| facts.iter());
    let taken = ingest(sidecar, all, deliveries.iter().any(|(.., restates)| *restates)).await;
    match taken {
        // One of them may have spoilt it for the others.
        Err(Failure::Constraint { .. } | Failure::Bug(_)) if deliveries.len() > 1 => {
            let mut alone = Vec::new();
            for (span, facts, restates) in deliveries {
                alone.push(ingest(sidecar, facts.iter(), *restates).instrument(span.clone()).await);
            }
            alone
        }
        taken => vec![taken; deliveries.len()],
    }
}

async fn ingest(sidecar: &Sidecar, facts: impl Iterator<Item = &Fact>, restates: bool) -> Result<(), Failure> {
    let mut batch = Batch { restates, facts: BTreeMap::new() };
    for fact in facts {
        batch.facts.entry(fact.kind()).or_default().push(Row(fact));
    }
    sidecar.exec("ingest", &batch).await
}

/// What facts of a range of ids come to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Digest {
    /// How many there are.
    pub count: i64,
    /// Of their ids and versions.
    pub digest: String,
}

/// The facts; clones share the way to them.
#[derive(Clone, Debug)]
pub struct Facts {
    sidecar: Sidecar,
    batcher: Batcher<Delivery, Result<(), Failure>>,
}

/// The span that it is taken in, what was told, and whether it restates.
type Delivery = (Span, Arc<Vec<Fact>>, bool);

impl Facts {
    /// Facts in this sidecar's database.
    pub fn new(sidecar: Sidecar) -> Self {
        let own = sidecar.clone();
        let batcher = Batcher::spawn(TOGETHER, 1, move |deliveries: Vec<Delivery>| {
            let sidecar = sidecar.clone();
            let span = deliveries.first().map_or_else(Span::none, |(span, ..)| span.clone());
            async move { ingest_together(&sidecar, &deliveries).await }.instrument(span)
        });
        Self { sidecar: own, batcher }
    }

    /// Stores what is newer than what is known, and counts it, all or nothing of it. What `restates` says so in what was told
    /// of groups that are over. The database lets one batch in at a time: what waits for it goes together.
    pub async fn ingest(&self, facts: Vec<Fact>, restates: bool) -> Result<(), Failure> {
        let taken =
            tokio::time::timeout(PATIENCE, self.batcher.ask((Span::current(), Arc::new(facts), restates))).await;
        match taken {
            Ok(Some(taken)) => taken,
            Ok(None) => Err(Failure::of(Status::cancelled("the batch did not come back"))),
            Err(elapsed) => Err(Failure::of(Status::deadline_exceeded(elapsed.to_string()))),
        }
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
