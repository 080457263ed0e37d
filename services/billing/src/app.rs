//! Wiring: adapters, use cases, routes.

use std::{future, sync::Arc};

use access::AccessTokens;
use audit::Recorder;
use runtime::{backlog, readiness::Readiness, server::Server};
use sidecar::{Sidecar, documents::Documents, outbox::Relay, replay::Told};
use uuid::Uuid;

use crate::{
    APP_ID,
    config::Config,
    inbound::{
        events, grpc,
        http::{self, Viewer},
        reconciliation,
    },
    outbound::{
        accounts::Accounts, claims::Claims, clearinghouse::Clearinghouse, coverages::Coverages, days::Days,
        demographics::Demographics, eligibility::Eligibilities, fees::FeeSchedules, journal::Journal, lists::Lists,
        payers::Payers, remittances::Remittances, replay::Patient, reports::Reports,
    },
    service::{Books, Parts, follow_up},
};

/// The service, ready to run.
pub struct App {
    server: Server,
    recorder: Recorder,
}

impl App {
    /// Connects the parts; needs a runtime, since relay and refreshers begin to work.
    pub fn build(config: &Config) -> anyhow::Result<Self> {
        let sidecar = Sidecar::new(&config.app.sidecar)?;
        let recorder = Recorder::spawn(&sidecar);
        tokio::spawn(audit::seal(sidecar.clone(), APP_ID));
        let relay = Relay::spawn(&sidecar, Uuid::now_v7());
        let tokens = Arc::new(AccessTokens::default());
        tokio::spawn(access::refresh(Arc::clone(&tokens), sidecar.clone()));
        tokio::spawn(backlog::measure(sidecar.clone()));

        let documents = Documents::new(sidecar.clone(), relay);
        let books = Books::new(Parts {
            accounts: Accounts::new(documents.clone()),
            journal: Journal::new(sidecar.clone(), documents.clone()),
            fees: FeeSchedules::new(sidecar.clone(), documents.clone()),
            demographics: Demographics::new(&sidecar),
            lists: Lists::new(sidecar.clone()),
            days: Days::new(sidecar.clone(), documents.clone()),
            reports: Reports::new(sidecar.clone()),
            payers: Payers::new(sidecar.clone(), documents.clone()),
            coverages: Coverages::new(sidecar.clone(), documents.clone()),
            eligibility: Eligibilities::new(sidecar.clone(), documents.clone()),
            claims: Claims::new(sidecar.clone(), documents.clone()),
            clearinghouse: Clearinghouse::new(sidecar.clone()),
            remittances: Remittances::new(sidecar.clone(), documents.clone()),
            settings: config.books.clone(),
        });

        tokio::spawn(follow_up::run(books.clone()));
        tokio::spawn(reconciliation::run(books.clone(), Patient::new(&sidecar), config.reconcile_every));

        let (known, kept) = (Arc::clone(&tokens), recorder.clone());
        let readiness = Readiness::of(&sidecar)
            .with_store(&sidecar)
            .needs("access tokens", move || Box::pin(future::ready(known.ready())))
            .needs("audit", move || Box::pin(future::ready(kept.keeps_up())));
        let grpc = grpc::routes(&books, Told::new(sidecar.clone()), &tokens, &recorder)?;
        let viewer = Viewer { sidecar, recorder: recorder.clone() };
        let routes = http::routes(books.clone(), viewer, tokens)?.merge(events::routes(books, documents));
        let server = Server::new(&config.app, readiness, routes, Some(grpc));
        Ok(Self { server, recorder })
    }

    /// Serves until the process is told to end.
    pub async fn run(self) -> anyhow::Result<()> {
        let served = self.server.run(None).await;
        self.recorder.finish().await;
        served
    }
}
