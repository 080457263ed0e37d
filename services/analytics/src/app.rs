//! Wiring: adapters, use cases, routes.

use std::sync::Arc;

use access::AccessTokens;
use runtime::{backlog, readiness::Readiness, server::Server};
use sidecar::{Sidecar, documents::Documents};

use crate::{
    config::Config,
    inbound::{events, grpc, http, reconciliation::Reconciler},
    outbound::{availability::Availability, facts::Facts, replay::Producers, rollups::Rollups},
    service::Figures,
};

/// The service, ready to run.
pub struct App {
    server: Server,
}

impl App {
    /// Connects the parts; needs a runtime, since refreshers begin to work.
    pub fn build(config: &Config) -> anyhow::Result<Self> {
        let sidecar = Sidecar::new(&config.app.sidecar)?;
        let tokens = Arc::new(AccessTokens::default());
        tokio::spawn(access::refresh(Arc::clone(&tokens), sidecar.clone()));
        tokio::spawn(backlog::measure(sidecar.clone()));

        let (facts, rollups) = (Facts::new(sidecar.clone()), Rollups::new(sidecar.clone()));
        let figures = Figures::new(facts, rollups, Availability::new(&sidecar), config.zone.clone());
        tokio::spawn(figures.clone().tell());
        let reconciler = Reconciler::new(figures.clone(), Producers::new(&sidecar));
        tokio::spawn(reconciler.clone().run(config.reconcile_every));

        let readiness = Readiness::of(&sidecar).with_store(&sidecar).needs("access tokens", {
            let tokens = Arc::clone(&tokens);
            move || Box::pin(std::future::ready(tokens.ready()))
        });
        let grpc = grpc::routes(&figures, &reconciler, &tokens)?;
        let routes = http::routes(figures.clone(), tokens)?.merge(events::routes(figures, Documents::silent(sidecar)));
        Ok(Self { server: Server::new(&config.app, readiness, routes, Some(grpc)) })
    }

    /// Serves until the process is told to end.
    pub async fn run(self) -> anyhow::Result<()> {
        self.server.run(None).await
    }
}
