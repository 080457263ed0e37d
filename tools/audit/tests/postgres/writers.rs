//! Many writers, two sealers, and a server that is killed in the middle.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use serde_json::json;
use sqlx::PgConnection;
use tokio::{task::JoinSet, time::sleep};
use uuid::Uuid;

use crate::{
    chain::{Chain, KEY, append, entry, seal},
    cluster::Cluster,
};

const WRITERS: u32 = 32;

pub(crate) async fn under_many_writers_and_kills_every_acknowledged_entry_is_sealed(
    cluster: &'static Cluster,
) -> Result<()> {
    let chain: &'static Chain = Box::leak(Box::new(Chain::empty(cluster).await?));
    let done = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        writers.spawn(write(chain, number, Arc::clone(&done)));
    }
    let mut sealers = JoinSet::new();
    for worker in 1..=2 {
        sealers.spawn(seal_on(chain, Uuid::from_u128(worker), Arc::clone(&done)));
    }
    let mut kept = Vec::new();
    for _ in 0..2 {
        sleep(Duration::from_secs(2)).await;
        kept.push(chain.sign(&mut chain.functions().await?, KEY).await?);
        cluster.kill_and_start().await?;
        // It is whole right after the recovery, too, and has what was signed before.
        let report = chain.verify(&kept).await?;
        ensure!(report.is_intact(), "{report:?}");
    }
    sleep(Duration::from_secs(2)).await;
    done.store(true, Ordering::Relaxed);
    let acknowledged: BTreeSet<Uuid> =
        writers.join_all().await.into_iter().collect::<Result<Vec<_>>>()?.concat().into_iter().collect();
    let calls: Vec<u32> = sealers.join_all().await.into_iter().collect::<Result<_>>()?;

    let mut functions = chain.functions().await?;
    // Whose lease it is, and then all that is left.
    sleep(Duration::from_millis(1100)).await;
    for _ in 0..20 {
        seal(&mut functions, Uuid::from_u128(3)).await?;
    }
    let report = chain.verify(&kept).await?;
    ensure!(report.is_intact() && report.waiting == 0, "{report:?}");
    let mut owner = cluster.superuser(&chain.database).await?;
    let sealed: Vec<Uuid> = sqlx::query_scalar("select entry_id from audit.entries").fetch_all(&mut owner).await?;
    let sealed: BTreeSet<Uuid> = sealed.into_iter().collect();
    let lost: Vec<_> = acknowledged.difference(&sealed).collect();
    ensure!(lost.is_empty(), "{} of {} acknowledged entries are lost", lost.len(), acknowledged.len());
    ensure!(acknowledged.len() > 1000, "only {} were acknowledged, {calls:?} seals", acknowledged.len());
    // A document has its entry, and an entry its document, acknowledged or not.
    let apart: i64 = sqlx::query_scalar(
        "select count(*) from (select key from state.state) as document full join \
         (select entity_type || '/' || entity_id as key from audit.entries where entity_type = 'dead-letter') as entry \
         using (key) where document.* is null or entry.* is null",
    )
    .fetch_one(&mut owner)
    .await?;
    ensure!(apart == 0, "{apart} documents or entries stand alone");
    Ok(())
}

/// Writes until it is done; half of it with a document. Answers what was acknowledged.
async fn write(chain: &'static Chain, number: u32, done: Arc<AtomicBool>) -> Result<Vec<Uuid>> {
    let component = if number.is_multiple_of(2) { "state" } else { "functions" };
    let mut acknowledged = Vec::new();
    let mut connection = None;
    while !done.load(Ordering::Relaxed) {
        if connection.is_none() {
            connection = chain.cluster.sidecar(component, &chain.database).await.ok();
        }
        let Some(open) = &mut connection else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let id = Uuid::now_v7();
        let mut entry = entry(number + 1);
        entry["id"] = json!(id);
        let written = if component == "state" { save(open, id, entry).await } else { append(open, &[entry]).await };
        match written {
            Ok(()) => acknowledged.push(id),
            // Whether it took effect is unknown.
            Err(_) => connection = None,
        }
    }
    Ok(acknowledged)
}

/// A document with its entry; this kind needs no projection of the service.
async fn save(state: &mut PgConnection, id: Uuid, mut entry: serde_json::Value) -> sqlx::Result<()> {
    if let Some(entry) = entry.as_object_mut() {
        entry.remove("entity");
    }
    let document = json!({
        "version": 1, "audit": [entry],
        "data": { "topic": "t", "reason": "r", "receivedAt": "2026-11-01T00:00:00Z" },
    });
    sqlx::query("insert into state.state (key, value) values ($1, $2)")
        .bind(format!("dead-letter/{id}"))
        .bind(document.to_string().into_bytes())
        .execute(state)
        .await
        .map(drop)
}

async fn seal_on(chain: &'static Chain, worker: Uuid, done: Arc<AtomicBool>) -> Result<u32> {
    let mut sealed = 0;
    let mut connection = None;
    while !done.load(Ordering::Relaxed) {
        if connection.is_none() {
            connection = chain.functions().await.ok();
        }
        if let Some(open) = &mut connection {
            match seal(open, worker).await {
                Ok(()) => sealed += 1,
                Err(_) => connection = None,
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(sealed)
}
