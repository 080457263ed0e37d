//! How much anybody may ask: what is over is refused before it is work for a service.
//!
//! Two steps: [`AtTheDoor`] before anything is known of a request but its address and its head, and [`OfRoute`] after
//! its token was verified.

mod depth;
pub mod lane;
pub mod rate;
mod size;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody as _},
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, header};
use opentelemetry::{KeyValue, global, metrics::Counter};
use problem::{Kind, Problem};
use runtime::{
    http::{ClientAddress, read_any_body},
    step::{Next, Step},
};
use tokio::sync::Semaphore;
use uuid::Uuid;

use self::{
    lane::Lane,
    rate::{AddressKey, Buckets, Rate},
};

/// Nothing takes longer from its head to its answer.
const LONGEST: Duration = Duration::from_secs(10);

/// A body has to be there within this; what is left of [`LONGEST`] is what a service has to answer.
const BODY: Duration = Duration::from_secs(5);

/// Every so often buckets that are full again are forgotten.
const SWEEP: Duration = Duration::from_secs(5);

/// How much anybody may ask; the README says what the defaults are made of.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// All requests of an address.
    pub per_address: Rate,
    /// Those to `/auth` among them.
    pub auth_per_address: Rate,
    /// All requests of a user.
    pub per_user: Rate,
    /// Requests to one service that are under way at the same time.
    pub per_service: usize,
    /// Those that sign in.
    pub sign_ins: usize,
}

/// The limits with what was asked so far.
#[derive(Debug)]
pub struct Limits {
    addresses: Buckets<AddressKey>,
    auth: Buckets<AddressKey>,
    users: Buckets<Uuid>,
    per_service: usize,
    sign_ins: Lane,
}

/// What comes before everything else.
#[derive(Clone, Debug)]
pub struct AtTheDoor(pub Arc<Limits>);

/// What comes after the token, at a route that leads to an app.
#[derive(Clone, Debug)]
pub(super) struct OfRoute {
    limits: Arc<Limits>,
    places: Places,
}

/// What a route may hold of its service.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// Those of the service; all its routes share them.
    of_service: Arc<Semaphore>,
    /// Whether requests of this route take turns first.
    in_turn: bool,
}

impl Limits {
    /// Limits of which nobody has used anything.
    pub fn new(settings: &Settings) -> Self {
        Self {
            addresses: Buckets::new("address", settings.per_address),
            auth: Buckets::new("auth", settings.auth_per_address),
            users: Buckets::new("user", settings.per_user),
            per_service: settings.per_service,
            sign_ins: Lane::new(settings.sign_ins),
        }
    }

    /// Forgets, for ever, whoever has not asked for a while.
    pub async fn sweep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SWEEP).await;
            self.addresses.sweep();
            self.auth.sweep();
            self.users.sweep();
        }
    }

    /// What comes after the token, at a route that leads to an app.
    pub(super) fn of_route(self: &Arc<Self>, places: Places) -> OfRoute {
        OfRoute { limits: Arc::clone(self), places }
    }

    /// As many places as a service has.
    pub(super) fn places(&self) -> Places {
        Places { of_service: Arc::new(Semaphore::new(self.per_service)), in_turn: false }
    }
}

impl Places {
    /// The same places, for a route that signs in.
    pub(super) fn in_turn(&self) -> Self {
        Self { in_turn: true, ..self.clone() }
    }
}

impl Step for AtTheDoor {
    async fn take(&self, request: Request, next: impl Next) -> Response {
        let mut told = HeaderMap::new();
        let admitted = admit(&self.0, &request, &mut told).and_then(|()| size::check(&request));
        let mut response = match admitted {
            Ok(()) => match tokio::time::timeout(LONGEST, next.run(request)).await {
                Ok(response) => response,
                Err(_) => refused(too_late()),
            },
            Err(problem) => refused(problem),
        };
        // A user's bucket may have said something already.
        for (name, value) in &told {
            response.headers_mut().append(name.clone(), value.clone());
        }
        response
    }
}

/// A sidecar's call comes from no address.
fn admit(limits: &Limits, request: &Request, told: &mut HeaderMap) -> Result<(), Problem> {
    let Some(ClientAddress(address)) = request.extensions().get() else { return Ok(()) };
    let key = AddressKey::from(*address);
    limits.addresses.take(&key, told)?;
    if is_auth(request.uri().path()) { limits.auth.take(&key, told) } else { Ok(()) }
}

fn is_auth(path: &str) -> bool {
    path.strip_prefix("/auth").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Nothing behind this layer has seen the request, so what became of it is counted here.
fn refused(problem: Problem) -> Response {
    static REFUSED: OnceLock<Counter<u64>> = OnceLock::new();
    let refused = REFUSED.get_or_init(|| {
        global::meter("gateway")
            .u64_counter("gateway.requests.refused")
            .with_description("requests that were refused at the door: too many, too large or too slow")
            .build()
    });
    let status = problem.kind.status().as_u16();
    refused.add(1, &[KeyValue::new("http.response.status_code", i64::from(status))]);
    tracing::debug!(status, "refused at the door");
    problem.into_response()
}

fn too_late() -> Problem {
    let detail = "It took too long; send the same request again, with the same Idempotency-Key if it had one.";
    Problem::new(Kind::TimedOut, detail)
}

fn too_slow() -> Problem {
    Problem::new(Kind::TooSlow, format!("A body has to be there within {} s; nothing was done.", BODY.as_secs()))
}

impl Step for OfRoute {
    async fn take(&self, request: Request, next: impl Next) -> Response {
        let mut told = HeaderMap::new();
        let passed = self.pass(request, next, &mut told).await;
        // Its rest may come yet, and would be taken for the next request.
        let closes = passed.as_ref().is_err_and(|problem| problem.kind == Kind::TooSlow);
        let mut response = passed.unwrap_or_else(Problem::into_response);
        if closes {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        for (name, value) in &told {
            response.headers_mut().append(name.clone(), value.clone());
        }
        response
    }
}

impl OfRoute {
    async fn pass(&self, request: Request, next: impl Next, told: &mut HeaderMap) -> Result<Response, Problem> {
        let Self { limits, places } = self;
        if let Some(caller) = request.extensions().get::<access::Caller>() {
            limits.users.take(&caller.subject, told)?;
        }
        let request = if request.body().is_end_stream() { request } else { whole(request).await? };
        let _turn = if places.in_turn { Some(limits.sign_ins.turn().await?) } else { None };
        let Ok(_place) = places.of_service.try_acquire() else {
            let detail = "The service behind this route has too much to do; nothing was done.";
            return Err(Problem::new(Kind::Unavailable, detail));
        };
        Ok(next.run(request).await)
    }
}

/// The request with its whole body, so that nobody who sends slowly takes a place at a service.
async fn whole(request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let body = read_any_body(Request::from_parts(parts.clone(), body));
    let body = tokio::time::timeout(BODY, body).await.map_err(|_| too_slow())??;
    let kind = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    if kind.to_ascii_lowercase().windows(4).any(|word| word == b"json") && depth::is_too_deep(&body) {
        let detail = format!("A body may be nested {} deep at most.", depth::DEEPEST);
        return Err(Problem::new(Kind::Malformed, detail));
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

#[cfg(test)]
mod tests;
