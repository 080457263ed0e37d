//! Makes a service's projection anew from its documents.

use anyhow::Context;
use sqlx::Connection;

use crate::{Service, connection};

/// Empties every table of schema `projection` and projects every document again, in one transaction:
/// readers see the old tables until the new ones are complete, writers wait.
///
/// The state table is only read. Writing to it would run its trigger and send every event again.
/// Answers how many documents of each kind there are.
pub async fn rebuild(admin_url: &str, service: Service) -> anyhow::Result<Vec<(String, i64)>> {
    let mut database = connection::to_database(admin_url, service).await?;
    let mut transaction = database.begin().await?;
    sqlx::raw_sql(include_str!("sql/rebuild.sql"))
        .execute(&mut *transaction)
        .await
        .with_context(|| format!("the projection of {service} is left as it was"))?;
    let counts = sqlx::query_as(
        "select split_part(key, '/', 1) as kind, count(*) from state.state \
         where split_part(key, '/', 1) <> 'dead-letter' group by kind order by kind",
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    database.close().await?;
    Ok(counts)
}
