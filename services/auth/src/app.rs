//! Wiring: adapters, use cases, routes.

use std::{future, sync::Arc, thread};

use access::AccessTokens;
use audit::Recorder;
use runtime::{readiness::Readiness, server::Server};
use sidecar::{Sidecar, documents::Documents};

use crate::{
    APP_ID,
    config::Config,
    inbound::http::{self, Viewer},
    outbound::{secrets::Secrets, sessions::Sessions, throttle::Throttle, users::Users},
    service::{Directory, hashing::Hashing, sessions, start},
};

/// The service, ready to run.
pub struct App {
    server: Server,
    recorder: Recorder,
}

impl App {
    /// Connects the parts; needs a runtime, since the preparation begins at once and ends while the service listens.
    pub fn build(config: &Config) -> anyhow::Result<Self> {
        let sidecar = Sidecar::new(&config.app.sidecar)?;
        let recorder = Recorder::spawn(&sidecar);
        tokio::spawn(audit::seal(sidecar.clone(), APP_ID));
        // One core is left for everything else.
        let cores = thread::available_parallelism()?.get().saturating_sub(1).max(1);
        let documents = Documents::silent(sidecar.clone());
        let (users, sessions) =
            (Users::new(sidecar.clone(), documents.clone()), Sessions::new(sidecar.clone(), documents));
        let throttle = Throttle::new(sidecar.clone());
        let directory =
            Directory::new(users, sessions, throttle, Hashing::new(cores), recorder.clone(), config.factor_required);
        let directory = Arc::new(directory);
        if !config.factor_required {
            tracing::warn!("MFA_REQUIRED is false: administrators and privacy officers sign in with a password alone");
        }
        let tokens = Arc::new(AccessTokens::default());
        tokio::spawn(start::prepare(Arc::clone(&directory), Arc::clone(&tokens), Secrets::new(sidecar.clone())));
        tokio::spawn(sessions::keep_ended(Arc::clone(&directory), Arc::clone(&tokens)));

        let (key, sealing, administrator) = (Arc::clone(&directory), Arc::clone(&directory), Arc::clone(&directory));
        let readiness = Readiness::of(&sidecar)
            .with_store(&sidecar)
            .needs("signing key", move || Box::pin(future::ready(key.signing_key().is_some())))
            .needs("sealing key", move || Box::pin(future::ready(sealing.sealing_key().is_some())))
            .needs("administrator", move || Box::pin(future::ready(administrator.administrator_settled())));
        let viewer = Viewer { sidecar, recorder: recorder.clone() };
        let routes = http::routes(directory, viewer, tokens)?;
        Ok(Self { server: Server::new(&config.app, readiness, routes, None), recorder })
    }

    /// Serves until the process is told to end.
    pub async fn run(self) -> anyhow::Result<()> {
        let served = self.server.run(None).await;
        self.recorder.finish().await;
        served
    }
}
