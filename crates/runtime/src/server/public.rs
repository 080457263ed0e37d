//! The public port: HTTP/1.1 alone, and nobody who sends slowly keeps a connection.
//!
//! What ends TLS before it speaks HTTP/1.1 here; a second protocol would be a second parser to attack.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{Router, body::Body, response::Response};
use http::{HeaderValue, Request, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use super::DRAIN;
use crate::{
    http::{OfPeer, Peers},
    step::{End, Step},
};

/// The head of a request has to be there within this, counted from when the connection is free for it.
const HEAD: Duration = Duration::from_secs(5);

/// Where proxies of our own stand before us, they alone connect, have a head whole before they send it, and keep idle
/// connections for up to a minute: who closes first makes the other lose a request.
const HEAD_OF_A_PROXY: Duration = Duration::from_secs(75);

/// What a connection may hold of a request that is not read yet; a head that is larger has no answer but hyper's 431.
const BUFFER: usize = 64 << 10;

/// How many connections there may be at once; who comes beyond waits in the kernel's queue.
const MOST: usize = 4096;

/// How long nobody is let in after the system had no place for another connection.
const NO_PLACE: Duration = Duration::from_millis(50);

/// What is open to the public.
pub(super) struct Open<S> {
    /// The routes.
    pub(super) app: Router,
    /// What they are behind.
    pub(super) step: Arc<S>,
    /// Who connects.
    pub(super) peers: Peers,
}

pub(super) async fn serve_public<S: Step>(
    address: SocketAddr,
    open: Open<S>,
    mut ending: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))?;
    tracing::info!(%address, "listening to the public");
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MOST));
    let next = async || {
        let place = Arc::clone(&places).acquire_owned().await;
        (listener.accept().await, place)
    };
    loop {
        let (accepted, place) = tokio::select! {
            accepted = next() => accepted,
            _ = ending.wait_for(|&end| end) => break,
        };
        match accepted {
            Ok((stream, peer)) => serve_one(stream, peer, &open, &connections, place.ok()),
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(NO_PLACE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, connections.shutdown()).await.is_err() {
        tracing::warn!("some public requests were still under way");
    }
    Ok(())
}

fn serve_one<S: Step>(
    stream: TcpStream,
    peer: SocketAddr,
    open: &Open<S>,
    connections: &GracefulShutdown,
    place: Option<OwnedSemaphorePermit>,
) {
    // Small answers must not wait for the next one.
    let _ = stream.set_nodelay(true);
    let app = open.app.clone();
    let steps = Arc::new((OfPeer { peers: open.peers, peer: peer.ip() }, Arc::clone(&open.step)));
    let service = service_fn(move |request| answer(app.clone(), Arc::clone(&steps), request));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience(open.peers)).max_buf_size(BUFFER);
    let connection = connections.watch(builder.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke");
        }
        drop(place);
    });
}

fn patience(peers: Peers) -> Duration {
    if peers.trusted_proxies == 0 { HEAD } else { HEAD_OF_A_PROXY }
}

async fn answer(app: Router, steps: Arc<impl Step>, request: Request<Incoming>) -> Result<Response, Infallible> {
    let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = steps.take(request.map(Body::new), End(app)).await;
    if chunked {
        // hyper has dropped a Content-Length beside it, so the two cannot be told apart from one; whoever stands before
        // us may have believed the other, and nothing more is read of such a connection (RFC 9112, section 6.1).
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests;
