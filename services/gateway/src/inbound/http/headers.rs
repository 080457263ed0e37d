//! What every answer tells a browser, and whose pages may ask.

use std::{convert::Infallible, str::FromStr, time::Duration};

use axum::{
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use problem::Problem;
use runtime::step::{Next, Step};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Whatever a handler says.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
    ),
];

/// Unless a handler says something else.
const UNLESS_SET: [(HeaderName, &str); 2] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::CACHE_CONTROL, "no-store"),
];

/// How long a browser may remember what it was allowed.
const PREFLIGHT_AGE: Duration = Duration::from_mins(10);

/// An origin whose pages may ask: scheme, host and port, no more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin(HeaderValue);

/// Origins, with commas between them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Origins(pub Vec<Origin>);

/// The text is no origin.
#[derive(Debug, thiserror::Error)]
#[error("it is not scheme://host or scheme://host:port of http or https, with commas between several")]
pub struct NoOrigin;

impl FromStr for Origins {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        text.split(',').map(|origin| origin.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Origin {
    type Err = NoOrigin;

    /// What a browser sends, to the letter, since it is compared so.
    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let uri: Uri = text.parse().map_err(|_| NoOrigin)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(NoOrigin) };
        let written = format!("{scheme}://{authority}");
        let is_plain = matches!(scheme, "http" | "https")
            && !authority.as_str().contains(['*', '@'])
            && text == written
            && text == text.to_ascii_lowercase();
        if is_plain { HeaderValue::try_from(written).map(Self).map_err(|_| NoOrigin) } else { Err(NoOrigin) }
    }
}

/// The step that lets the pages of origins ask.
#[derive(Clone, Debug)]
pub struct Cors(Option<CorsLayer>);

impl Cors {
    /// Lets those of the list ask.
    pub fn of(origins: &Origins) -> Self {
        Self((!origins.0.is_empty()).then(|| cors(origins)))
    }
}

impl Step for Cors {
    async fn take(&self, request: Request, next: impl Next) -> Response {
        let Some(cors) = &self.0 else { return next.run(request).await };
        let mut next = Some(next);
        let rest = service_fn(move |request| {
            let next = next.take();
            async move {
                Ok::<_, Infallible>(match next {
                    Some(next) => next.run(request).await,
                    None => Problem::internal("a request was answered twice").into_response(),
                })
            }
        });
        match cors.layer(rest).oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }
}

/// No origin is allowed that is not in the list, none may bring cookies.
fn cors(Origins(origins): &Origins) -> CorsLayer {
    let asked = ["idempotency-key", "if-match", "if-none-match", "x-request-id"].map(HeaderName::from_static);
    let told = ["etag", "link", "location", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id"];
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().map(|Origin(origin)| origin.clone())))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(
            asked.into_iter().chain([header::ACCEPT, header::AUTHORIZATION, header::CONTENT_TYPE]).collect::<Vec<_>>(),
        )
        .expose_headers(told.map(HeaderName::from_static))
        .max_age(PREFLIGHT_AGE)
}

/// The step that tells every answer's browser.
#[derive(Clone, Copy, Debug)]
pub struct Headers;

impl Step for Headers {
    async fn take(&self, request: Request, next: impl Next) -> Response {
        let mut response = next.run(request).await;
        add(response.headers_mut());
        response
    }
}

fn add(headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in UNLESS_SET {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, routing::get};
    use runtime::step::Steps;

    use super::*;

    async fn asked(origins: &str, request: http::request::Builder) -> (u16, HeaderMap) {
        let origins = if origins.is_empty() { Origins::default() } else { origins.parse().unwrap() };
        let page = || async {
            ([(header::CONTENT_SECURITY_POLICY, "script-src 'self'"), (header::CACHE_CONTROL, "public")], "")
        };
        let app = Router::new().route("/", get(|| async {})).route("/page", get(page));
        let app = app.layer(Steps::of((Headers, Cors::of(&origins))));
        let answer = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        (answer.status().as_u16(), answer.headers().clone())
    }

    #[tokio::test]
    async fn every_answer_has_them() {
        for (path, status, policy, cache) in [
            ("/", 200, "default-src 'none'; frame-ancestors 'none'", "no-store"),
            ("/nowhere", 404, "default-src 'none'; frame-ancestors 'none'", "no-store"),
            ("/page", 200, "script-src 'self'", "public"),
        ] {
            let (answered, headers) = asked("", Request::get(path)).await;
            assert_eq!(answered, status);
            assert_eq!(headers[header::CONTENT_SECURITY_POLICY], policy, "{path}");
            assert_eq!(headers[header::CACHE_CONTROL], cache, "{path}");
            assert!(ALWAYS.iter().all(|(name, value)| headers[name] == *value), "{path}: {headers:?}");
        }
    }

    #[tokio::test]
    async fn only_pages_of_the_list_may_ask() {
        const GOOD: &str = "https://clinic.example";
        let preflight = |origin: &str| {
            let request = Request::options("/").header(header::ORIGIN, origin);
            request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET")
        };
        let list = "https://other.example, https://clinic.example";
        let (status, headers) = asked(list, preflight(GOOD)).await;
        assert_eq!((status, &headers[header::ACCESS_CONTROL_ALLOW_ORIGIN]), (200, &HeaderValue::from_static(GOOD)));
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        for (list, origin) in [
            (list, "https://clinic.example.evil.example"),
            (list, "http://clinic.example"),
            (list, "https://clinic.example:8443"),
            (list, "null"),
            ("", GOOD),
        ] {
            for request in [preflight(origin), Request::get("/").header(header::ORIGIN, origin)] {
                let (_, headers) = asked(list, request).await;
                assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{origin}: {headers:?}");
            }
        }
    }

    #[test]
    fn the_list_has_exact_origins_alone() {
        assert_eq!("https://a.example,http://localhost:5173".parse::<Origins>().unwrap().0.len(), 2);
        for bad in [
            "*",
            "",
            "null",
            "https://*.example",
            "https://a.example/",
            "a.example",
            "ftp://a.example",
            "https://A.example",
            "https://a.example,",
        ] {
            assert!(bad.parse::<Origins>().is_err(), "{bad}");
        }
    }
}
