//! Connections of the administrator, who need not be a superuser.

use std::str::FromStr;

use anyhow::Context;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::Service;

/// Connects to the database that the URL names.
pub(crate) async fn to_server(admin_url: &str) -> anyhow::Result<PgConnection> {
    options(admin_url)?.connect().await.context("cannot connect to the server as its administrator")
}

/// Connects to the service's database and becomes its owner, so that what is made there is the owner's.
pub(crate) async fn to_database(admin_url: &str, service: Service) -> anyhow::Result<PgConnection> {
    let database = service.database();
    let mut connection = options(admin_url)?
        .database(&database)
        .connect()
        .await
        .with_context(|| format!("cannot connect to {database}"))?;
    sqlx::raw_sql(AssertSqlSafe(format!(r#"set role "{}""#, service.owner())))
        .execute(&mut connection)
        .await
        .with_context(|| format!("cannot become the owner of {database}"))?;
    Ok(connection)
}

fn options(admin_url: &str) -> anyhow::Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(admin_url).context("the administrator's URL is not one of PostgreSQL")?;
    // Statements are not logged: some carry passwords.
    Ok(options.application_name("pms-migrate").disable_statement_logging())
}
