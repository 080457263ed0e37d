//! A request passed on to the service that owns it.

use std::{future::Future, pin::Pin, time::Duration};

use axum::{
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, header};
use problem::Problem;
use runtime::http::read_any_body;
use sidecar::Sidecar;

/// A service answers within this, or the public is told to come back.
const DEADLINE: Duration = Duration::from_secs(5);

/// What a service is told of the request: nothing that a sidecar, a proxy or another service might set.
const REQUEST_HEADERS: [HeaderName; 6] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static("idempotency-key"),
];

/// What the public is told of the answer: nothing of the way that it came.
const RESPONSE_HEADERS: [HeaderName; 7] = [
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LINK,
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
];

type Answer = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// A handler that passes requests on to the app `id`.
pub(super) fn to(id: &'static str, sidecar: &Sidecar) -> impl Fn(Request) -> Answer + Clone + Send + Sync + 'static {
    let sidecar = sidecar.clone();
    move |request| {
        let sidecar = sidecar.clone();
        Box::pin(async move { forward(&sidecar, id, request).await })
    }
}

async fn forward(sidecar: &Sidecar, id: &str, request: Request) -> Result<Response, Problem> {
    let mut asked = http::Request::new(());
    *asked.method_mut() = request.method().clone();
    *asked.uri_mut() = request.uri().clone();
    *asked.headers_mut() = only(&REQUEST_HEADERS, request.headers());
    let body = read_any_body(request).await?;
    let answer = sidecar.invoke(id, asked.map(|()| body), DEADLINE).await?;
    let (parts, body) = answer.into_parts();
    Ok((parts.status, only(&RESPONSE_HEADERS, &parts.headers), body).into_response())
}

fn only(names: &[HeaderName], headers: &HeaderMap) -> HeaderMap {
    names.iter().flat_map(|name| headers.get_all(name).iter().map(move |value| (name.clone(), value.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_a_sidecar_does_not_come_from_outside() {
        let sent = [
            "dapr-api-token",
            "dapr-caller-app-id",
            "dapr-app-id",
            "x-forwarded-for",
            "x-user-id",
            "if-match",
            "traceparent",
        ];
        let headers: HeaderMap =
            sent.map(|name| (HeaderName::from_static(name), http::HeaderValue::from_static("1"))).into_iter().collect();
        let passed: Vec<_> = only(&REQUEST_HEADERS, &headers).keys().map(ToString::to_string).collect();
        assert_eq!(passed, ["if-match"]);
    }
}
