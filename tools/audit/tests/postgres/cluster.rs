//! The server, with the databases as the services have them.

use std::time::Duration;

use anyhow::{Context as _, Result};
use local::{Home, Postgres, Reservation, Secrets, Signal, broker, postgres::Shutdown};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;

/// Is copied for each test.
const TEMPLATE: &str = "auth-service-db";

pub(crate) struct Cluster {
    pub(crate) home: Home,
    secrets: Secrets,
    postgres: Postgres,
    port: u16,
    _reservation: Reservation,
    _folder: TempDir,
}

impl Cluster {
    pub(crate) async fn start() -> Result<Self> {
        let folder = TempDir::with_prefix("pms-audit-")?;
        let home = Home::create(folder.path())?;
        let reservation = Reservation::take()?;
        let ports = reservation.ports;
        let secrets = Secrets::prepare(&home, ports, broker::Kind::Kafka)?;
        let postgres = Postgres::new(&home, ports.postgres());
        postgres.start(&secrets.superuser_password).await?;
        local::system::migrate(&postgres, &secrets).await?;
        Ok(Self { home, secrets, postgres, port: ports.postgres(), _reservation: reservation, _folder: folder })
    }

    pub(crate) async fn stop(&self) -> Result<()> {
        local::postgres::stop(&self.home, Shutdown::Immediate).await?;
        local::postgres::remove_data(&self.home)?;
        Ok(std::fs::remove_dir_all(self.home.root())?)
    }

    /// As `kill -9` of all its processes, and the start that recovers.
    pub(crate) async fn kill_and_start(&self) -> Result<()> {
        let process = self.postgres.process().context("the server does not run")?;
        process.end(Signal::KILL, Duration::from_secs(5)).await;
        self.postgres.start(&self.secrets.superuser_password).await?;
        Ok(())
    }

    pub(crate) async fn copy(&self) -> Result<String> {
        let database = format!("copy-{}-service-db", uuid::Uuid::now_v7().simple());
        let statement = AssertSqlSafe(format!("create database \"{database}\" template \"{TEMPLATE}\""));
        sqlx::raw_sql(statement).execute(&mut self.superuser("postgres").await?).await?;
        Ok(database)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, database: &str) -> String {
        let password = &self.secrets.superuser_password;
        format!("postgres://postgres:{password}@127.0.0.1:{}/{database}", self.port)
    }

    pub(crate) async fn superuser(&self, database: &str) -> Result<PgConnection> {
        self.connect("postgres", &self.secrets.superuser_password, database).await
    }

    /// As the sidecar's component does: `state` or `functions`.
    pub(crate) async fn sidecar(&self, component: &str, database: &str) -> Result<PgConnection> {
        let role = format!("auth-service-{component}");
        let password = self.secrets.role_password(&role).context("no password")?;
        self.connect(&role, password, database).await
    }

    async fn connect(&self, user: &str, password: &str, database: &str) -> Result<PgConnection> {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(self.port);
        let options = options.username(user).password(password).database(database);
        Ok(options.disable_statement_logging().connect().await?)
    }
}
