//! `ETag` and `If-None-Match` on everything that is read, RFC 9110, sections 8.8.3 and 13.1.2.

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Response as Answer, StatusCode, header};
use axum::{
    body::{Body, HttpBody as _, to_bytes},
    extract::Request,
    response::{IntoResponse as _, Response},
};
use problem::Problem;
use sha2::{Digest as _, Sha256};

use crate::step::{Next, Step};

/// What tells of a body, and so of nothing in a 304; all else is as it would be with the body.
const OF_THE_BODY: [HeaderName; 3] = [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::TRANSFER_ENCODING];

/// Gives every answer to a read a tag, and answers 304 without a body when the caller has what would be answered.
///
/// A handler that knows a version tells it as a strong tag, which a change can be made conditional on. Whatever else is
/// read, a page of a list for one, has a weak tag made of the answer itself.
pub(super) struct NotModified;

impl Step for NotModified {
    async fn take(&self, request: Request, next: impl Next) -> Response {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let known: Vec<_> = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect();
        let response = next.run(request).await;
        if reads && response.status() == StatusCode::OK { answer(response, &known).await } else { response }
    }
}

async fn answer(response: Response, known: &[HeaderValue]) -> Response {
    let response = match tagged(response).await {
        Ok(response) => response,
        Err(problem) => return problem.into_response(),
    };
    let current = response.headers().get(header::ETAG);
    if !current.is_some_and(|current| known.iter().any(|tags| has(tags, current))) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    for name in OF_THE_BODY {
        parts.headers.remove(name);
    }
    Answer::from_parts(parts, Body::empty())
}

/// The answer with a tag, unless its end is not known yet: nobody waits for a stream to be over.
async fn tagged(response: Response) -> Result<Response, Problem> {
    let whole = response.body().size_hint().exact().and_then(|size| usize::try_from(size).ok());
    let Some(size) = whole.filter(|_| !response.headers().contains_key(header::ETAG)) else { return Ok(response) };
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, size).await.map_err(Problem::internal)?;
    if let Some(tag) = tag(&parts.headers, &body) {
        parts.headers.insert(header::ETAG, tag);
    }
    Ok(Answer::from_parts(parts, Body::from(body)))
}

/// The same words in another form, or with another next page, are another answer.
fn tag(headers: &HeaderMap, body: &[u8]) -> Option<HeaderValue> {
    let mut hash = Sha256::new();
    for name in [header::CONTENT_TYPE, header::LINK] {
        hash.update(headers.get(name).map_or(&b""[..], |value| value.as_bytes()));
        hash.update([0]);
    }
    let hash = hash.chain_update(body).finalize();
    let half = hash.first_chunk().map(|half| u128::from_be_bytes(*half))?;
    HeaderValue::try_from(format!("W/\"{half:032x}\"")).ok()
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
    use axum::{Router, body::Bytes, routing::get};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;
    use crate::step::Steps;

    async fn asked(method: &str, path: &str, known: &str) -> (u16, usize, HeaderMap) {
        let current = || async { ([(header::ETAG, "\"2\""), (header::CACHE_CONTROL, "no-store")], "body") };
        let gone = || async { (StatusCode::NOT_FOUND, [(header::ETAG, "\"2\"")], "none") };
        let page = || async { ([(header::LINK, "<?cursor=2>"), (header::CACHE_CONTROL, "no-store")], "page") };
        let endless =
            || async { Body::from_stream(futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from("1"))])) };
        let app = Router::new()
            .route("/", get(current).patch(current))
            .route("/page", get(page).patch(page))
            .route("/last-page", get(|| async { "page" }))
            .route("/stream", get(endless))
            .route("/gone", get(gone))
            .layer(Steps::of(NotModified));
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
            ("GET", "/stream", "*", 200),
            ("GET", "/gone", "\"2\"", 404),
        ] {
            let (answered, length, _) = asked(method, path, known).await;
            assert!(answered == status && length > 0, "{method} {path} {known}: {answered}");
        }
    }

    #[tokio::test]
    async fn what_has_no_version_has_a_tag_all_the_same() {
        let (status, length, headers) = asked("GET", "/page", "\"1\"").await;
        let tag = headers[header::ETAG].to_str().unwrap().to_owned();
        assert!(status == 200 && length == 4 && tag.starts_with("W/\"") && tag.len() == 36, "{headers:?}");
        for method in ["GET", "HEAD"] {
            let (status, length, headers) = asked(method, "/page", &tag).await;
            assert_eq!((status, length, &headers[header::ETAG]), (304, 0, &HeaderValue::try_from(&tag).unwrap()));
            assert!(headers[header::CACHE_CONTROL] == "no-store" && headers.contains_key(header::LINK));
        }
        let (status, _, headers) = asked("GET", "/last-page", &tag).await;
        assert!(status == 200 && headers[header::ETAG] != *tag, "the same items, but none after them");
        for (method, path) in [("PATCH", "/page"), ("GET", "/stream")] {
            let (_, _, headers) = asked(method, path, "\"1\"").await;
            assert!(!headers.contains_key(header::ETAG), "{method} {path}");
        }
    }
}
