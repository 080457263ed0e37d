//! A request passed on to the service that owns it.

use std::{future::Future, pin::Pin};

use access::cookie::{COOKIE, session_cookie};
use axum::{
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use problem::{Kind, Problem};
use runtime::http::read_any_body;
use sidecar::Sidecar;

use crate::outbound::again::{DEADLINE, Failure, at_most_twice};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a service is told of the request: nothing that a sidecar, a proxy or another service might set.
const REQUEST_HEADERS: [HeaderName; 6] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    IDEMPOTENCY_KEY,
];

/// What the public is told of the answer: nothing of the way that it came.
const RESPONSE_HEADERS: [HeaderName; 9] = [
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    // A page may have a style; without a word of its service it has nothing.
    header::CONTENT_SECURITY_POLICY,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LINK,
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
];

/// Which cookies pass.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Cookies {
    /// None, either way.
    None,
    /// The one of a browser's session, and what the service sets.
    Session,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// A handler that passes requests on to the app `id`.
pub(super) fn to(
    id: &'static str,
    sidecar: &Sidecar,
    cookies: Cookies,
) -> impl Fn(Request) -> Answer + Clone + Send + Sync + 'static {
    let sidecar = sidecar.clone();
    move |request| {
        let sidecar = sidecar.clone();
        Box::pin(async move { forward(&sidecar, id, request, cookies).await })
    }
}

async fn forward(sidecar: &Sidecar, id: &'static str, request: Request, cookies: Cookies) -> Result<Response, Problem> {
    let mut asked = http::Request::new(());
    *asked.method_mut() = request.method().clone();
    *asked.uri_mut() = request.uri().clone();
    *asked.headers_mut() = only(&REQUEST_HEADERS, request.headers());
    if cookies == Cookies::Session {
        let cookie = session_cookie(request.headers()).map(|value| format!("{COOKIE}={value}"));
        let cookie = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok());
        asked.headers_mut().extend(cookie.map(|cookie| (header::COOKIE, cookie)));
    }
    let body = read_any_body(request).await?;
    let asked = asked.map(|()| body);
    let answer = if is_safe_to_repeat(&asked) {
        at_most_twice(id, async |limit| sidecar.invoke(id, asked.clone(), limit).await.map_err(failure)).await?
    } else {
        sidecar.invoke(id, asked, DEADLINE).await?
    };
    let (parts, body) = answer.into_parts();
    let mut told = only(&RESPONSE_HEADERS, &parts.headers);
    if cookies == Cookies::Session {
        told.extend(only(&[header::SET_COOKIE], &parts.headers));
    }
    Ok((parts.status, told, body).into_response())
}

/// Reading changes nothing, and with a key the same request twice is the same as once.
fn is_safe_to_repeat<B>(request: &http::Request<B>) -> bool {
    match *request.method() {
        Method::GET | Method::HEAD => true,
        Method::POST | Method::PATCH => request.headers().contains_key(IDEMPOTENCY_KEY),
        _ => false,
    }
}

/// What a service answers, a 503 too, is not a failure here.
fn failure(problem: Problem) -> Failure {
    if problem.kind == Kind::Unavailable { Failure::Unknown(problem) } else { Failure::Refused(problem) }
}

fn only(names: &[HeaderName], headers: &HeaderMap) -> HeaderMap {
    names.iter().flat_map(|name| headers.get_all(name).iter().map(move |value| (name.clone(), value.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_read_or_has_a_key_is_repeated() {
        let request = |method: &str, key: bool| {
            let request = http::Request::builder().method(method);
            if key { request.header("idempotency-key", "1") } else { request }.body(()).unwrap()
        };
        for (method, key, repeated) in [
            ("GET", false, true),
            ("HEAD", false, true),
            ("POST", false, false),
            ("POST", true, true),
            ("PATCH", false, false),
            ("PATCH", true, true),
            ("DELETE", true, false),
        ] {
            assert_eq!(is_safe_to_repeat(&request(method, key)), repeated, "{method}, key {key}");
        }
    }

    #[test]
    fn a_page_for_paper_keeps_its_name_and_its_policy() {
        let sent = ["content-disposition", "content-security-policy", "server", "x-daprd-internal", "set-cookie"];
        let headers: HeaderMap =
            sent.map(|name| (HeaderName::from_static(name), HeaderValue::from_static("1"))).into_iter().collect();
        let passed: Vec<_> = only(&RESPONSE_HEADERS, &headers).keys().map(ToString::to_string).collect();
        assert_eq!(passed, sent[..2]);
    }

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
            sent.map(|name| (HeaderName::from_static(name), HeaderValue::from_static("1"))).into_iter().collect();
        let passed: Vec<_> = only(&REQUEST_HEADERS, &headers).keys().map(ToString::to_string).collect();
        assert_eq!(passed, ["if-match"]);
    }
}
