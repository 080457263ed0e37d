//! Wiring: adapters, use cases, routes.

use std::{future, sync::Arc, thread};

use access::AccessTokens;
use runtime::{readiness::Readiness, server::Server};
use sidecar::{Sidecar, documents::Documents};

use crate::{
    config::Config,
    inbound::http,
    outbound::{secrets::Secrets, sessions::Sessions, throttle::Throttle, users::Users},
    service::{Directory, hashing::Hashing, start},
};

/// The service, ready to run.
pub struct App {
    server: Server,
}

impl App {
    /// Connects the parts; needs a runtime, since the preparation begins at once and ends while the service listens.
    pub fn build(config: &Config) -> anyhow::Result<Self> {
        let sidecar = Sidecar::new(&config.app.sidecar)?;
        // One core is left for everything else.
        let cores = thread::available_parallelism()?.get().saturating_sub(1).max(1);
        let documents = Documents::silent(sidecar.clone());
        let (users, sessions) =
            (Users::new(sidecar.clone(), documents.clone()), Sessions::new(sidecar.clone(), documents));
        let directory = Arc::new(Directory::new(users, sessions, Throttle::new(sidecar.clone()), Hashing::new(cores)));
        let tokens = Arc::new(AccessTokens::default());
        tokio::spawn(start::prepare(Arc::clone(&directory), Arc::clone(&tokens), Secrets::new(sidecar.clone())));
        tokio::spawn(access::refresh(Arc::clone(&tokens), sidecar.clone()));

        let (key, sealing, administrator) = (Arc::clone(&directory), Arc::clone(&directory), Arc::clone(&directory));
        let readiness = Readiness::of(&sidecar)
            .with_store(&sidecar)
            .needs("signing key", move || Box::pin(future::ready(key.signing_key().is_some())))
            .needs("sealing key", move || Box::pin(future::ready(sealing.sealing_key().is_some())))
            .needs("administrator", move || Box::pin(future::ready(administrator.administrator_settled())));
        Ok(Self { server: Server::new(&config.app, readiness, http::routes(directory, tokens)?, None) })
    }

    /// Serves until the process is told to end.
    pub async fn run(self) -> anyhow::Result<()> {
        self.server.run(None).await
    }
}
