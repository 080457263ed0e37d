//! Brings the server to what this build needs: roles, databases, schemas.

use anyhow::Context;
use futures::future::{BoxFuture, try_join_all};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use crate::{Service, connection, schema};

/// A service's database and the passwords of the two roles that its sidecar signs in with.
#[derive(Debug, Clone)]
pub struct Target {
    /// Whose database it is.
    pub service: Service,
    /// Of the role behind the component `statestore`.
    pub state_password: SecretString,
    /// Of the role behind the component `functions`.
    pub functions_password: SecretString,
}

/// Prepares the databases of `targets`, all at the same time.
///
/// The passwords are set each time, so a changed secret takes effect here.
/// A database whose schema is newer than this build is refused.
pub async fn prepare(admin_url: &str, targets: &[Target]) -> anyhow::Result<()> {
    try_join_all(targets.iter().map(|target| prepare_one(admin_url, target))).await?;
    Ok(())
}

/// Boxed, because the compiler cannot tell by itself that these futures may change threads.
fn prepare_one<'a>(admin_url: &'a str, target: &'a Target) -> BoxFuture<'a, anyhow::Result<()>> {
    Box::pin(async move {
        make_roles_and_database(admin_url, target).await?;
        let service = target.service;
        let mut database = connection::to_database(admin_url, service).await?;
        // What `run` calls; that one is not known to be `Send` for a borrowed connection.
        schema::migrator(service)
            .run_direct(None, &mut database, false)
            .await
            .map_err(|error| schema::explain(service, error))?;
        database.close().await?;
        Ok(())
    })
}

async fn make_roles_and_database(admin_url: &str, target: &Target) -> anyhow::Result<()> {
    let service = target.service;
    let mut server = connection::to_server(admin_url).await?;
    lock(&mut server, service).await?;
    make_roles(&mut server, target).await.with_context(|| format!("cannot make the roles of {service}"))?;
    make_database(&mut server, service).await.with_context(|| format!("cannot make {}", service.database()))?;
    // The lock goes with its connection.
    server.close().await?;
    Ok(())
}

/// Two preparations of one service take turns; those of different services do not meet.
async fn lock(server: &mut PgConnection, service: Service) -> anyhow::Result<()> {
    sqlx::query("select pg_advisory_lock(hashtextextended($1, 0))").bind(service.database()).execute(server).await?;
    Ok(())
}

async fn make_roles(server: &mut PgConnection, target: &Target) -> anyhow::Result<()> {
    sqlx::query(
        "select set_config('prepare.service', $1, false), set_config('prepare.state_password', $2, false), \
         set_config('prepare.functions_password', $3, false)",
    )
    .bind(target.service.name())
    .bind(target.state_password.expose_secret())
    .bind(target.functions_password.expose_secret())
    .execute(&mut *server)
    .await?;
    sqlx::raw_sql(include_str!("sql/roles.sql")).execute(server).await?;
    Ok(())
}

async fn make_database(server: &mut PgConnection, service: Service) -> anyhow::Result<()> {
    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(service.database())
        .fetch_one(&mut *server)
        .await?;
    if !exists {
        // Documents are UTF-8; template0 allows that whatever the server's own encoding is.
        let statement = format!(
            r#"create database "{}" owner "{}" template template0 encoding 'UTF8'"#,
            service.database(),
            service.owner()
        );
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(server).await?;
    }
    Ok(())
}
