//! Wiring: adapters, use cases, routes.

use std::{future, sync::Arc};

use access::AccessTokens;
use audit::Recorder;
use contracts::{
    DESCRIPTORS,
    patient::v1::{
        availability_server::AvailabilityServer, demographics_server::DemographicsServer, replay_server::ReplayServer,
    },
};
use runtime::{backlog, grpc::Services, readiness::Readiness, server::Server};
use sidecar::{Sidecar, documents::Documents, outbox::Relay, replay::Told};
use uuid::Uuid;

use crate::{
    APP_ID,
    config::Config,
    inbound::{
        grpc,
        http::{self, UseCases, Viewer},
        tick,
    },
    outbound::{
        appointments::Appointments, billing::BillingAccounts, calendar::Calendars, patients::Patients,
        records::Records, reminders::Reminders,
    },
    service::{Registry, booking::Bookings, calendar::Calendar, chart::Charts, summary::Summaries},
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
        let records = Records::new(sidecar.clone(), documents.clone());
        let charts = Charts::new(records.clone());
        let calendar = Arc::new(Calendar::new(Calendars::new(sidecar.clone(), documents.clone())));
        let bookings = Arc::new(Bookings::new(Appointments::new(sidecar.clone(), documents.clone()), records));
        let reminders = config.reminder_binding.as_ref();
        let reminders = reminders.map(|name| Reminders::new(sidecar.clone(), documents.clone(), name.clone()));
        let patients = Patients::new(sidecar.clone(), documents);
        let registry = Arc::new(Registry::new(patients, BillingAccounts::new(&sidecar)));

        let (known, kept) = (Arc::clone(&tokens), recorder.clone());
        let readiness = Readiness::of(&sidecar)
            .with_store(&sidecar)
            .needs("access tokens", move || Box::pin(future::ready(known.ready())))
            .needs("audit", move || Box::pin(future::ready(kept.keeps_up())));
        let summaries = Summaries::new(&sidecar)?;
        let demographics =
            grpc::demographics::Demographics::new(Arc::clone(&registry), Arc::clone(&tokens), recorder.clone())?;
        let replay = grpc::replay::Replay::new(Told::new(sidecar.clone()));
        let grpc = Services::described_by(DESCRIPTORS)
            .serve(DemographicsServer::new(demographics))
            .serve(ReplayServer::new(replay))
            .serve(AvailabilityServer::new(grpc::availability::Availability::new(Arc::clone(&calendar))))
            .finish()?;
        let viewer = Viewer { sidecar, recorder: recorder.clone() };
        let tick = tick::routes(Arc::clone(&bookings), reminders);
        let use_cases = UseCases { registry, charts, calendar, bookings, summaries };
        let routes = http::routes(use_cases, viewer, tokens)?;
        #[cfg(debug_assertions)]
        let routes = if config.ignore_idempotency_keys { http::forgetting_keys(routes) } else { routes };
        Ok(Self { server: Server::new(&config.app, readiness, routes.merge(tick), Some(grpc)), recorder })
    }

    /// Serves until the process is told to end.
    pub async fn run(self) -> anyhow::Result<()> {
        let served = self.server.run(None).await;
        self.recorder.finish().await;
        served
    }
}
