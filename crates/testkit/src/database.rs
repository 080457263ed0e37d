//! The database of the service under test, past its sidecar.

use anyhow::{Context as _, Result};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::Parts;

/// A connection as the database's administrator.
#[derive(Debug)]
pub struct Database(PgConnection);

impl Parts {
    /// Connects to the service's database.
    pub async fn database(&self) -> Result<Database> {
        let database = self.0.app.database().context("the app has no database")?;
        let postgres = local::Postgres::new(&self.0.home, self.0.reservation.ports.postgres());
        let url = postgres.admin_url(&self.0.secrets.superuser_password);
        let url = format!("{}/{database}", url.rsplit_once('/').context("a URL")?.0);
        Ok(Database(PgConnection::connect(&url).await?))
    }

    /// The rows that a query of the service's database answers, each as a JSON object.
    pub async fn sql(&self, query: &str) -> Result<Vec<Value>> {
        let mut database = self.database().await?;
        let rows = database.ask(query).await?;
        database.0.close().await?;
        Ok(rows)
    }

    /// Has a statement take effect, for what no request brings about.
    pub async fn execute(&self, statement: &str) -> Result<()> {
        let mut database = self.database().await?;
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut database.0).await?;
        database.0.close().await?;
        Ok(())
    }
}

impl Database {
    /// The rows that a query answers, each as a JSON object.
    pub async fn ask(&mut self, query: &str) -> Result<Vec<Value>> {
        let query = AssertSqlSafe(format!("select to_jsonb(answer) from ({query}) as answer"));
        Ok(sqlx::query_scalar(query).fetch_all(&mut self.0).await?)
    }

    /// Has a statement take effect, with texts for `$1` and so on; answers the constraint that refused it, if one did.
    pub async fn change(&mut self, statement: &'static str, texts: &[&str]) -> Result<Option<String>> {
        let query = texts.iter().fold(sqlx::query(statement), |query, text| query.bind(*text));
        match query.execute(&mut self.0).await {
            Ok(_) => Ok(None),
            Err(sqlx::Error::Database(refused)) if refused.constraint().is_some() => {
                Ok(refused.constraint().map(str::to_owned))
            }
            Err(error) => Err(error.into()),
        }
    }
}
