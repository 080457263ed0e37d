//! A chain of a test's own, made by the functions that a service calls.

use anyhow::Result;
use audit::checkpoint::{Checkpoint, Key};
use audit_verifier::{Report, verify};
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::cluster::Cluster;

pub(crate) const SERVICE: &str = "probe";
/// Made for these tests.
pub(crate) const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
                              MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n\
                              -----END PRIVATE KEY-----\n";
/// Of whoever forges.
pub(crate) const OTHER_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
                                    MC4CAQAwBQYDK2VwBCIEIP8BAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n\
                                    -----END PRIVATE KEY-----\n";

pub(crate) struct Chain {
    pub(crate) cluster: &'static Cluster,
    pub(crate) database: String,
}

impl Chain {
    pub(crate) async fn empty(cluster: &'static Cluster) -> Result<Self> {
        Ok(Self { cluster, database: cluster.copy().await? })
    }

    /// Thirty entries, of which every third has no details, with checkpoints at 10, 20 and 30.
    pub(crate) async fn of_thirty(cluster: &'static Cluster) -> Result<Self> {
        let chain = Self::empty(cluster).await?;
        let mut functions = chain.functions().await?;
        for ten in 0..3 {
            append(&mut functions, &(1..=10).map(|one| entry(ten * 10 + one)).collect::<Vec<_>>()).await?;
            seal(&mut functions, Uuid::from_u128(1)).await?;
            chain.sign(&mut functions, KEY).await?;
        }
        Ok(chain)
    }

    pub(crate) async fn functions(&self) -> Result<PgConnection> {
        self.cluster.sidecar("functions", &self.database).await
    }

    pub(crate) async fn sign(&self, functions: &mut PgConnection, key: &str) -> Result<Checkpoint> {
        let head: Value = sqlx::query_scalar("select api.audit_head('{}')").fetch_one(&mut *functions).await?;
        let (position, hash) = (head["position"].as_i64().unwrap_or_default(), head["hash"].as_str());
        let checkpoint = Key::from_pem(key)?.sign(SERVICE, position, hash.unwrap_or_default(), Timestamp::now());
        sqlx::query("select api.audit_checkpoint($1)").bind(json!(checkpoint)).execute(functions).await?;
        Ok(checkpoint)
    }

    /// Does to the tables what only a superuser can.
    pub(crate) async fn tamper(&self, statement: &str) -> Result<u64> {
        let mut owner = self.cluster.superuser(&self.database).await?;
        sqlx::raw_sql("set session_replication_role = replica").execute(&mut owner).await?;
        Ok(sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut owner).await?.rows_affected())
    }

    pub(crate) async fn verify(&self, since: &[Checkpoint]) -> Result<Report> {
        let mut owner = self.cluster.superuser(&self.database).await?;
        verify(&mut owner, SERVICE, &[Key::from_pem(KEY)?.public()], since).await
    }
}

pub(crate) fn entry(number: u32) -> Value {
    let mut entry = json!({
        "id": Uuid::now_v7(), "recorded": Timestamp::now(), "action": "U", "subtype": "user-changed", "outcome": 0,
        "agent": { "who": Uuid::from_u128(number.into()), "role": "admin", "session": Uuid::from_u128(9) },
        "entity": { "type": "user", "id": number.to_string(), "version": number },
        "requestId": format!("r-{number}"), "traceId": format!("{number:032x}"),
    });
    // Some are of a patient and some are not, as in a chain that is older than patients in it.
    if number.is_multiple_of(2) || number == 17 {
        entry["patient"] = json!(Uuid::from_u128(u128::from(number) << 64));
    }
    if !number.is_multiple_of(3) {
        entry["details"] = json!({ "address": "192.0.2.7", "reason": "tëst" });
    }
    entry
}

pub(crate) async fn append(functions: &mut PgConnection, entries: &[Value]) -> sqlx::Result<()> {
    sqlx::query("select api.audit_append($1)").bind(json!({ "entries": entries })).execute(functions).await.map(drop)
}

pub(crate) async fn seal(functions: &mut PgConnection, worker: Uuid) -> sqlx::Result<()> {
    let asked = json!({ "worker": worker, "lease": "1 s", "limit": 500 });
    sqlx::query("select api.audit_seal($1)").bind(asked).execute(functions).await.map(drop)
}
