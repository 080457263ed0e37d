//! Deliveries of events by the sidecar, in bulk, and what is answered for each.
//!
//! A message reaches the dead letters only when the app answers DROP, and it answers so only for what no other
//! delivery could mend. All else is delivered again, for ever.

use std::{fmt::Display, future::Future};

use axum::{Json, response::{IntoResponse, Response}};
use jiff::Timestamp;
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

#[derive(Deserialize)]
struct Bulk<'a> {
    topic: String,
    #[serde(borrow)]
    entries: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    entry_id: String,
    #[serde(borrow)]
    event: &'a RawValue,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    entry_id: String,
    status: Verdict,
}

struct Pending<M> {
    entry: usize,
    message: M,
    span: Span,
}

/// Answers a bulk delivery.
///
/// `decode` turns an event into what the service applies, or proves that it never can.
/// `apply` applies a batch wholly or not at all; a batch that fails is halved until the entry that fails stands alone,
/// so that its neighbours do not wait for it.
pub async fn deliver<M, E, D, A, F>(body: &[u8], decode: D, apply: A) -> Response
where
    M: Clone,
    E: Display,
    D: Fn(&CloudEvent) -> Result<M, E>,
    A: Fn(Vec<M>) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    let bulk: Bulk<'_> = match serde_json::from_slice(body) {
        Ok(bulk) => bulk,
        Err(error) => return Problem::new(ProblemKind::Malformed, "not a bulk delivery").with_cause(error).into_response(),
    };
    let mut verdicts = vec![Verdict::Drop; bulk.entries.len()];
    let mut pending = Vec::with_capacity(bulk.entries.len());
    for (entry, delivered) in bulk.entries.iter().enumerate() {
        let decoded = serde_json::from_str::<CloudEvent>(delivered.event.get())
            .map_err(|_| "not a CloudEvent".to_owned())
            .and_then(|event| decode(&event).map(|message| (event, message)).map_err(|error| error.to_string()));
        match decoded {
            Ok((event, message)) => {
                let span = info_span!("process", otel.kind = "consumer", messaging.destination.name = bulk.topic, messaging.message.id = event.id);
                trace::continue_from(&span, event.traceparent.as_deref());
                pending.push(Pending { entry, message, span });
            }
            Err(reason) => tracing::warn!(topic = bulk.topic, reason, "dropped an event that can never be applied"),
        }
    }
    let mut batches = vec![pending];
    while let Some(mut batch) = batches.pop() {
        let Some(first) = batch.first() else { continue };
        let messages = batch.iter().map(|pending| pending.message.clone()).collect();
        let verdict = match apply(messages).instrument(first.span.clone()).await {
            Ok(()) => Verdict::Success,
            Err(problem) if batch.len() > 1 && problem.kind != ProblemKind::Unavailable => {
                let half = batch.split_off(batch.len() / 2);
                batches.extend([half, batch]);
                continue;
            }
            Err(problem) => {
                let cause = std::error::Error::source(&problem).map(ToString::to_string);
                tracing::warn!(topic = bulk.topic, entries = batch.len(), %problem, cause, "an event was not applied");
                problem.kind.verdict()
            }
        };
        for Pending { entry, .. } in batch {
            verdicts[entry] = verdict;
        }
    }
    let statuses: Vec<_> = bulk
        .entries
        .into_iter()
        .zip(verdicts)
        .map(|(entry, status)| Status { entry_id: entry.entry_id, status })
        .collect();
    Json(serde_json::json!({ "statuses": statuses })).into_response()
}

/// A message that a consumer proved unusable, kept until an operator decides.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The topic that it was meant for, as far as it can be told.
    pub topic: String,
    /// Why it is here.
    pub reason: String,
    /// When it came.
    pub received_at: Timestamp,
    /// What was published, as it was when it is text, else in base64.
    pub payload: String,
}

impl Kind for DeadLetter {
    const NAME: &'static str = "dead-letter";
    const SCHEMA: u32 = 1;
}

/// A message on a dead-letter topic: the sidecar wraps the raw payload into a CloudEvent.
#[derive(Deserialize)]
struct Wrapped {
    #[serde(default)]
    data: Option<Box<RawValue>>,
    #[serde(default)]
    data_base64: Option<String>,
}

/// Keeps a delivery of the service's dead-letter topic as a document.
pub async fn keep_dead_letter(documents: &Documents, body: &[u8], now: Timestamp) -> Response {
    let Ok(wrapped) = serde_json::from_slice::<Wrapped>(body) else {
        // Nothing more is known of it, so what came is what is kept.
        return answer(save(documents, String::from_utf8_lossy(body).into_owned(), now).await);
    };
    let payload = match (wrapped.data, wrapped.data_base64) {
        (Some(data), _) => data.get().to_owned(),
        (None, Some(base64)) => decode_base64(base64),
        (None, None) => String::from_utf8_lossy(body).into_owned(),
    };
    answer(save(documents, payload, now).await)
}

fn decode_base64(text: String) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or(text)
}

async fn save(documents: &Documents, payload: String, now: Timestamp) -> Result<(), Failure> {
    let event = serde_json::from_str::<CloudEvent>(&payload).ok();
    let (topic, reason) = match &event {
        Some(event) => (event.r#type.clone(), "the consumer refused the event"),
        None => ("unknown".to_owned(), "the message is no CloudEvent"),
    };
    // A second delivery of the same message is the same dead letter.
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, payload.as_bytes());
    let letter = DeadLetter { topic, reason: reason.to_owned(), received_at: now, payload };
    match documents.save(vec![Write::create(id, Document::first(letter, Vec::new()))?]).await {
        Ok(()) | Err(Failure::KeyTaken) => Ok(()),
        Err(failure) => Err(failure),
    }
}

fn answer(kept: Result<(), Failure>) -> Response {
    let status = match kept {
        Ok(()) => Verdict::Success,
        Err(failure) => {
            tracing::error!(error = %failure, "a dead letter could not be kept");
            Verdict::Retry
        }
    };
    Json(serde_json::json!({ "status": status })).into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};

    use super::*;

    async fn verdicts(events: &[Value], apply: impl Fn(&[u64]) -> Result<(), Problem>) -> Vec<String> {
        let entries: Vec<_> = events.iter().enumerate().map(|(n, event)| json!({ "entryId": n.to_string(), "event": event })).collect();
        let body = json!({ "topic": "t", "entries": entries }).to_string();
        let decode = |event: &CloudEvent| serde_json::from_str::<u64>(event.data.get()).map_err(|_| "no number");
        let response = deliver(body.as_bytes(), decode, |batch| std::future::ready(apply(&batch))).await;
        let answer: Value = serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
        let statuses = answer["statuses"].as_array().unwrap();
        statuses.iter().map(|status| status["status"].as_str().unwrap().to_owned()).collect()
    }

    fn event(data: impl Into<Value>) -> Value {
        json!({ "specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": data.into() })
    }

    #[tokio::test]
    async fn one_bad_entry_does_not_hold_up_its_neighbours() {
        let applied = Mutex::new(Vec::new());
        let events = [event(1), event("poison"), json!({ "no": "event" }), event(2), event(13), event(3)];
        let verdicts = verdicts(&events, |batch| {
            if batch.contains(&13) {
                return Err(Problem::new(ProblemKind::Conflict, "refused by the domain"));
            }
            applied.lock().unwrap().extend_from_slice(batch);
            Ok(())
        })
        .await;
        assert_eq!(verdicts, ["SUCCESS", "DROP", "DROP", "SUCCESS", "DROP", "SUCCESS"]);
        let mut applied = applied.into_inner().unwrap();
        applied.sort_unstable();
        assert_eq!(applied, [1, 2, 3], "each of the others once");
    }

    #[tokio::test]
    async fn what_may_work_later_is_delivered_again() {
        let calls = Mutex::new(0);
        let verdicts = verdicts(&[event(1), event(2)], |_| {
            *calls.lock().unwrap() += 1;
            Err(Problem::unavailable("database down"))
        })
        .await;
        assert_eq!(verdicts, ["RETRY", "RETRY"]);
        assert_eq!(calls.into_inner().unwrap(), 1, "a database that is down is not asked once for each entry");
    }
}
