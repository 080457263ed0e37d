//! Another service, through the own sidecar.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header, uri::PathAndQuery};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use problem::{Kind, Problem};
use tonic::{metadata::MetadataValue, service::interceptor::InterceptedService, transport::Channel};

use crate::{
    Sidecar, loopback,
    origin::{CLIENT_ADDRESS, REQUEST_ID, Sender},
    trace::{self, Outgoing},
};

pub(crate) type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// The channel to another app, for a tonic client.
pub type AppChannel = InterceptedService<Channel, Outgoing>;

/// The sidecar's own limit.
const LARGEST_ANSWER: usize = 4 << 20;

pub(crate) fn http_client() -> HttpClient {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(Duration::from_millis(500)));
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector)
}

impl Sidecar {
    /// A channel whose calls reach the app `id` over gRPC.
    pub fn app(&self, id: &'static str) -> AppChannel {
        let outgoing = Outgoing { token: self.0.token.clone(), app: Some(MetadataValue::from_static(id)) };
        InterceptedService::new(self.0.channel.clone(), outgoing)
    }

    /// Passes a request to the app `id`; the request's URI is the path and query that the app knows.
    ///
    /// What the app answers is the answer, whatever its status; a problem means that it was not reached or said too
    /// much, and then the outcome is unknown.
    pub async fn invoke(
        &self,
        id: &str,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> Result<Response<Bytes>, Problem> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        parts.uri = self.uri(&format!("/v1.0/invoke/{id}/method{path}"))?;
        let request = self.prepare(Request::from_parts(parts, Full::new(body)));
        let answer = async {
            let response = self.0.http.request(request).await.map_err(Problem::unavailable)?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, LARGEST_ANSWER).collect().await.map_err(Problem::unavailable)?.to_bytes();
            Ok::<_, Problem>(Response::from_parts(parts, body))
        };
        let answer = tokio::time::timeout(deadline, answer).await.map_err(Problem::unavailable)??;
        refuse_sidecar_errors(id, answer)
    }

    pub(crate) async fn get_health(&self, path: &str) -> bool {
        let Ok(uri) = self.uri(path) else { return false };
        let mut request = Request::new(Full::default());
        *request.uri_mut() = uri;
        let answer = self.0.http.request(self.prepare(request));
        matches!(tokio::time::timeout(Duration::from_secs(1), answer).await, Ok(Ok(answer)) if answer.status().is_success())
    }

    fn uri(&self, path: &str) -> Result<Uri, Problem> {
        let mut parts = loopback(self.0.http_port).into_parts();
        parts.path_and_query = Some(path.parse().map_err(Problem::internal)?);
        Uri::from_parts(parts).map_err(Problem::internal)
    }

    fn prepare(&self, mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
        let headers = request.headers_mut();
        // The caller's own words for these are not for the sidecar.
        headers.remove(header::HOST);
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(REQUEST_ID);
        headers.remove(CLIENT_ADDRESS);
        if let Some(sender) = Sender::current() {
            headers.extend(sender.headers().map(|(name, value)| (HeaderName::from_static(name), value)));
        }
        headers.insert("dapr-api-token", self.0.api_token.clone());
        if let Some(traceparent) = trace::current().and_then(|parent| HeaderValue::from_str(&parent).ok()) {
            headers.insert(trace::TRACEPARENT, traceparent);
        }
        request
    }
}

/// The apps answer problems, or success with a body; anything else is the sidecar speaking.
///
/// A callee that ends while it is called can make daprd 1.18 answer 200 with nothing in it, which must not be taken
/// for a success.
fn refuse_sidecar_errors(id: &str, answer: Response<Bytes>) -> Result<Response<Bytes>, Problem> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct SidecarError {
        error_code: String,
        message: String,
    }
    let status = answer.status();
    let problem = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
    let success = status.is_success() && (status == StatusCode::NO_CONTENT || !answer.body().is_empty());
    if problem || success || status == StatusCode::NOT_MODIFIED {
        return Ok(answer);
    }
    let cause = match serde_json::from_slice::<SidecarError>(answer.body()) {
        Ok(error) => format!("{id}: {status} {}: {}", error.error_code, without_queries(&error.message)),
        Err(_) => format!("{id}: the sidecar answered {status} with {} bytes", answer.body().len()),
    };
    Err(match status {
        StatusCode::FORBIDDEN => {
            Problem::new(Kind::Forbidden, "This service may not ask that of another one.").with_cause(cause)
        }
        _ => Problem::unavailable(cause),
    })
}

/// The sidecar's words for a failure repeat the address that was called, and the query of a search names a person.
fn without_queries(text: &str) -> String {
    let mut parts = text.split('?');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| {
        let end = part.find(|c: char| c == '"' || c.is_whitespace()).unwrap_or(part.len());
        kept + &part[end..]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_app_speaks_for_an_app() {
        let answer = |status: u16, kind: &str, body: &'static str| {
            let response = Response::builder().status(status).header("content-type", kind);
            refuse_sidecar_errors("x", response.body(Bytes::from_static(body.as_bytes())).unwrap())
        };
        for (status, kind, body) in [
            (200, "application/json", "{}"),
            (204, "", ""),
            (304, "", ""),
            (409, "application/problem+json", "{}"),
            (503, "application/problem+json", "{}"),
        ] {
            assert_eq!(answer(status, kind, body).unwrap().status(), status);
        }
        let error = r#"{"errorCode":"ERR_DIRECT_INVOKE","message":"no app"}"#;
        for (status, body) in [(200, ""), (500, error), (500, ""), (404, "404 page not found")] {
            assert_eq!(answer(status, "application/json", body).unwrap_err().kind, Kind::Unavailable, "{status}");
        }
        assert_eq!(answer(403, "application/json", error).unwrap_err().kind, Kind::Forbidden);
    }

    #[test]
    fn a_failure_does_not_repeat_what_was_searched_for() {
        for (said, kept) in [
            ("Get \"http://127.0.0.1:1/p?family=Okafor\": refused", "Get \"http://127.0.0.1:1/p\": refused"),
            ("/p?a=1?b=2 and /q?c=3", "/p and /q"),
            ("connection refused", "connection refused"),
        ] {
            assert_eq!(without_queries(said), kept);
        }
    }
}
