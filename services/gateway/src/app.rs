//! Wiring: adapters, routes.

use std::sync::Arc;

use access::AccessTokens;
use runtime::{
    readiness::Readiness,
    server::{Public, Server},
};
use sidecar::Sidecar;

use crate::{
    config::Config,
    inbound::http::{
        self,
        headers::{Cors, Headers},
        limits::{AtTheDoor, Limits},
        web::Web,
    },
};

/// The service, ready to run.
pub struct App {
    server: Server<(Headers, Cors, AtTheDoor)>,
    public: Public,
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
        let limits = Arc::new(Limits::new(&config.limits));
        tokio::spawn(Arc::clone(&limits).sweep());
        let web = config.web_directory.as_deref().map(Web::read).transpose()?.unwrap_or_default();
        let routes = http::routes(&sidecar, tokens, &limits, &web)?;
        let first = (Headers, Cors::of(&config.cors_origins), AtTheDoor(limits));
        let server = Server::new(&config.app, readiness, routes, None).behind(first);
        Ok(Self { server, public: config.public })
    }

    /// Serves until the process is told to end.
    pub async fn run(self) -> anyhow::Result<()> {
        self.server.run(Some(self.public)).await
    }
}
