//! Deliveries of events by the sidecar, in bulk and raw, and what is answered for each.
//!
//! A message becomes a dead letter only when no other delivery could mend it; all else is delivered again, for ever.
//! The consumer keeps its dead letters itself and then takes the message: daprd 1.18 can crash on a DROP in a bulk
//! delivery (`docs/adr/0005-dead-letters-are-documents.md`).

use std::{collections::HashMap, fmt::Display, future::Future, sync::OnceLock};

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use opentelemetry::{KeyValue, global, metrics::Histogram};
use problem::{Kind as ProblemKind, Problem, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tracing::{Instrument as _, Span, info_span};
use uuid::Uuid;

use crate::{
    documents::{Document, Documents, Kind, Write},
    event::CloudEvent,
    failure::Failure,
    trace,
};

const LONGEST_REASON: usize = 200;

#[derive(Deserialize)]
struct Bulk<'a> {
    topic: String,
    #[serde(borrow)]
    entries: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "entryId")]
    id: String,
    /// The message's bytes in base64, when the subscription asks for raw payloads; else the message.
    #[serde(borrow)]
    event: &'a RawValue,
    /// Where the broker has it, as far as the broker says.
    #[serde(default)]
    metadata: HashMap<String, String>,
}

#[derive(Debug, Serialize)]
struct Status {
    #[serde(rename = "entryId")]
    id: String,
    status: Verdict,
}

struct Pending<M> {
    entry: usize,
    message: M,
    time: Option<Timestamp>,
    span: Span,
    request_id: Option<String>,
}

/// An entry that no other delivery could mend.
struct Refused {
    entry: usize,
    reason: String,
    request_id: Option<String>,
}

/// Answers a bulk delivery.
///
/// `decode` turns an event into what the service applies, or proves that it never can.
/// `apply` applies a batch wholly or not at all; a batch that fails is halved until the entry that fails stands alone,
/// so that its neighbours do not wait for it.
pub async fn deliver<M, E, D, A, F>(keeper: &impl Keeper, body: &[u8], now: Timestamp, decode: D, apply: A) -> Response
where
    M: Clone,
    E: Display,
    D: Fn(&CloudEvent) -> Result<M, E>,
    A: Fn(Vec<M>) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    let bulk: Bulk<'_> = match serde_json::from_slice(body) {
        Ok(bulk) => bulk,
        Err(error) => {
            return Problem::new(ProblemKind::Malformed, "This is no bulk delivery.").with_cause(error).into_response();
        }
    };
    let mut verdicts = vec![Verdict::Success; bulk.entries.len()];
    let mut refused = Vec::new();
    let mut pending = Vec::with_capacity(bulk.entries.len());
    for (entry, delivered) in bulk.entries.iter().enumerate() {
        let Ok(event) = serde_json::from_slice::<CloudEvent>(&delivered.payload()) else {
            refused.push(Refused { entry, reason: "it is no CloudEvent".to_owned(), request_id: None });
            continue;
        };
        let origin = event.origin();
        match decode(&event) {
            Ok(message) => {
                let span = info_span!(
                    "process",
                    otel.kind = "consumer",
                    messaging.destination.name = bulk.topic,
                    messaging.message.id = event.id
                );
                trace::continue_from(&span, origin.traceparent.as_deref());
                span.in_scope(|| tracing::debug!(topic = bulk.topic, request_id = origin.request_id, "event received"));
                let time = event.time.and_then(|time| time.parse().ok());
                pending.push(Pending { entry, message, time, span, request_id: origin.request_id });
            }
            Err(error) => refused.push(Refused { entry, reason: error.to_string(), request_id: origin.request_id }),
        }
    }
    let mut batches = vec![pending];
    while let Some(mut batch) = batches.pop() {
        let Some(first) = batch.first() else { continue };
        let messages = batch.iter().map(|pending| pending.message.clone()).collect();
        let Err(problem) = apply(messages).instrument(first.span.clone()).await else {
            record_lag(&bulk.topic, "applied", &batch, now);
            continue;
        };
        if batch.len() > 1 && problem.kind != ProblemKind::Unavailable {
            let half = batch.split_off(batch.len() / 2);
            batches.extend([half, batch]);
            continue;
        }
        record_lag(&bulk.topic, "failed", &batch, now);
        let cause = std::error::Error::source(&problem).map(ToString::to_string);
        // One alone is of one request; for several there is no id to name.
        let request_id = batch.first().filter(|_| batch.len() == 1).and_then(|one| one.request_id.as_deref());
        tracing::warn!(topic = bulk.topic, entries = batch.len(), %problem, cause, request_id, "events were not applied");
        for Pending { entry, request_id, .. } in batch {
            match problem.kind.verdict() {
                Verdict::Drop => refused.push(Refused { entry, reason: problem.detail.clone(), request_id }),
                verdict => verdicts[entry] = verdict,
            }
        }
    }
    for Refused { entry, reason, request_id } in refused {
        let letter = bulk.entries[entry].dead_letter(&bulk.topic, &reason, now);
        let (topic, reason) = (&letter.1.topic, &letter.1.reason);
        tracing::warn!(topic, reason, dead_letter_id = %letter.0, request_id, "a message became a dead letter");
        if let Err(failure) = keeper.keep(letter.0, letter.1).await {
            tracing::error!(error = %failure, "a dead letter could not be kept");
            verdicts[entry] = Verdict::Retry;
        }
    }
    let statuses = bulk.entries.into_iter().zip(verdicts);
    let statuses: Vec<_> = statuses.map(|(entry, status)| Status { id: entry.id, status }).collect();
    Json(serde_json::json!({ "statuses": statuses })).into_response()
}

impl Entry<'_> {
    fn payload(&self) -> Vec<u8> {
        let text = self.event.get();
        let base64 = serde_json::from_str::<String>(text).ok();
        base64.and_then(|base64| STANDARD.decode(base64).ok()).unwrap_or_else(|| text.as_bytes().to_vec())
    }

    fn dead_letter(&self, topic: &str, reason: &str, now: Timestamp) -> (Uuid, DeadLetter) {
        let payload = self.payload();
        // A message that comes again is the same dead letter: by its place, or where a broker names none, by itself.
        let place = ["__partition", "__offset"].map(|name| self.metadata.get(name));
        let id = match place {
            [Some(partition), Some(offset)] => {
                Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{topic}/{partition}/{offset}").as_bytes())
            }
            _ => Uuid::new_v5(&Uuid::NAMESPACE_OID, &payload),
        };
        // PostgreSQL's JSON has no U+0000, and other control characters would grow sixfold.
        let is_text = |text: &&str| !text.chars().any(|c| c.is_control() && !c.is_whitespace());
        let text = str::from_utf8(&payload).ok().filter(is_text);
        let payload = text.map_or_else(|| STANDARD.encode(&payload), str::to_owned);
        // It may quote the event.
        let reason = reason.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect();
        (id, DeadLetter { topic: topic.to_owned(), reason, received_at: now, payload })
    }
}

/// How old events are when they are applied, or are not: what fails again and again shows by its age.
fn record_lag<M>(topic: &str, outcome: &'static str, batch: &[Pending<M>], now: Timestamp) {
    static LAG: OnceLock<Histogram<f64>> = OnceLock::new();
    let lag =
        LAG.get_or_init(|| global::meter("sidecar").f64_histogram("messaging.process.lag").with_unit("s").build());
    let attributes = [KeyValue::new("messaging.destination.name", topic.to_owned()), KeyValue::new("outcome", outcome)];
    for time in batch.iter().filter_map(|pending| pending.time) {
        lag.record(now.duration_since(time).as_secs_f64(), &attributes);
    }
}

/// A message that a consumer proved unusable, kept until an operator decides.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The topic that it came by.
    pub topic: String,
    /// Why it is here.
    pub reason: String,
    /// When it came.
    pub received_at: Timestamp,
    /// What was published: as it was when it is text, else in base64.
    pub payload: String,
}

impl Kind for DeadLetter {
    const NAME: &'static str = "dead-letter";
    const SCHEMA: u32 = 1;
}

/// Who keeps dead letters.
pub trait Keeper: Sync {
    /// Keeps one; keeping it again changes nothing.
    fn keep(&self, id: Uuid, letter: DeadLetter) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl Keeper for Documents {
    async fn keep(&self, id: Uuid, letter: DeadLetter) -> Result<(), Failure> {
        match self.save(vec![Write::create(id, Document::first(letter, Vec::new()))?]).await {
            Ok(()) | Err(Failure::KeyTaken) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Default)]
    struct Kept(Mutex<Vec<(Uuid, DeadLetter)>>, bool);

    impl Keeper for Kept {
        async fn keep(&self, id: Uuid, letter: DeadLetter) -> Result<(), Failure> {
            if self.1 {
                return Err(Failure::Again);
            }
            self.0.lock().unwrap().push((id, letter));
            Ok(())
        }
    }

    async fn verdicts(kept: &Kept, payloads: &[Vec<u8>], apply: impl Fn(&[u64]) -> Result<(), Problem>) -> Vec<String> {
        let entry = |(n, payload): (usize, &Vec<u8>)| json!({ "entryId": n.to_string(), "event": STANDARD.encode(payload), "metadata": { "__partition": "0", "__offset": n.to_string() } });
        let entries: Vec<_> = payloads.iter().enumerate().map(entry).collect();
        let body = json!({ "topic": "t", "entries": entries }).to_string();
        let decode = |event: &CloudEvent| serde_json::from_str::<u64>(event.data.get()).map_err(|_| "no number");
        let apply = |batch: Vec<u64>| std::future::ready(apply(&batch));
        let response = deliver(kept, body.as_bytes(), Timestamp::UNIX_EPOCH, decode, apply).await;
        let answer: Value = serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
        let statuses = answer["statuses"].as_array().unwrap();
        statuses.iter().map(|status| status["status"].as_str().unwrap().to_owned()).collect()
    }

    fn event(data: impl Into<Value>) -> Vec<u8> {
        json!({ "specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": data.into() })
            .to_string()
            .into_bytes()
    }

    #[tokio::test]
    async fn one_bad_entry_does_not_hold_up_its_neighbours() {
        let (applied, kept) = (Mutex::new(Vec::new()), Kept::default());
        let payloads = [event(1), event("poison"), vec![0xff, 0x00], event(2), event(13), event(3), vec![0]];
        let apply = |batch: &[u64]| {
            if batch.contains(&13) {
                return Err(Problem::new(ProblemKind::Conflict, "refused by the domain"));
            }
            applied.lock().unwrap().extend_from_slice(batch);
            Ok(())
        };
        assert_eq!(verdicts(&kept, &payloads, apply).await, ["SUCCESS"; 7]);
        let mut applied = applied.into_inner().unwrap();
        applied.sort_unstable();
        assert_eq!(applied, [1, 2, 3], "each of the others once");
        let letters = kept.0.into_inner().unwrap();
        let reasons: Vec<_> = letters.iter().map(|(_, letter)| letter.reason.as_str()).collect();
        assert_eq!(reasons, ["no number", "it is no CloudEvent", "it is no CloudEvent", "refused by the domain"]);
        let payloads = [&letters[1].1.payload, &letters[2].1.payload];
        assert_eq!(payloads, ["/wA=", "AA=="], "what is no text is kept in base64");
        assert!(letters[0].0 != letters[1].0 && letters[0].1.payload.contains("poison"));
    }

    #[tokio::test]
    async fn what_may_work_later_is_delivered_again() {
        let (calls, kept) = (Mutex::new(0), Kept::default());
        let down = |_: &[u64]| {
            *calls.lock().unwrap() += 1;
            Err(Problem::unavailable("database down"))
        };
        assert_eq!(verdicts(&kept, &[event(1), event(2)], down).await, ["RETRY", "RETRY"]);
        assert_eq!(calls.into_inner().unwrap(), 1, "a database that is down is not asked once for each entry");
        assert!(kept.0.into_inner().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_dead_letter_that_is_not_kept_comes_again() {
        let kept = Kept(Mutex::default(), true);
        assert_eq!(verdicts(&kept, &[event("poison"), event(1)], |_| Ok(())).await, ["RETRY", "SUCCESS"]);
    }
}
