//! What stands under all services, taken away and brought back by a test.

use anyhow::{Context as _, Result};

use crate::{
    broker::Broker,
    postgres::{self, Postgres, Shutdown},
    process::Process,
    secrets::Secrets,
    system::System,
};

impl System {
    /// The database cluster.
    pub fn postgres(&self) -> Postgres {
        Postgres::new(self.home(), self.ports().postgres())
    }

    /// Ends PostgreSQL as a loss of power would.
    pub async fn kill_postgres(&self) -> Result<()> {
        postgres::stop(self.home(), Shutdown::Immediate).await
    }

    /// Starts PostgreSQL, unless it runs.
    pub async fn start_postgres(&self) -> Result<Process> {
        let secrets = Secrets::read(self.home())?.context("the system has no secrets")?;
        self.postgres().start(&secrets.superuser_password).await
    }

    /// Kills the broker.
    pub async fn kill_broker(&self) -> Result<()> {
        self.broker_server().kill().await
    }

    /// Starts the broker, unless it runs.
    pub async fn start_broker(&self) -> Result<Process> {
        self.broker_server().start().await
    }

    /// The first processes of everything that stands under all services.
    pub fn foundation(&self) -> Vec<(&'static str, Process)> {
        let sentry = Process::recorded(self.home(), "sentry");
        [
            ("postgres", self.postgres().process()),
            (self.broker().id(), self.broker_server().process()),
            ("sentry", sentry),
        ]
        .into_iter()
        .filter_map(|(name, process)| Some((name, process?)))
        .collect()
    }

    pub(crate) fn broker_server(&self) -> Broker {
        Broker::new(self.broker(), self.home(), self.ports(), self.broker_files())
    }
}
