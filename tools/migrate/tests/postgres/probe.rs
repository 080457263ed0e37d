//! A service of the tests' own: the foundation and one kind of document, `probe`.

use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::cluster::{Cluster, execute};

const TEMPLATE: &str = "probe-service-db";
const PASSWORD: &str = "of-a-probe";

pub(crate) const PROJECTION: &str = include_str!("probe.sql");

/// Makes the database that every test copies.
pub(crate) async fn make_template(cluster: &Cluster) -> anyhow::Result<()> {
    let mut server = cluster.superuser("postgres").await?;
    for statement in [
        r#"create role "probe-service-owner" nologin"#.to_owned(),
        format!(r#"create role "probe-service-state" login password '{PASSWORD}'"#),
        format!(r#"create role "probe-service-functions" login password '{PASSWORD}'"#),
        format!(r#"create database "{TEMPLATE}" owner "probe-service-owner""#),
    ] {
        execute(&mut server, statement).await?;
    }
    let mut template = cluster.superuser(TEMPLATE).await?;
    execute(&mut template, r#"set role "probe-service-owner""#).await?;
    sqlx::migrate!("./foundation").run(&mut template).await?;
    execute(&mut template, PROJECTION).await?;
    Ok(())
}

/// A copy of the template for one test.
pub(crate) struct Probe {
    cluster: &'static Cluster,
    database: String,
}

impl Probe {
    pub(crate) async fn new(cluster: &'static Cluster) -> anyhow::Result<Self> {
        let database = format!("probe-{}", Uuid::now_v7().simple());
        let mut server = cluster.superuser("postgres").await?;
        execute(&mut server, format!(r#"create database "{database}" template "{TEMPLATE}""#)).await?;
        Ok(Self { cluster, database })
    }

    /// Sees and may do everything.
    pub(crate) async fn owner(&self) -> sqlx::Result<PgConnection> {
        self.cluster.superuser(&self.database).await
    }

    pub(crate) async fn state(&self) -> sqlx::Result<PgConnection> {
        self.cluster.connect("probe-service-state", PASSWORD, &self.database).await
    }

    pub(crate) async fn functions(&self) -> sqlx::Result<PgConnection> {
        self.cluster.connect("probe-service-functions", PASSWORD, &self.database).await
    }
}

/// Everything that a write may leave behind, to be compared before and after.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Traces {
    pub(crate) documents: i64,
    pub(crate) outbox: i64,
    pub(crate) inbox: i64,
    pub(crate) history: i64,
    pub(crate) probes: Value,
}

pub(crate) async fn traces(connection: &mut PgConnection) -> sqlx::Result<Traces> {
    let (documents, outbox, inbox, history, probes) = sqlx::query_as(
        "select (select count(*) from state.state), (select count(*) from document.outbox), \
         (select count(*) from document.inbox), (select count(*) from document.history), \
         (select coalesce(jsonb_agg(to_jsonb(row) order by row.probe_id), '[]') from projection.probes as row)",
    )
    .fetch_one(connection)
    .await?;
    Ok(Traces { documents, outbox, inbox, history, probes })
}

/// A probe's document with this many events.
pub(crate) fn document(version: i64, code: &str, events: usize) -> Value {
    json!({
        "schema": 1,
        "version": version,
        "data": { "code": code },
        "events": (0..events).map(|_| event(code)).collect::<Vec<_>>(),
    })
}

fn event(code: &str) -> Value {
    json!({
        "topic": "probe.changed",
        "partitionKey": code,
        "event": { "specversion": "1.0", "id": Uuid::now_v7(), "type": "probe.changed", "data": { "code": code } },
    })
}
