//! Who sent a request: its id and its client's address, for handlers, for logs, and for whoever is asked meanwhile.

use std::net::IpAddr;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use axum::{extract::Request, response::Response};
use sidecar::origin::{CLIENT_ADDRESS, ClientAddress, REQUEST_ID, RequestId, Sender};

use crate::step::{Next, Step};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Who connects to the public port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peers {
    /// How many of the addresses that a request came by are proxies of our own.
    pub(crate) trusted_proxies: u8,
}

/// The sidecar passes on what another service said.
pub(crate) struct OfHeader;

impl Step for OfHeader {
    async fn take(&self, request: Request, next: impl Next) -> Response {
        let told = request.headers().get(CLIENT_ADDRESS).and_then(|address| address.to_str().ok()?.parse().ok());
        serve(request, told, next).await
    }
}

/// What the public says of its own address is not believed.
pub(crate) struct OfPeer {
    /// Who may stand between.
    pub(crate) peers: Peers,
    /// Who has connected.
    pub(crate) peer: IpAddr,
}

impl Step for OfPeer {
    async fn take(&self, mut request: Request, next: impl Next) -> Response {
        let client = self.peers.client(self.peer, request.headers());
        request.headers_mut().remove(CLIENT_ADDRESS);
        serve(request, Some(client), next).await
    }
}

async fn serve(mut request: Request, client: Option<IpAddr>, next: impl Next) -> Response {
    let told = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()?.parse().ok());
    let request_id: RequestId = told.unwrap_or_else(RequestId::unused);
    let client_address = client.map(ClientAddress);
    let extensions = request.extensions_mut();
    extensions.insert(request_id.clone());
    if let Some(address) = client_address {
        extensions.insert(address);
    }
    let shown = HeaderValue::from_str(request_id.as_str());
    let mut response = Sender { request_id, client_address }.scope(next.run(request)).await;
    if let Ok(shown) = shown {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID), shown);
    }
    response
}

impl Peers {
    /// Each proxy adds the address that it saw at the right, so only the last ones are anybody's word but the client's.
    fn client(self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let Some(back) = usize::from(self.trusted_proxies).checked_sub(1) else { return peer };
        let lines = headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok());
        let said: Vec<_> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        said.iter().rev().nth(back).and_then(|address| address.parse().ok()).unwrap_or(peer)
    }
}

#[cfg(test)]
mod tests {
    use axum::{Extension, Router, body::Body, routing::get};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;
    use crate::step::Steps;

    fn client(trusted_proxies: u8, lines: &[&'static str]) -> String {
        let line = |line: &&'static str| (HeaderName::from_static(FORWARDED_FOR), HeaderValue::from_static(line));
        let headers = lines.iter().map(line).collect();
        Peers { trusted_proxies }.client("192.0.2.1".parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        assert_eq!(client(0, &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client(1, &["203.0.113.9, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(client(1, &["203.0.113.9", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(client(2, &["6.6.6.6, 203.0.113.9,198.51.100.7"]), "203.0.113.9");
        for lines in [&[][..], &["nonsense"], &["203.0.113.9, "]] {
            assert_eq!(client(1, lines), "192.0.2.1", "{lines:?}");
        }
        assert_eq!(client(3, &["203.0.113.9"]), "192.0.2.1", "a list that is too short is nobody's");
    }

    async fn told(step: impl Step, request: Request) -> (String, String) {
        let said = async |Extension(id): Extension<RequestId>, address: Option<Extension<ClientAddress>>| {
            let address = address.map(|Extension(ClientAddress(address))| address);
            format!("{id} {address:?} {}", Sender::current().unwrap().request_id)
        };
        let app = Router::new().route("/", get(said)).layer(Steps::of(step));
        let response = app.oneshot(request).await.unwrap();
        let id = response.headers()[REQUEST_ID].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (id, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_safe_id_is_kept_and_another_one_is_replaced() {
        let public = || OfPeer { peers: Peers { trusted_proxies: 0 }, peer: "192.0.2.1".parse().unwrap() };
        let request = |id: &str| {
            let request = Request::get("/").header(REQUEST_ID, id).header(CLIENT_ADDRESS, "6.6.6.6");
            request.body(Body::empty()).unwrap()
        };
        let (id, said) = told(public(), request("r-1")).await;
        assert_eq!((id.as_str(), said.as_str()), ("r-1", "r-1 Some(192.0.2.1) r-1"));
        let (id, said) = told(public(), request("{\"level\":\"ERROR\"}")).await;
        assert!(id.len() == 36 && said == format!("{id} Some(192.0.2.1) {id}"), "{id} {said}");
        let (id, said) = told(OfHeader, request("r-2")).await;
        assert_eq!((id.as_str(), said.as_str()), ("r-2", "r-2 Some(6.6.6.6) r-2"));
        let (id, said) = told(OfHeader, Request::get("/").body(Body::empty()).unwrap()).await;
        assert_eq!(said, format!("{id} None {id}"));
    }
}
