//! Wiring: adapters, routes.

use std::{net::SocketAddr, sync::Arc};

use access::AccessTokens;
use runtime::{readiness::Readiness, server::Server};
use sidecar::Sidecar;

use crate::{config::Config, inbound::http};

/// The service, ready to run.
pub struct App {
    server: Server,
    public_address: SocketAddr,
}

impl App {
    /// Connects the parts; needs a runtime, since the refresher begins to work.
    pub fn build(config: &Config) -> anyhow::Result<Self> {
        let sidecar = Sidecar::new(&config.app.sidecar)?;
        let tokens = Arc::new(AccessTokens::default());
        tokio::spawn(access::refresh(Arc::clone(&tokens), sidecar.clone()));
        let readiness = Readiness::of(&sidecar).needs("access tokens", {
            let tokens = Arc::clone(&tokens);
            move || Box::pin(std::future::ready(tokens.ready()))
        });
        let server = Server::new(&config.app, readiness, http::routes(&sidecar, tokens)?, None);
        Ok(Self { server, public_address: config.public_address })
    }

    /// Serves until the process is told to end.
    pub async fn run(self) -> anyhow::Result<()> {
        self.server.run(Some(self.public_address)).await
    }
}
