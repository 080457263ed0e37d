//! Facts in the database.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};
use sidecar::{Sidecar, batch::Batcher, failure::Failure};
use tonic::Status;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use crate::domain::fact::{Fact, FactKind};

/// So many deliveries go together.
const TOGETHER: usize = 2;
/// A call has so many bytes of facts: a sidecar takes 4 MiB at most, and text in text grows by what is escaped.
const MOST_BYTES: usize = 1 << 20;
/// A call of that size takes a fifth of a second when nothing else is done; nobody waits for its answer.
const DEADLINE: Duration = Duration::from_secs(3);
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
    for batch in batches(facts, MOST_BYTES)? {
        sidecar.exec_within("ingest", &batch, DEADLINE).await?;
    }
    Ok(())
}

/// Facts by their kinds.
type Batch = BTreeMap<&'static str, Vec<Box<RawValue>>>;

/// In the order in which they came, in batches of so many bytes; what is larger by itself is a batch by itself.
fn batches<'a>(facts: impl IntoIterator<Item = &'a Fact>, most: usize) -> Result<Vec<Batch>, Failure> {
    let (mut batches, mut bytes) = (vec![Batch::new()], 0);
    for fact in facts {
        let told = to_raw_value(fact).map_err(|error| Failure::Bug(error.to_string()))?;
        bytes += told.get().len();
        if bytes > most && bytes > told.get().len() {
            bytes = told.get().len();
            batches.push(Batch::new());
        }
        if let Some(batch) = batches.last_mut() {
            batch.entry(fact.kind().code()).or_default().push(told);
        }
    }
    Ok(batches)
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

    /// Stores what is newer than what is known, and counts it; of a failure some may be stored, and it can all be told again.
    /// The database lets one batch in at a time: what waits for it goes together.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fact::{AccountFact, Moment, Version};

    fn account(n: u128) -> Fact {
        let (version, opened_at) = (Version::parse(1).unwrap(), Moment::parse(0, 0).unwrap());
        Fact::Account(AccountFact { id: Uuid::from_u128(n), patient_id: Uuid::nil(), version, opened_at })
    }

    fn sizes(facts: &[Fact], most: usize) -> Vec<usize> {
        batches(facts, most).unwrap().iter().map(|batch| batch.values().map(Vec::len).sum()).collect()
    }

    #[test]
    fn what_is_too_much_for_a_call_goes_in_several() {
        let facts: Vec<_> = (0..5).map(account).collect();
        let one = serde_json::to_string(&facts[0]).unwrap().len();
        assert_eq!(sizes(&facts, 5 * one), [5]);
        assert_eq!(sizes(&facts, 5 * one - 1), [4, 1]);
        assert_eq!(sizes(&facts, 2 * one), [2, 2, 1]);
        assert_eq!(sizes(&facts, one - 1), [1, 1, 1, 1, 1]);
    }
}
