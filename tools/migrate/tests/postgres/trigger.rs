//! One write, one transaction: document, events, history and projection agree, or nothing is written.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::cluster::{Cluster, execute, refusal};
use crate::probe::{Probe, document, traces};
use crate::store;

pub(crate) async fn a_write_leaves_its_events_and_its_projection(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut sidecar, mut owner) = (probe.state().await?, probe.owner().await?);
    let written = document(1, "red", 2);
    ensure!(store::first_write(&mut sidecar, "probe/a/b", &written).await? == 1, "not written");

    let rows: Vec<(String, String, Value)> =
        sqlx::query_as("select topic, partition_key, event::jsonb from document.outbox order by created_at")
            .fetch_all(&mut owner)
            .await?;
    let events: Vec<Value> = rows.iter().map(|(_, _, event)| event.clone()).collect();
    let expected: Vec<Value> = (0..2).map(|index| written["events"][index]["event"].clone()).collect();
    ensure!(events == expected, "{events:?}");
    ensure!(rows.iter().all(|(topic, key, _)| topic == "probe.changed" && key == "red"), "{rows:?}");
    let left = traces(&mut owner).await?;
    ensure!(left.probes[0]["probe_id"] == "a/b" && left.probes[0]["code"] == "red", "{left:?}");
    ensure!((left.history, left.inbox) == (0, 0), "{left:?}");
    Ok(())
}

pub(crate) async fn a_refused_first_write_leaves_nothing(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut sidecar, mut owner) = (probe.state().await?, probe.owner().await?);
    store::first_write(&mut sidecar, "probe/1", &document(1, "red", 1)).await?;
    let before = traces(&mut owner).await?;
    // daprd sends a transaction of one operation without BEGIN, so nothing would roll it back.
    ensure!(store::first_write(&mut sidecar, "probe/1", &document(1, "blue", 1)).await? == 0, "it was written");
    ensure!(traces(&mut owner).await? == before, "a refused write left something");
    Ok(())
}

/// The same with the trigger that this must never become, so that the test above is known to be able to fail.
pub(crate) async fn a_before_trigger_would_let_a_refused_first_write_leave_an_event(
    cluster: &'static Cluster,
) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut sidecar, mut owner) = (probe.state().await?, probe.owner().await?);
    store::first_write(&mut sidecar, "probe/1", &document(1, "red", 1)).await?;
    let definition: String =
        sqlx::query_scalar("select pg_get_functiondef('document.keep()'::regprocedure)").fetch_one(&mut owner).await?;
    execute(&mut owner, definition.replace("return null;", "return new;")).await?;
    execute(
        &mut owner,
        "drop trigger keep on state.state; create trigger keep before insert or update of value on state.state \
         for each row execute function document.keep()",
    )
    .await?;
    let before = traces(&mut owner).await?;
    ensure!(store::first_write(&mut sidecar, "probe/1", &document(1, "blue", 1)).await? == 0, "it was written");
    let after = traces(&mut owner).await?;
    ensure!(after.outbox == before.outbox + 1, "{after:?}");
    ensure!(after.probes[0]["code"] == "blue", "{after:?}");
    Ok(())
}

pub(crate) async fn a_change_keeps_the_replaced_version(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut sidecar, mut owner) = (probe.state().await?, probe.owner().await?);
    let first = document(1, "red", 1);
    store::first_write(&mut sidecar, "probe/1", &first).await?;
    let etag = store::etag(&mut sidecar, "probe/1").await?;
    ensure!(store::change(&mut sidecar, "probe/1", &document(2, "blue", 1), etag).await? == 1, "not changed");

    let (version, kept, is_of_the_writer): (i64, Value, bool) =
        sqlx::query_as("select version, document, written_in::xid = xmin from document.history where key = $1")
            .bind("probe/1")
            .fetch_one(&mut owner)
            .await?;
    ensure!((version, &kept) == (1, &first), "{version} {kept}");
    ensure!(is_of_the_writer, "written_in is not the transaction that wrote the row");
    let after = traces(&mut owner).await?;
    ensure!((after.outbox, after.history) == (2, 1) && after.probes[0]["code"] == "blue", "{after:?}");

    // The etag that was used up.
    ensure!(store::change(&mut sidecar, "probe/1", &document(3, "green", 1), etag).await? == 0, "stale etag");
    ensure!(traces(&mut owner).await? == after, "a stale etag left something");
    // A plain overwrite is one change, not an insert and a change.
    ensure!(store::overwrite(&mut sidecar, "probe/1", &document(3, "green", 1)).await? == 1, "not overwritten");
    let after = traces(&mut owner).await?;
    ensure!((after.outbox, after.history) == (3, 2), "{after:?}");
    Ok(())
}

pub(crate) async fn a_version_that_does_not_follow_is_refused(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut sidecar, mut owner) = (probe.state().await?, probe.owner().await?);
    store::first_write(&mut sidecar, "probe/1", &document(1, "red", 1)).await?;
    let before = traces(&mut owner).await?;

    let mut without = document(2, "red", 1);
    without.as_object_mut().context("an object")?.remove("version");
    for (key, refused) in [
        ("probe/1", document(1, "red", 1)),
        ("probe/1", document(3, "red", 1)),
        ("probe/1", document(0, "red", 1)),
        ("probe/1", without.clone()),
        ("probe/new", document(2, "blue", 1)),
        ("probe/new", without),
    ] {
        let sqlx::Error::Database(error) =
            store::overwrite(&mut sidecar, key, &refused).await.err().context("accepted")?
        else {
            anyhow::bail!("not an error of the database");
        };
        ensure!(error.code().as_deref() == Some("23514"), "{error:?}");
        ensure!(error.constraint() == Some("document_version_check"), "{error:?}");
        // The message is all that passes through the store.
        ensure!(error.message().contains(r#"check constraint "document_version_check""#), "{error:?}");
    }
    ensure!(traces(&mut owner).await? == before, "a refused version left something");
    Ok(())
}

pub(crate) async fn an_event_is_applied_once(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut sidecar, mut owner) = (probe.state().await?, probe.owner().await?);
    let caused = |code: &str, cause: Uuid| {
        let mut caused = document(1, code, 1);
        caused["cause"] = json!(cause);
        caused
    };
    let cause = Uuid::now_v7();
    store::first_write(&mut sidecar, "probe/1", &caused("red", cause)).await?;
    let before = traces(&mut owner).await?;
    ensure!(before.inbox == 1, "{before:?}");

    let again = store::first_write(&mut sidecar, "probe/2", &caused("blue", cause)).await;
    let sqlx::Error::Database(error) = again.err().context("applied twice")? else {
        anyhow::bail!("not an error of the database");
    };
    ensure!(error.code().as_deref() == Some("23505"), "{error:?}");
    ensure!(error.message().contains(r#"unique constraint "inbox_pkey""#), "{error:?}");
    ensure!(traces(&mut owner).await? == before, "the second application left something");

    // Also when another operation of the same transaction came first.
    let mut transaction = sidecar.begin().await?;
    store::first_write(&mut transaction, "probe/3", &document(1, "green", 1)).await?;
    ensure!(store::first_write(&mut transaction, "probe/4", &caused("blue", cause)).await.is_err(), "applied twice");
    transaction.rollback().await?;
    ensure!(traces(&mut owner).await? == before, "the transaction left something");
    Ok(())
}

pub(crate) async fn a_violated_constraint_refuses_document_and_events(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut sidecar, mut owner) = (probe.state().await?, probe.owner().await?);
    store::first_write(&mut sidecar, "probe/1", &document(1, "red", 1)).await?;
    let before = traces(&mut owner).await?;
    let sqlx::Error::Database(error) =
        store::first_write(&mut sidecar, "probe/2", &document(1, "red", 1)).await.err().context("accepted")?
    else {
        anyhow::bail!("not an error of the database");
    };
    ensure!(error.message().contains(r#"unique constraint "probes_code_key""#), "{error:?}");
    ensure!(traces(&mut owner).await? == before, "a refused document left something");
    ensure!(
        refusal(store::first_write(&mut sidecar, "other/1", &document(1, "blue", 1)).await)? == "0A000",
        "a kind without projection"
    );
    ensure!(traces(&mut owner).await? == before, "a document of an unknown kind left something");
    Ok(())
}

pub(crate) async fn bytes_that_are_no_document_are_refused(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut sidecar, mut owner) = (probe.state().await?, probe.owner().await?);
    for bytes in [&b"not json"[..], b"\xff\xfe", br#"{"version":1,"data":{"code":"\u0000"}}"#, b""] {
        let written = sqlx::query("insert into state.state (key, value) values ('probe/1', $1)")
            .bind(bytes)
            .execute(&mut sidecar)
            .await;
        let code = refusal(written)?;
        ensure!(code.starts_with("22"), "{bytes:?}: {code}");
    }
    ensure!(traces(&mut owner).await?.documents == 0, "something was written");
    Ok(())
}

pub(crate) async fn a_dead_letter_needs_no_projection_of_the_service(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let mut sidecar = probe.state().await?;
    let letter = json!({
        "version": 1,
        "data": { "topic": "probe.changed", "reason": "undecodable", "receivedAt": "2026-11-01T10:00:00.123456Z" },
    });
    store::first_write(&mut sidecar, "dead-letter/of/1", &letter).await?;
    let listed: Value = sqlx::query_scalar("select api.dead_letters('{\"limit\": 10}')")
        .fetch_one(&mut probe.functions().await?)
        .await?;
    ensure!(
        listed
            == json!([{ "id": "of/1", "topic": "probe.changed", "reason": "undecodable",
                        "receivedAt": "2026-11-01T10:00:00.123456+00:00" }]),
        "{listed}"
    );
    Ok(())
}

pub(crate) async fn writers_that_name_the_same_take_turns_in_sorted_order(
    cluster: &'static Cluster,
) -> anyhow::Result<()> {
    const TAKE: &str = "select document.take_turns($1)";
    let probe = Probe::new(cluster).await?;
    let (mut one, mut other) = (probe.owner().await?, probe.owner().await?);
    let mut first = one.begin().await?;
    sqlx::query(TAKE).bind(["a", "c", "a"]).execute(&mut *first).await?;
    let held: i64 =
        sqlx::query_scalar("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")
            .fetch_one(&mut *first)
            .await?;
    ensure!(held == 2, "{held} locks");

    let mut second = other.begin().await?;
    {
        let mut waits = std::pin::pin!(sqlx::query(TAKE).bind(["c", "b"]).execute(&mut *second));
        let early = tokio::time::timeout(Duration::from_millis(200), &mut waits).await;
        ensure!(early.is_err(), "it did not wait");
        first.commit().await?;
        waits.await?;
    }
    second.rollback().await?;

    // In the order of the call, two that name the same from both ends would wait for each other.
    let upward: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let downward: Vec<String> = upward.iter().rev().cloned().collect();
    let take = async |connection: &mut PgConnection, names: &[String]| {
        for _ in 0..50 {
            sqlx::query(TAKE).bind(names).execute(&mut *connection).await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(take(&mut one, &upward), take(&mut other, &downward))?;
    Ok(())
}
