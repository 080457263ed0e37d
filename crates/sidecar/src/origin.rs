//! Where a request comes from: the id that it goes by in the logs of all services, and the address of its client.
//!
//! Whoever serves a request says so by [`Sender::scope`]; what is asked of other services meanwhile tells them, and an
//! event tells its consumers the id.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

use http::HeaderValue;
use tokio::task_local;
use tonic::metadata::{Ascii, MetadataValue};
use uuid::Uuid;

use crate::trace;

/// The header and the gRPC metadata of the id.
pub const REQUEST_ID: &str = "x-request-id";
/// The header and the gRPC metadata of the client's address, between services alone.
pub const CLIENT_ADDRESS: &str = "x-client-address";

const LONGEST_ID: usize = 64;

task_local! {
    static SENDER: Sender;
}

/// The id of a request: at most 64 characters that are safe in a log and a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestId(Arc<str>);

/// The address of the client that a request comes from, as the gateway saw it; personal, so it is never logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClientAddress(pub IpAddr);

/// Who sent the request that is served here and now.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Its id.
    pub request_id: RequestId,
    /// The client's address, where a gateway told it.
    pub client_address: Option<ClientAddress>,
}

/// What caused an event.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The trace of the request.
    pub traceparent: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
}

/// The text is no id of a request.
#[derive(Debug, thiserror::Error)]
#[error("it is not 1 to {LONGEST_ID} of A-Z a-z 0-9 . _ -")]
pub struct NoRequestId;

impl RequestId {
    /// An id that no request had.
    pub fn unused() -> Self {
        Self(Uuid::now_v7().to_string().into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = NoRequestId;

    fn from_str(text: &str) -> Result<Self, NoRequestId> {
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let fits = (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(is_safe);
        if fits { Ok(Self(text.into())) } else { Err(NoRequestId) }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Sender {
    /// Who sent the request that is served; none where none is.
    pub fn current() -> Option<Self> {
        SENDER.try_with(Clone::clone).ok()
    }

    /// Serves a request of this sender.
    pub async fn scope<F: Future>(self, served: F) -> F::Output {
        SENDER.scope(self, served).await
    }

    /// The same request, for who must not know whose computer it came from.
    #[must_use]
    pub fn without_address(self) -> Self {
        Self { client_address: None, ..self }
    }

    /// What another service is told.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, HeaderValue)> {
        let id = HeaderValue::from_str(self.request_id.as_str()).ok().map(|id| (REQUEST_ID, id));
        let address = self.client_address.and_then(|ClientAddress(ip)| HeaderValue::from_str(&ip.to_string()).ok());
        id.into_iter().chain(address.map(|address| (CLIENT_ADDRESS, address)))
    }

    /// The same over gRPC.
    pub(crate) fn metadata(&self) -> impl Iterator<Item = (&'static str, MetadataValue<Ascii>)> {
        let text = |value: HeaderValue| value.to_str().ok()?.parse().ok();
        self.headers().filter_map(move |(name, value)| Some((name, text(value)?)))
    }
}

impl Origin {
    /// The request that is served here and now.
    pub fn current() -> Self {
        Self {
            traceparent: trace::current(),
            request_id: Sender::current().map(|sender| sender.request_id.to_string()),
        }
    }
}

/// The id of the request that is served here and now, for a log line.
pub fn current_request_id() -> Option<RequestId> {
    SENDER.try_with(|sender| sender.request_id.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_safe_in_a_log_is_an_id() {
        let longest = "a".repeat(LONGEST_ID);
        for good in ["a", "0197a1b2-7c11-7000-8000-1b2c3d4e5f60", "A.b_c-9", &longest] {
            assert_eq!(good.parse::<RequestId>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a\nb", "{\"a\":1}", "é", "a/b", &"a".repeat(LONGEST_ID + 1)] {
            assert!(bad.parse::<RequestId>().is_err(), "{bad:?}");
        }
        assert!(RequestId::unused().as_str().parse::<RequestId>().is_ok());
    }

    #[tokio::test]
    async fn what_is_asked_meanwhile_tells_who_asked() {
        assert!(Sender::current().is_none());
        let sender = Sender {
            request_id: "r-1".parse().unwrap(),
            client_address: Some(ClientAddress("2001:db8::1".parse().unwrap())),
        };
        let told = sender.scope(async { Sender::current().unwrap().headers().collect::<Vec<_>>() }).await;
        let told: Vec<_> = told.iter().map(|(name, value)| (*name, value.to_str().unwrap())).collect();
        assert_eq!(told, [(REQUEST_ID, "r-1"), (CLIENT_ADDRESS, "2001:db8::1")]);
    }
}
