//! Our table beside the one that daprd makes when it finds none.

use anyhow::{Context, ensure};
use sqlx::postgres::PgConnection;

use crate::cluster::{Cluster, execute};
use crate::probe::Probe;
use crate::store;

pub(crate) async fn it_is_the_one_that_the_sidecar_would_make(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let mut owner = probe.owner().await?;
    execute(&mut owner, r#"create schema scratch authorization "probe-service-state""#).await?;
    let mut sidecar = probe.state().await?;
    let level = store::start(&mut sidecar, "scratch").await?;
    ensure!(level.is_none(), "a scratch schema has no level: {level:?}");
    store::migrate(&mut sidecar, "scratch").await?;

    for (what, query) in QUERIES {
        for table in ["state", "dapr_metadata"] {
            let ours = describe(&mut owner, query, "state", table).await.context(*what)?;
            let theirs = describe(&mut owner, query, "scratch", table).await.context(*what)?;
            ensure!(!theirs.is_empty(), "{what} of {table}: the query finds nothing");
            ensure!(ours == theirs, "{what} of {table}\n ours: {ours:#?}\n theirs: {theirs:#?}");
        }
    }
    Ok(())
}

const QUERIES: &[(&str, &str)] = &[
    (
        "columns",
        "select concat_ws(' ', ordinal_position, column_name, udt_name, is_nullable, column_default, is_identity, identity_generation) \
         from information_schema.columns where table_schema = $1 and table_name = $2 order by ordinal_position",
    ),
    (
        "constraints",
        "select concat_ws(' ', conname, pg_get_constraintdef(oid)) from pg_constraint \
         where conrelid = format('%I.%I', $1, $2)::regclass order by 1",
    ),
    (
        "indexes",
        "select replace(indexdef, schemaname || '.', '') from pg_indexes \
         where schemaname = $1 and tablename = $2 order by indexname",
    ),
];

async fn describe(
    connection: &mut PgConnection,
    query: &'static str,
    schema: &str,
    table: &str,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(query).bind(schema).bind(table).fetch_all(connection).await
}
