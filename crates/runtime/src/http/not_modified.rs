//! `If-None-Match` on everything that is read, RFC 9110, section 13.1.2.

use ::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::{
    body::Body,
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};

/// What a 304 repeats of the answer that it stands for.
const KEPT: [header::HeaderName; 4] = [header::CACHE_CONTROL, header::CONTENT_LOCATION, header::ETAG, header::VARY];

/// Answers 304 without a body when the caller has the version that would be answered.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known: Vec<_> = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect();
    let response = next.run(request).await;
    let current = response.headers().get(header::ETAG);
    let is_known = current.is_some_and(|current| known.iter().any(|tags| has(tags, current)));
    if !reads || response.status() != StatusCode::OK || !is_known {
        return response;
    }
    let (parts, _) = response.into_parts();
    let kept = KEPT.iter().filter_map(|name| Some((name.clone(), parts.headers.get(name)?.clone())));
    let mut answer = (StatusCode::NOT_MODIFIED, kept.collect::<HeaderMap>(), Body::empty()).into_response();
    answer.extensions_mut().extend(parts.extensions);
    answer
}

/// Whether a list of tags has this one, by weak comparison.
fn has(tags: &HeaderValue, current: &HeaderValue) -> bool {
    let (Ok(tags), Ok(current)) = (tags.to_str(), current.to_str()) else { return false };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    // Our tags have no comma.
    tags.split(',').any(|tag| tag.trim() == "*" || opaque(tag) == opaque(current))
}

#[cfg(test)]
mod tests {
    use axum::{Router, middleware::from_fn, routing::get};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn asked(method: &str, path: &str, known: &str) -> (u16, usize, HeaderMap) {
        let current = || async { ([(header::ETAG, "\"2\""), (header::CACHE_CONTROL, "no-store")], "body") };
        let gone = || async { (StatusCode::NOT_FOUND, [(header::ETAG, "\"2\"")], "none") };
        let app = Router::new().route("/", get(current).patch(current)).route("/none", get(|| async { "no tag" }));
        let app = app.route("/gone", get(gone)).layer(from_fn(answer));
        let request = Request::builder().method(method).uri(path).header(header::IF_NONE_MATCH, known);
        let (parts, body) = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().into_parts();
        (parts.status.as_u16(), body.collect().await.unwrap().to_bytes().len(), parts.headers)
    }

    #[tokio::test]
    async fn who_has_the_version_gets_no_body() {
        for known in ["\"2\"", "\"1\", \"2\"", "W/\"2\"", "*"] {
            let (status, length, headers) = asked("GET", "/", known).await;
            assert_eq!((status, length), (304, 0), "{known}");
            assert!(headers[header::ETAG] == "\"2\"" && headers[header::CACHE_CONTROL] == "no-store");
            assert!(!headers.contains_key(header::CONTENT_TYPE), "{headers:?}");
        }
        for (method, path, known, status) in [
            ("GET", "/", "\"1\"", 200),
            ("GET", "/", "2", 200),
            ("GET", "/", "\"22\"", 200),
            ("PATCH", "/", "\"2\"", 200),
            ("GET", "/none", "*", 200),
            ("GET", "/gone", "\"2\"", 404),
        ] {
            let (answered, length, _) = asked(method, path, known).await;
            assert!(answered == status && length > 0, "{method} {path} {known}: {answered}");
        }
    }
}
