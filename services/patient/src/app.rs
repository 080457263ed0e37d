//! Wiring: adapters, use cases, routes.

use std::sync::Arc;

use access::AccessTokens;
use runtime::{backlog, readiness::Readiness, server::Server};
use sidecar::{Sidecar, documents::Documents, outbox::Relay};
use uuid::Uuid;

use crate::{
    config::Config,
    inbound::http,
    outbound::{
        appointments::Appointments, billing::BillingAccounts, calendar::Calendars, patients::Patients, records::Records,
    },
    service::{Registry, booking::Bookings, calendar::Calendar, chart::Charts},
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
        let charts = Charts::new(Records::new(sidecar.clone(), documents.clone()));
        let calendar = Arc::new(Calendar::new(Calendars::new(sidecar.clone(), documents.clone())));
        let bookings = Arc::new(Bookings::new(Appointments::new(sidecar.clone(), documents.clone())));
        let patients = Patients::new(sidecar.clone(), documents);
        let registry = Arc::new(Registry::new(patients, BillingAccounts::new(&sidecar)));

        let readiness = Readiness::of(&sidecar).with_store(&sidecar).needs("access tokens", {
            let tokens = Arc::clone(&tokens);
            move || Box::pin(std::future::ready(tokens.ready()))
        });
        let routes = http::routes(registry, charts, calendar, bookings, tokens)?;
        #[cfg(debug_assertions)]
        let routes = if config.ignore_idempotency_keys { http::forgetting_keys(routes) } else { routes };
        Ok(Self { server: Server::new(&config.app, readiness, routes, None) })
    }

    /// Serves until the process is told to end.
    pub async fn run(self) -> anyhow::Result<()> {
        self.server.run(None).await
    }
}
