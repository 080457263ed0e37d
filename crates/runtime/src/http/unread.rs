//! Reads what a handler left of a request's body.
//!
//! Who answers before a request has been read makes hyper close the connection, and the caller's next request may be
//! on its way in it already: daprd repeats only some, and the others fail for nothing that they did.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ::http::{HeaderValue, header};
use axum::{
    body::{Body, BodyDataStream, HttpBody as _},
    extract::Request,
    response::Response,
};
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{Fuse, poll_fn},
};

use super::{LARGEST_BODY, is_grpc};
use crate::step::{Next, Step};

/// Whoever sends more slowly has the connection closed.
const PATIENCE: Duration = Duration::from_secs(1);

/// The body, of which the handler reads first.
#[derive(Clone)]
struct Shared(Arc<Mutex<Fuse<BodyDataStream>>>);

/// The step that reads it.
pub(super) struct ReadRest;

impl Step for ReadRest {
    async fn take(&self, request: Request, next: impl Next) -> Response {
        // A connection of HTTP/2 outlives its streams.
        if request.body().is_end_stream() || is_grpc(request.headers()) {
            return next.run(request).await;
        }
        read_rest(request, next).await
    }
}

async fn read_rest(request: Request, next: impl Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = Shared(Arc::new(Mutex::new(body.into_data_stream().fuse())));
    let first = body.clone();
    let read = Body::from_stream(poll_fn(move |context| first.poll(context)));
    let mut response = next.run(Request::from_parts(parts, read)).await;
    let closes = response.headers().get(header::CONNECTION).is_some_and(|connection| connection == "close");
    if !closes && tokio::time::timeout(PATIENCE, body.drop_rest()).await != Ok(true) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl Shared {
    fn poll(&self, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Result<Bytes, axum::Error>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context)
    }

    /// Whether the end was reached, within what anybody may send.
    async fn drop_rest(&self) -> bool {
        let mut left = LARGEST_BODY;
        let mut rest = poll_fn(|context| self.poll(context));
        while let Some(read) = rest.next().await {
            let fits = read.ok().and_then(|bytes| left.checked_sub(bytes.len()));
            let Some(fits) = fits else { return false };
            left = fits;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::post};
    use futures::stream;
    use tower::ServiceExt as _;

    use super::*;
    use crate::step::Steps;

    /// How many of `chunks` are read by a handler that reads nothing, and whether the connection ends then.
    async fn unread(chunks: usize, size: usize) -> (usize, bool) {
        let read = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&read);
        let sent = stream::iter(0..chunks).map(move |_| {
            *counter.lock().unwrap() += 1;
            Ok::<_, std::convert::Infallible>(vec![b' '; size])
        });
        let app = Router::new().route("/", post(|| async {})).layer(Steps::of(ReadRest));
        let request = Request::post("/").body(Body::from_stream(sent)).unwrap();
        let response = app.oneshot(request).await.unwrap();
        let read = *read.lock().unwrap();
        (read, response.headers().contains_key(header::CONNECTION))
    }

    #[tokio::test]
    async fn what_nobody_wanted_is_read_all_the_same() {
        assert_eq!(unread(3, 10).await, (3, false));
    }

    #[tokio::test]
    async fn who_sends_too_much_has_to_come_again() {
        let (read, closes) = unread(100, LARGEST_BODY / 10).await;
        assert!(closes && read < 15, "{read} were read");
    }

    #[tokio::test]
    async fn a_handler_reads_the_whole_body() {
        let app = Router::new().route("/", post(|body: String| async { body })).layer(Steps::of(ReadRest));
        let response = app.oneshot(Request::post("/").body(Body::from("all of it")).unwrap()).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
        assert_eq!(&body[..], b"all of it");
    }
}
