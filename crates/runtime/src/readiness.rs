//! `/livez` says that the process runs; `/readyz` says that it can serve.
//!
//! Liveness depends on nothing else: restarting a service does not mend its database.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    response::{IntoResponse as _, Response},
    routing::get,
};
use futures::future::BoxFuture;
use problem::{Kind, Problem};
use serde_json::json;
use sidecar::Sidecar;
use tokio::sync::Mutex;

/// The sidecar and the store are not asked more often than this, whoever asks.
pub(crate) const FRESH: Duration = Duration::from_millis(500);

type Check = Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;
type Verdict = (Instant, Vec<&'static str>);

/// What has to answer before the service can.
#[derive(Default)]
pub struct Readiness {
    checks: Vec<(&'static str, Check)>,
    last: Mutex<Option<Verdict>>,
    draining: Arc<AtomicBool>,
}

impl Readiness {
    /// A service that needs its sidecar, and the components that the sidecar sends to.
    pub fn of(sidecar: &Sidecar) -> Self {
        let sidecar = sidecar.clone();
        Self::default().needs("sidecar", move || {
            let sidecar = sidecar.clone();
            Box::pin(async move { sidecar.healthy().await })
        })
    }

    /// The service's database has to answer, too.
    #[must_use]
    pub fn with_store(self, sidecar: &Sidecar) -> Self {
        let sidecar = sidecar.clone();
        self.needs("store", move || {
            let sidecar = sidecar.clone();
            Box::pin(async move { sidecar.query::<_, String>("ping", &json!({})).await.is_ok() })
        })
    }

    /// Adds a part that has to answer.
    #[must_use]
    pub fn needs<F>(mut self, part: &'static str, check: F) -> Self
    where
        F: Fn() -> BoxFuture<'static, bool> + Send + Sync + 'static,
    {
        self.checks.push((part, Box::new(check)));
        self
    }

    /// A switch that makes the service unready, for good.
    pub(crate) fn draining(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.draining)
    }

    /// Whether it has been made so.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The parts that do not answer.
    pub(crate) async fn missing(&self) -> Vec<&'static str> {
        if self.is_draining() {
            return vec!["draining"];
        }
        let mut last = self.last.lock().await;
        if let Some((_, missing)) = last.as_ref().filter(|(when, _)| when.elapsed() < FRESH) {
            return missing.clone();
        }
        let answers = futures::future::join_all(self.checks.iter().map(|(_, check)| check())).await;
        let missing: Vec<_> =
            self.checks.iter().zip(answers).filter(|(_, answered)| !answered).map(|((part, _), _)| *part).collect();
        *last = Some((Instant::now(), missing.clone()));
        missing
    }

    /// The two routes.
    pub(crate) fn routes(self: Arc<Self>) -> Router {
        let live = || async { Json(json!({ "status": "live" })) };
        Router::new().route("/livez", get(live)).route("/readyz", get(move || answer(self)))
    }
}

async fn answer(readiness: Arc<Readiness>) -> Response {
    let missing = readiness.missing().await;
    if missing.is_empty() {
        return Json(json!({ "status": "ready" })).into_response();
    }
    Problem::new(Kind::Unavailable, "Not ready.").with("missing", missing).into_response()
}
