//! Where a request came from: known to every entry that is made while it is answered.

use axum::{extract::Request, middleware::Next, response::Response};
use http::HeaderMap;
use tokio::task_local;

/// Set by the gateway, which takes them from nobody.
const REQUEST_ID: &str = "x-request-id";
const CLIENT_ADDRESS: &str = "x-client-address";

task_local! {
    static NOW: Circumstances;
}

/// What the gateway says of a request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Circumstances {
    pub(crate) request: Option<String>,
    pub(crate) address: Option<String>,
}

impl Circumstances {
    /// Those of the request that this task answers.
    pub(crate) fn now() -> Self {
        NOW.try_with(Clone::clone).unwrap_or_default()
    }

    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self { request: text(REQUEST_ID), address: text(CLIENT_ADDRESS) }
    }
}

/// A layer: entries that are made while a request is answered say which one it was, and the address it came from.
pub async fn circumstances(request: Request, next: Next) -> Response {
    let now = Circumstances::of(request.headers());
    NOW.scope(now, next.run(request)).await
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware::from_fn, routing::get};
    use http::Request;

    use super::*;
    use crate::{Action, Entry};

    #[tokio::test]
    async fn an_entry_knows_its_request() {
        let answer = get(async || axum::Json(Entry::new(Action::Read, "read").detail("reason", "none")));
        let app = Router::new().route("/", answer).layer(from_fn(circumstances));
        let request = Request::get("/").header(REQUEST_ID, "r-1").header(CLIENT_ADDRESS, "192.0.2.7");
        let mut service = app.into_service::<Body>();
        let answered = tower::ServiceExt::oneshot(&mut service, request.body(Body::empty()).unwrap()).await.unwrap();
        let entry = axum::body::to_bytes(answered.into_body(), 4096).await.unwrap();
        let entry: serde_json::Value = serde_json::from_slice(&entry).unwrap();
        assert_eq!(
            (&entry["requestId"], &entry["details"]),
            (&"r-1".into(), &serde_json::json!({ "address": "192.0.2.7", "reason": "none" }))
        );
        assert_eq!(Circumstances::now(), Circumstances::default());
    }
}
