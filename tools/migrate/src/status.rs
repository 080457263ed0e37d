//! Which migrations a database has, and which it lacks.

use std::fmt;

use anyhow::Context;
use sqlx::Connection;

use crate::{Service, connection, schema};

/// What one service's database has of what this build knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whose database it is.
    pub service: Service,
    /// Versions that ran, oldest first.
    pub applied: Vec<i64>,
    /// Versions that this build knows and the database lacks.
    pub pending: Vec<i64>,
    /// Versions that ran and that this build does not know: the schema is newer.
    pub unknown: Vec<i64>,
}

/// Tells of every service's database; one that does not exist has everything pending.
pub async fn status(admin_url: &str) -> anyhow::Result<Vec<Status>> {
    let mut server = connection::to_server(admin_url).await?;
    let databases: Vec<String> =
        sqlx::query_scalar("select datname::text from pg_database").fetch_all(&mut server).await?;
    server.close().await?;

    let mut all = Vec::new();
    for service in Service::ALL {
        let exists = databases.contains(&service.database());
        let ran = if exists { versions(admin_url, service).await? } else { Vec::new() };
        let known: Vec<i64> = schema::migrator(service).iter().map(|migration| migration.version).collect();
        let (applied, unknown) = ran.iter().partition(|version| known.contains(version));
        let pending = known.into_iter().filter(|version| !ran.contains(version)).collect();
        all.push(Status { service, applied, pending, unknown });
    }
    Ok(all)
}

async fn versions(admin_url: &str, service: Service) -> anyhow::Result<Vec<i64>> {
    let mut database = connection::to_database(admin_url, service).await?;
    // A preparation that was interrupted may have left a database without the table.
    let begun: bool =
        sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null").fetch_one(&mut database).await?;
    let versions = if begun {
        sqlx::query_scalar("select version from _sqlx_migrations order by version")
            .fetch_all(&mut database)
            .await
            .with_context(|| format!("cannot read the versions of {}", service.database()))?
    } else {
        Vec::new()
    };
    database.close().await?;
    Ok(versions)
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} applied", self.service.database(), self.applied.len())?;
        if let Some(newest) = self.applied.last() {
            write!(formatter, " (newest {newest})")?;
        }
        for (word, versions) in [("pending", &self.pending), ("unknown to this build", &self.unknown)] {
            if !versions.is_empty() {
                write!(formatter, ", {word}: {versions:?}")?;
            }
        }
        Ok(())
    }
}
