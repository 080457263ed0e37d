//! Wiring: adapters, use cases, routes.

use std::sync::Arc;

use access::AccessTokens;
use contracts::billing::v1::accounts_server::AccountsServer;
use runtime::{backlog, readiness::Readiness, server::Server};
use sidecar::{Sidecar, documents::Documents, outbox::Relay};
use tonic::service::Routes;
use uuid::Uuid;

use crate::{
    config::Config,
    inbound::{events, grpc},
    outbound::accounts::Accounts,
    service::Books,
};

/// The service, ready to run.
pub struct App {
    server: Server,
}

impl App {
    /// Connects the parts; needs a runtime, since relay and refreshers begin to work.
    pub fn build(config: &Config) -> anyhow::Result<Self> {
        let sidecar = Sidecar::new(&config.app.sidecar)?;
        let relay = Relay::spawn(&sidecar, Uuid::now_v7());
        let tokens = Arc::new(AccessTokens::default());
        tokio::spawn(access::refresh(Arc::clone(&tokens), sidecar.clone()));
        tokio::spawn(backlog::measure(sidecar.clone()));

        let documents = Documents::new(sidecar.clone(), relay);
        let books = Books::new(Accounts::new(documents.clone()));

        let readiness = Readiness::of(&sidecar).with_store(&sidecar).needs("access tokens", {
            let tokens = Arc::clone(&tokens);
            move || Box::pin(std::future::ready(tokens.ready()))
        });
        let grpc = Routes::new(AccountsServer::new(grpc::accounts::Accounts::new(books.clone(), tokens)?));
        Ok(Self { server: Server::new(&config.app, readiness, events::routes(books, documents), Some(grpc)) })
    }

    /// Serves until the process is told to end.
    pub async fn run(self) -> anyhow::Result<()> {
        self.server.run(None).await
    }
}
