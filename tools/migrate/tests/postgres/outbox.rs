//! The functions of the sweeper and of the operator.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::cluster::{Cluster, execute};
use crate::probe::{Probe, document};
use crate::store;

pub(crate) async fn a_worker_passes_over_what_another_is_claiming(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = with_events(cluster, 30).await?;
    let (mut one, mut other) = (probe.functions().await?, probe.functions().await?);
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let mut transaction = one.begin().await?;
    claim(&mut transaction, first, 10, "30 s").await?;
    // Not yet committed: whoever waited for the locks would run into the timeout.
    tokio::time::timeout(Duration::from_secs(2), claim(&mut other, second, 10, "30 s"))
        .await
        .context("it waited")??;
    transaction.commit().await?;
    let (mine, theirs) = (claimed(&mut one, first).await?, claimed(&mut other, second).await?);
    ensure!((mine.len(), theirs.len()) == (10, 10), "{} and {}", mine.len(), theirs.len());
    ensure!(ids(&mine)?.is_disjoint(&ids(&theirs)?), "one event, two workers");
    Ok(())
}

pub(crate) async fn workers_share_the_backlog_without_overlap(cluster: &'static Cluster) -> anyhow::Result<()> {
    const EVENTS: usize = 400;
    let probe = with_events(cluster, EVENTS).await?;
    let (mut one, mut other) = (probe.functions().await?, probe.functions().await?);
    let (mine, theirs) = tokio::try_join!(sweep(&mut one), sweep(&mut other))?;
    ensure!(!mine.is_empty() && !theirs.is_empty(), "{} and {}: one did all the work", mine.len(), theirs.len());
    ensure!(mine.is_disjoint(&theirs), "one event, two workers");
    ensure!(mine.len() + theirs.len() == EVENTS, "{} and {}", mine.len(), theirs.len());
    ensure!(backlog(&mut one).await?["outboxDepth"] == 0, "something is left");
    Ok(())
}

pub(crate) async fn a_lease_that_ran_out_is_claimed_again(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = with_events(cluster, 5).await?;
    let mut connection = probe.functions().await?;
    let (dead, alive) = (Uuid::now_v7(), Uuid::now_v7());
    claim(&mut connection, dead, 10, "0.3 s").await?;
    ensure!(claimed(&mut connection, dead).await?.len() == 5, "not claimed");
    claim(&mut connection, alive, 10, "30 s").await?;
    ensure!(claimed(&mut connection, alive).await?.is_empty(), "claimed under another's lease");
    tokio::time::sleep(Duration::from_millis(350)).await;
    ensure!(claimed(&mut connection, dead).await?.is_empty(), "held after the lease");
    claim(&mut connection, alive, 10, "30 s").await?;
    ensure!(claimed(&mut connection, alive).await?.len() == 5, "not claimed again");
    Ok(())
}

pub(crate) async fn a_young_event_is_left_to_its_writer(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = with_events(cluster, 3).await?;
    let mut connection = probe.functions().await?;
    let worker = Uuid::now_v7();
    let claim = json!({ "worker": worker, "limit": 10, "olderThan": "10 s", "lease": "30 s" });
    sqlx::query("select api.outbox_claim($1)").bind(&claim).execute(&mut connection).await?;
    ensure!(claimed(&mut connection, worker).await?.is_empty(), "claimed before its time");
    execute(
        &mut probe.owner().await?,
        "update document.outbox set created_at = created_at - interval '11 s' \
         where event_id = (select event_id from document.outbox limit 1)",
    )
    .await?;
    sqlx::query("select api.outbox_claim($1)").bind(&claim).execute(&mut connection).await?;
    let held = claimed(&mut connection, worker).await?;
    ensure!(held.len() == 1, "{held:?}");
    let fields: BTreeSet<&str> = held[0].as_object().context("an object")?.keys().map(String::as_str).collect();
    ensure!(fields == BTreeSet::from(["event", "partitionKey", "topic"]), "{fields:?}");
    Ok(())
}

pub(crate) async fn the_backlog_is_told(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let mut connection = probe.functions().await?;
    let told = backlog(&mut connection).await?;
    ensure!(told == json!({ "outboxDepth": 0, "outboxAgeSeconds": 0, "deadLetters": 0 }), "{told}");

    let mut sidecar = probe.state().await?;
    store::first_write(&mut sidecar, "probe/1", &document(1, "red", 3)).await?;
    store::first_write(&mut sidecar, "dead-letter/1", &dead_letter("2026-11-01T00:00:00Z")).await?;
    execute(&mut probe.owner().await?, "update document.outbox set created_at = created_at - interval '90 s'").await?;
    let told = backlog(&mut connection).await?;
    let age = told["outboxAgeSeconds"].as_f64().context("a number")?;
    ensure!((90.0..100.0).contains(&age), "{told}");
    ensure!(told["outboxDepth"] == 3 && told["deadLetters"] == 1, "{told}");
    Ok(())
}

pub(crate) async fn dead_letters_page_by_key(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let mut sidecar = probe.state().await?;
    // Ten at each of two moments: a page ends amid equal times.
    for index in 0..20 {
        let received = format!("2026-11-0{}T00:00:00.000007Z", 2 - index / 10);
        store::first_write(&mut sidecar, &format!("dead-letter/{index:02}"), &dead_letter(&received)).await?;
    }
    let mut connection = probe.functions().await?;
    let mut after = Value::Null;
    let mut seen = Vec::new();
    loop {
        let page: Value = sqlx::query_scalar("select api.dead_letters($1)")
            .bind(json!({ "after": after, "limit": 7 }))
            .fetch_one(&mut connection)
            .await?;
        let page = page.as_array().context("an array")?;
        ensure!(page.len() <= 7, "{page:?}");
        let Some(last) = page.last() else { break };
        after = json!({ "receivedAt": last["receivedAt"], "id": last["id"] });
        seen.extend(page.iter().map(|letter| letter["id"].as_str().unwrap_or_default().to_owned()));
    }
    let expected: Vec<String> = (10..20).chain(0..10).map(|index| format!("{index:02}")).collect();
    ensure!(seen == expected, "{seen:?}");

    // The page is found by the index, not by reading all that came before.
    let mut owner = probe.owner().await?;
    execute(&mut owner, "set enable_seqscan = off").await?;
    let plan: Vec<String> = sqlx::query_scalar(
        "explain select * from document.dead_letters where (received_at, dead_letter_id) > \
         (coalesce(('{}'::jsonb #>> '{after,receivedAt}')::timestamptz, '-infinity'), coalesce('{}'::jsonb #>> '{after,id}', '')) \
         order by received_at, dead_letter_id limit 7",
    )
    .fetch_all(&mut owner)
    .await?;
    ensure!(plan.iter().any(|line| line.contains("Index Cond")), "{plan:#?}");
    Ok(())
}

async fn with_events(cluster: &'static Cluster, count: usize) -> anyhow::Result<Probe> {
    let probe = Probe::new(cluster).await?;
    store::first_write(&mut probe.state().await?, "probe/1", &document(1, "red", count)).await?;
    Ok(probe)
}

fn dead_letter(received: &str) -> Value {
    json!({ "version": 1, "data": { "topic": "probe.changed", "reason": "undecodable", "receivedAt": received } })
}

/// Claims, "publishes" and deletes until nothing is left; answers what it published.
async fn sweep(connection: &mut PgConnection) -> anyhow::Result<BTreeSet<String>> {
    let worker = Uuid::now_v7();
    let mut published = BTreeSet::new();
    loop {
        claim(connection, worker, 20, "30 s").await?;
        let held = ids(&claimed(connection, worker).await?)?;
        ensure!(held.len() <= 20, "{} claimed", held.len());
        if held.is_empty() {
            return Ok(published);
        }
        sqlx::query("select api.outbox_delete($1)").bind(json!({ "ids": held })).execute(&mut *connection).await?;
        for id in held {
            ensure!(published.insert(id), "the same event twice");
        }
    }
}

async fn claim(connection: &mut PgConnection, worker: Uuid, limit: i32, lease: &str) -> anyhow::Result<()> {
    sqlx::query("select api.outbox_claim($1)")
        .bind(json!({ "worker": worker, "limit": limit, "olderThan": "0 s", "lease": lease }))
        .execute(connection)
        .await?;
    Ok(())
}

async fn claimed(connection: &mut PgConnection, worker: Uuid) -> anyhow::Result<Vec<Value>> {
    let held: Value = sqlx::query_scalar("select api.outbox_claimed($1)")
        .bind(json!({ "worker": worker }))
        .fetch_one(connection)
        .await?;
    Ok(held.as_array().context("an array")?.clone())
}

async fn backlog(connection: &mut PgConnection) -> anyhow::Result<Value> {
    Ok(sqlx::query_scalar("select api.backlog('{}')").fetch_one(connection).await?)
}

fn ids(events: &[Value]) -> anyhow::Result<BTreeSet<String>> {
    events.iter().map(|row| Ok(row["event"]["id"].as_str().context("an id")?.to_owned())).collect()
}
