//! Facts in the database.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::json;
use sidecar::{Sidecar, batch::Batcher, failure::Failure};
use tonic::Status;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use crate::domain::fact::{Fact, FactKind};

/// So many deliveries go in one call, which has to be done within the deadline of the database.
const TOGETHER: usize = 2;
/// A delivery that has waited so long is delivered again.
const PATIENCE: Duration = Duration::from_secs(4);

async fn ingest_together(sidecar: &Sidecar, deliveries: &[Delivery]) -> Vec<Result<(), Failure>> {
    match ingest(sidecar, deliveries.iter().flat_map(|(_, facts)| facts)).await {
        // One of them may have spoilt it for the others.
        Err(Failure::Constraint { .. } | Failure::Bug(_)) if deliveries.len() > 1 => {
            let mut alone = Vec::new();
            for (span, facts) in deliveries {
                alone.push(ingest(sidecar, facts).instrument(span.clone()).await);
            }
            alone
        }
        taken => vec![taken; deliveries.len()],
    }
}

async fn ingest(sidecar: &Sidecar, facts: impl IntoIterator<Item = &Fact>) -> Result<(), Failure> {
    let mut batch: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        batch.entry(fact.kind().code()).or_default().push(fact);
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

/// The span that it is taken in, and what was told.
type Delivery = (Span, Vec<Fact>);

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

    /// Stores what is newer than what is known, and counts it, all or nothing of it. The database lets one batch in at a time:
    /// what waits for it goes together.
    pub async fn ingest(&self, facts: Vec<Fact>) -> Result<(), Failure> {
        match tokio::time::timeout(PATIENCE, self.batcher.ask((Span::current(), facts))).await {
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

    /// Forgets everything; there are no figures until the end of it. False when that goes on already.
    pub async fn begin_rebuild(&self) -> Result<bool, Failure> {
        match self.sidecar.exec("begin_rebuild", &json!({})).await {
            Err(Failure::Constraint { name }) if name == "progress_rebuilding_check" => Ok(false),
            begun => begun.map(|()| true),
        }
    }

    /// All is there again.
    pub async fn end_rebuild(&self) -> Result<(), Failure> {
        self.sidecar.exec("end_rebuild", &json!({})).await
    }
}
