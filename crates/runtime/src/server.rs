//! HTTP and gRPC on one port for the sidecar, HTTP/1 for the public, and a bounded drain at the end.

mod public;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::Context as _;
use axum::{Router, serve::ListenerExt as _};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use self::public::{Open, serve_public};
use crate::{
    AppConfig,
    grpc::Served,
    http::{self, OfHeader, Peers},
    readiness::Readiness,
    step::{Step, Steps},
};

/// What is under way gets this long to end.
const DRAIN: Duration = Duration::from_secs(8);

/// Where the public is served.
#[derive(Clone, Copy, Debug)]
pub struct Public {
    /// The address.
    pub address: SocketAddr,
    /// How many proxies of our own stand before it: as many addresses at the right of `X-Forwarded-For` are theirs.
    pub trusted_proxies: u8,
}

/// A service, ready to listen, behind a step `S`.
pub struct Server<S = ()> {
    app: Router,
    open: Router,
    step: Arc<S>,
    readiness: Arc<Readiness>,
    config: AppConfig,
}

impl Server {
    /// A server of HTTP routes and, where there are any, of gRPC services with their health.
    pub fn new(config: &AppConfig, readiness: Readiness, routes: Router, grpc: Option<Served>) -> Self {
        let readiness = Arc::new(readiness);
        // tonic's own fallback would answer every unknown path with HTTP 200.
        let grpc = grpc.map(|served| served.routes(&readiness).prepare().into_axum_router().reset_fallback());
        let routes = http::wrap(grpc.into_iter().fold(routes, Router::merge));
        // Whoever restarts the service has no token, asks every moment and learns nothing but its health.
        let with_health = |routes: Router| Arc::clone(&readiness).routes().merge(routes);
        let app = with_health(http::for_sidecar_only(routes.clone(), &config.api_token));
        let open = with_health(routes);
        Self { app, open, step: Arc::default(), readiness, config: config.clone() }
    }

    /// Puts all routes behind a step, at whichever port they are asked for.
    #[must_use]
    pub fn behind<S: Step>(self, step: S) -> Server<S> {
        let Self { app, open, step: _, readiness, config } = self;
        Server { app, open, step: Arc::new(step), readiness, config }
    }
}

impl<S: Step> Server<S> {
    /// Serves the sidecar on loopback and, where `public` is given, everyone there, until the process is told to end.
    pub async fn run(self, public: Option<Public>) -> anyhow::Result<()> {
        let (end, ending) = watch::channel(false);
        let draining = self.readiness.draining();
        tokio::spawn(async move {
            terminated().await;
            tracing::info!("draining");
            draining.store(true, Ordering::Relaxed);
            end.send_replace(true);
        });
        let sidecar = self.app.layer(Steps::of((OfHeader, Arc::clone(&self.step))));
        let sidecar = serve((Ipv4Addr::LOCALHOST, self.config.port).into(), sidecar, ending.clone());
        let public = async {
            match public {
                Some(Public { address, trusted_proxies }) => {
                    let open = Open { app: self.open, step: self.step, peers: Peers { trusted_proxies } };
                    serve_public(address, open, ending.clone()).await
                }
                None => Ok(()),
            }
        };
        tokio::try_join!(sidecar, public).map(drop)
    }
}

async fn serve(address: SocketAddr, app: Router, mut ending: watch::Receiver<bool>) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))?;
    tracing::info!(%address, "listening");
    let listener = listener.tap_io(|connection| {
        // Small answers must not wait for the next one.
        let _ = connection.set_nodelay(true);
    });
    let mut told = ending.clone();
    let served = axum::serve(listener, app).with_graceful_shutdown(async move {
        let _ = told.wait_for(|&end| end).await;
    });
    let late = async {
        let _ = ending.wait_for(|&end| end).await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = served.into_future() => served.context("serve"),
        () = late => {
            tracing::warn!("some requests were still under way");
            Ok(())
        }
    }
}

async fn terminated() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
