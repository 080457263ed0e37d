//! What every route gets.

mod not_modified;
pub mod request;
mod sender;
mod unread;

use std::{any::Any, panic::AssertUnwindSafe, sync::OnceLock, time::Instant};

use ::http::{HeaderMap, StatusCode, header};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRequest, MatchedPath, Request},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::FutureExt as _;
use opentelemetry::{KeyValue, global, metrics::Histogram};
use problem::{Cause, Kind, Problem};
use secrecy::{ExposeSecret as _, SecretString};
use sidecar::trace;
use tracing::{Instrument as _, field, info_span};

pub(crate) use self::sender::{OfHeader, OfPeer, Peers};
pub use sidecar::origin::{ClientAddress, RequestId};

use self::{not_modified::NotModified, unread::ReadRest};
use crate::step::{Next, Step, Steps};

/// The largest body that is read.
pub const LARGEST_BODY: usize = 1 << 20;

/// Wraps an app's routes: problems for what is unknown, a span and a metric for each request, no panic without answer.
pub(crate) fn wrap(app: Router) -> Router {
    app.method_not_allowed_fallback(|| async { Problem::new(Kind::MethodNotAllowed, "This route has no such method.") })
        .fallback(unknown_route)
        // The outermost first.
        .layer((Steps::of((CatchPanic, Observe, ReadRest, NotModified)), DefaultBodyLimit::max(LARGEST_BODY)))
}

/// Lets only the sidecar in: it shows the app's token with each call.
pub(crate) fn for_sidecar_only(app: Router, token: &SecretString) -> Router {
    let token: &'static str = Box::leak(token.expose_secret().to_owned().into_boxed_str());
    app.layer(Steps::of(OfSidecar { token }))
}

/// Whoever shows the token.
struct OfSidecar {
    token: &'static str,
}

impl Step for OfSidecar {
    async fn take(&self, request: Request, next: impl Next) -> Response {
        let shown = request.headers().get("dapr-api-token").map_or(&b""[..], |value| value.as_bytes());
        if equal(shown, self.token.as_bytes()) {
            return next.run(request).await;
        }
        if is_grpc(request.headers()) {
            return tonic::Status::unauthenticated("this port is for the service's own sidecar").into_http::<Body>();
        }
        Problem::new(Kind::Unauthenticated, "This port is for the service's own sidecar.").into_response()
    }
}

/// Compares in a time that does not tell where the difference is.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

async fn unknown_route(request: Request) -> Response {
    if is_grpc(request.headers()) {
        return tonic::Status::unimplemented("no such method").into_http::<Body>();
    }
    Problem::new(Kind::NotFound, "There is no such route.").into_response()
}

/// A span and a metric.
struct Observe;

impl Step for Observe {
    fn take(&self, request: Request, next: impl Next) -> impl Future<Output = Response> + Send {
        observe(request, next)
    }
}

async fn observe(request: Request, next: impl Next) -> Response {
    let grpc = is_grpc(request.headers());
    let route = match request.extensions().get::<MatchedPath>() {
        // A method's full name; an HTTP path may name a person and its pattern does not.
        _ if grpc => request.uri().path().to_owned(),
        Some(path) => path.as_str().to_owned(),
        None => "unknown".to_owned(),
    };
    let method = request.method().clone();
    let span = info_span!(
        "request",
        otel.name = %if grpc { route.clone() } else { format!("{method} {route}") },
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = %method,
        http.route = route,
        http.response.status_code = field::Empty,
    );
    let parent = request.headers().get(trace::TRACEPARENT).and_then(|value| value.to_str().ok());
    trace::continue_from(&span, parent);
    let begun = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;

    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    span.in_scope(|| log(&response, &route));
    duration().record(
        begun.elapsed().as_secs_f64(),
        &[
            KeyValue::new("http.request.method", method.to_string()),
            KeyValue::new("http.route", route),
            KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
        ],
    );
    response
}

/// A failure is logged here and nowhere else, with its cause.
fn log(response: &Response, route: &str) {
    let status = response.status().as_u16();
    let cause = response.extensions().get::<Cause>().map(|Cause(cause)| chain(cause.as_ref()));
    match (response.status(), cause) {
        (StatusCode::INTERNAL_SERVER_ERROR, cause) => tracing::error!(route, status, cause, "request failed"),
        (code, cause) if code.is_server_error() => tracing::warn!(route, status, cause, "request failed"),
        (code, Some(cause)) if code.is_client_error() => tracing::info!(route, status, cause, "request refused"),
        _ => tracing::debug!(route, status, "request"),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>
fn duration() -> &'static Histogram<f64> {
    static DURATION: OnceLock<Histogram<f64>> = OnceLock::new();
    DURATION
        .get_or_init(|| global::meter("runtime").f64_histogram("http.server.request.duration").with_unit("s").build())
}

/// An answer all the same.
struct CatchPanic;

impl Step for CatchPanic {
    async fn take(&self, request: Request, next: impl Next) -> Response {
        // Nothing of what panicked is used again.
        let answer = AssertUnwindSafe(async { next.run(request).await }).catch_unwind().await;
        answer.unwrap_or_else(|panic| panicked(&*panic))
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = said.unwrap_or("unknown"), "a request panicked");
    Problem::internal("panic").into_response()
}

/// A body with one of the content types that a route reads.
///
/// `application/json` in a route's list stands for itself with any parameters.
pub async fn read_body(request: Request, content_types: &[&str]) -> Result<Bytes, Problem> {
    let sent = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let sent = sent.split(';').next().unwrap_or_default().trim();
    if !content_types.iter().any(|kind| kind.eq_ignore_ascii_case(sent)) {
        let detail = format!("Send the body as {}.", content_types.join(" or "));
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    read_any_body(request).await
}

/// A body of whatever type.
pub async fn read_any_body(request: Request) -> Result<Bytes, Problem> {
    Bytes::from_request(request, &()).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Problem::new(Kind::TooLarge, format!("A body may have at most {LARGEST_BODY} bytes."));
        }
        Problem::new(Kind::Malformed, "The body did not arrive whole.")
    })
}

#[cfg(test)]
mod tests {
    use ::http::Request as HttpRequest;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(app: Router, request: HttpRequest<Body>) -> (StatusCode, serde_json::Value) {
        let response = app.oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    fn app() -> Router {
        #[expect(clippy::panic, reason = "the test is about a panic")]
        async fn panics() {
            panic!("of a test");
        }
        let echo = |request: Request| async { read_body(request, &["application/json"]).await };
        wrap(Router::new().route("/panic", get(panics)).route("/echo", axum::routing::post(echo)))
    }

    #[tokio::test]
    async fn every_failure_is_a_problem() {
        let get = |path: &str| HttpRequest::get(path).body(Body::empty()).unwrap();
        let post = |kind: &str, body: String| {
            HttpRequest::post("/echo").header("content-type", kind).body(Body::from(body)).unwrap()
        };
        for (request, status) in [
            (get("/nowhere"), 404),
            (get("/panic"), 500),
            (get("/echo"), 405),
            (post("text/plain", "{}".to_owned()), 415),
            (post("application/json; charset=utf-8", " ".repeat(LARGEST_BODY + 1)), 413),
        ] {
            let (answered, problem) = ask(app(), request).await;
            assert_eq!(answered, status);
            assert_eq!(problem["status"], status);
        }
        assert_eq!(
            ask(app(), post("application/json", "{}".to_owned())).await,
            (StatusCode::OK, serde_json::json!({}))
        );
    }

    #[tokio::test]
    async fn only_the_sidecar_gets_in() {
        let app = || for_sidecar_only(Router::new().route("/", get(|| async { "1" })), &"right".to_owned().into());
        for (token, status) in [("right", 200), ("wrong", 401), ("righ", 401), ("", 401)] {
            let request = HttpRequest::get("/").header("dapr-api-token", token).body(Body::empty()).unwrap();
            assert_eq!(app().oneshot(request).await.unwrap().status(), status, "{token:?}");
        }
    }
}
