//! Seals what waits, and signs how far the chain has come.

use std::{
    mem,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use opentelemetry::global;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use sidecar::{Sidecar, failure::Failure};
use tokio::time::{self, MissedTickBehavior};
use uuid::Uuid;

use crate::checkpoint::{BadKey, Key};

const SECRET: &str = "audit-key";

const INTERVAL: Duration = Duration::from_secs(1);
/// Another instance goes on after this time.
const LEASE: &str = "5 s";
/// Sealed in one go; what is more waits for the next second.
const MOST: u32 = 4000;
/// How often the chain's end is looked at, in intervals: for metrics, and to see whether it is to be signed.
const LOOK: u32 = 10;
/// Time between checkpoints while the chain grows.
const CHECKPOINT: Duration = Duration::from_mins(1);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    position: i64,
    hash: String,
    /// Whether this worker has the lease.
    held: bool,
    checkpoint: i64,
    waiting: u64,
    waiting_seconds: f64,
}

#[derive(Debug, thiserror::Error)]
enum SignError {
    #[error("the secret {SECRET} is missing")]
    NoKey,
    #[error("the secret {SECRET}: {0}")]
    BadKey(#[from] BadKey),
    #[error(transparent)]
    Sidecar(#[from] Failure),
}

/// Seals for as long as the service runs, whenever no other instance does.
pub async fn seal(sidecar: Sidecar, service: &'static str) {
    let worker = Uuid::now_v7();
    let meter = global::meter("audit");
    let waiting = meter.u64_gauge("audit.waiting").with_description("entries that are not sealed yet").build();
    let age = meter.f64_gauge("audit.waiting.age").with_unit("s").with_description("how long the oldest waits").build();
    let mut signer = Signer { sidecar: sidecar.clone(), service, key: None, last: None };
    let mut tick = time::interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut seals, mut signs) = (Said::default(), Said::default());
    for round in 0_u32.. {
        tick.tick().await;
        let asked = json!({ "worker": worker, "lease": LEASE, "limit": MOST });
        seals.told(sidecar.exec("audit_seal", &asked).await, "the audit is not sealed");
        if round % LOOK != 1 {
            continue;
        }
        if let Ok(head) = sidecar.query::<_, Head>("audit_head", &json!({ "worker": worker })).await {
            waiting.record(head.waiting, &[]);
            age.record(head.waiting_seconds, &[]);
            signs.told(signer.sign(&head).await, "the audit is sealed and not signed");
        }
    }
}

struct Signer {
    sidecar: Sidecar,
    service: &'static str,
    key: Option<Key>,
    last: Option<Instant>,
}

impl Signer {
    async fn sign(&mut self, head: &Head) -> Result<(), SignError> {
        let due = self.last.is_none_or(|last| last.elapsed() >= CHECKPOINT);
        if !head.held || !due || head.position <= head.checkpoint {
            return Ok(());
        }
        let key = match &self.key {
            Some(key) => key,
            None => self.key.insert(self.fetch_key().await?),
        };
        let checkpoint = key.sign(self.service, head.position, &head.hash, Timestamp::now());
        self.sidecar.exec("audit_checkpoint", &checkpoint).await?;
        self.last = Some(Instant::now());
        // Wherever the logs go, checkpoints are kept apart from the database.
        let text = serde_json::to_string(&checkpoint).unwrap_or_default();
        tracing::info!(checkpoint = text, "audit checkpoint");
        Ok(())
    }

    async fn fetch_key(&self) -> Result<Key, SignError> {
        let pem = self.sidecar.secret(SECRET).await?.ok_or(SignError::NoKey)?;
        Ok(Key::from_pem(pem.expose_secret())?)
    }
}

/// Whether a failure was logged: a store that is away is worth a line, not one a second.
#[derive(Default)]
struct Said(bool);

impl Said {
    fn told<E: std::fmt::Display>(&mut self, result: Result<(), E>, what: &'static str) {
        let failed = result.is_err();
        if let Err(error) = result
            && !self.0
        {
            tracing::warn!(%error, "{what}");
        }
        if mem::replace(&mut self.0, failed) && !failed {
            tracing::info!("that is over: {what}");
        }
    }
}
