//! Rebuilding, tried in the database of auth with the tests' own projection, and in that of patient as it is.

use std::time::Duration;

use anyhow::{Context, ensure};
use migrate::Service;
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::cluster::{Cluster, execute};
use crate::probe::{PROJECTION, document, traces};
use crate::store;

const SERVICE: Service = Service::Auth;

pub(crate) async fn a_rebuild_gives_equal_tables_and_sends_nothing(cluster: &'static Cluster) -> anyhow::Result<()> {
    let _alone = cluster.auth.lock().await;
    let (mut sidecar, mut owner) = begin(cluster).await?;
    for index in 0..50 {
        store::overwrite(&mut sidecar, &format!("probe/{index}"), &document(1, &format!("code {index}"), 1)).await?;
    }
    for index in 0..10 {
        store::overwrite(&mut sidecar, &format!("probe/{index}"), &document(2, &format!("new {index}"), 1)).await?;
    }
    let letter = json!({ "version": 1, "data": { "topic": "t", "reason": "r", "receivedAt": "2026-11-01T00:00:00Z" } });
    store::overwrite(&mut sidecar, "dead-letter/rebuild", &letter).await?;
    let before = traces(&mut owner).await?;
    let state = state(&mut owner).await?;

    // What a faulty projection may have left.
    execute(
        &mut owner,
        "delete from projection.probes where probe_id = '3'; update projection.probes set code = 'wrong' where probe_id = '4'; \
         insert into projection.probes (probe_id, code, version) values ('of nobody', 'none', 1)",
    )
    .await?;
    let counts = migrate::rebuild(&cluster.admin_url(), SERVICE).await?;
    ensure!(counts == [("probe".to_owned(), 50)], "{counts:?}");

    let after = traces(&mut owner).await?;
    ensure!(
        without_row_numbers(&after.probes) == without_row_numbers(&before.probes),
        "{:?}\n{:?}",
        before.probes,
        after.probes
    );
    ensure!(
        (after.documents, after.outbox, after.inbox, after.history)
            == (before.documents, before.outbox, before.inbox, before.history),
        "{before:?}\n{after:?}"
    );
    ensure!(self::state(&mut owner).await? == state, "the state table was touched");

    // Rebuilt once more nothing differs, row numbers included.
    migrate::rebuild(&cluster.admin_url(), SERVICE).await?;
    ensure!(traces(&mut owner).await? == after, "a second rebuild differs from the first");
    Ok(())
}

pub(crate) async fn a_rebuild_that_fails_changes_nothing(cluster: &'static Cluster) -> anyhow::Result<()> {
    let _alone = cluster.auth.lock().await;
    let (mut sidecar, mut owner) = begin(cluster).await?;
    store::overwrite(&mut sidecar, "probe/good", &document(1, "good", 0)).await?;
    store::overwrite(&mut sidecar, "probe/bad", &document(1, "bad", 0)).await?;
    execute(
        &mut owner,
        "alter table projection.probes add constraint probes_good_check check (code <> 'bad') not valid",
    )
    .await?;
    let before = traces(&mut owner).await?;
    let error = migrate::rebuild(&cluster.admin_url(), SERVICE).await.err().context("it was rebuilt")?;
    let message = format!("{error:#}");
    ensure!(message.contains("cannot project probe/bad"), "{message}");
    ensure!(message.contains("probes_good_check"), "{message}");
    ensure!(traces(&mut owner).await? == before, "a failed rebuild changed the projection");
    Ok(())
}

pub(crate) async fn a_rebuild_waits_for_writers_and_has_their_documents(
    cluster: &'static Cluster,
) -> anyhow::Result<()> {
    let _alone = cluster.auth.lock().await;
    let (mut sidecar, mut owner) = begin(cluster).await?;
    let mut write = sidecar.begin().await?;
    store::first_write(&mut write, "probe/late", &document(1, "late", 0)).await?;
    let url = cluster.admin_url();
    let mut rebuild = std::pin::pin!(migrate::rebuild(&url, SERVICE));
    let early = tokio::time::timeout(Duration::from_millis(400), &mut rebuild).await;
    ensure!(early.is_err(), "it did not wait: {early:?}");
    // At the documents, with no table of the projection locked yet: else it and a writer could wait for each other.
    let waits: Vec<(String, String)> = sqlx::query_as(
        "select relation::regclass::text, mode from pg_locks where not granted and locktype = 'relation' \
         and database = (select oid from pg_database where datname = current_database())",
    )
    .fetch_all(&mut owner)
    .await?;
    ensure!(waits == [("state.state".to_owned(), "ShareRowExclusiveLock".to_owned())], "{waits:?}");
    write.commit().await?;
    let counts = rebuild.await?;
    ensure!(counts == [("probe".to_owned(), 1)], "{counts:?}");
    ensure!(traces(&mut owner).await?.probes[0]["code"] == "late", "the late document is missing");
    Ok(())
}

/// Each probe takes a turn by its code, and a server has no more than some thousand locks.
pub(crate) async fn a_rebuild_takes_no_lock_for_each_document(cluster: &'static Cluster) -> anyhow::Result<()> {
    let _alone = cluster.auth.lock().await;
    let (mut sidecar, mut owner) = begin(cluster).await?;
    for batch in 0..10 {
        sqlx::query(
            "insert into state.state (key, value) select 'probe/' || n, convert_to(jsonb_build_object( \
             'version', 1, 'data', jsonb_build_object('code', n::text))::text, 'UTF8') \
             from generate_series($1 * 500, $1 * 500 + 499) as n",
        )
        .bind(batch)
        .execute(&mut sidecar)
        .await?;
    }
    let before = traces(&mut owner).await?;
    let counts = migrate::rebuild(&cluster.admin_url(), SERVICE).await?;
    ensure!(counts == [("probe".to_owned(), 5000)], "{counts:?}");
    ensure!(
        without_row_numbers(&traces(&mut owner).await?.probes) == without_row_numbers(&before.probes),
        "tables differ"
    );
    Ok(())
}

/// With the migrations that `patient` really has.
pub(crate) async fn a_rebuild_of_patients_gives_equal_tables(cluster: &'static Cluster) -> anyhow::Result<()> {
    const TABLES: &str = "select relname::text, query_to_xml(format('select * from projection.%I as r order by r::text', relname), \
        true, false, '')::text from pg_class where relnamespace = 'projection'::regnamespace and relkind = 'r' order by relname";
    let service = Service::Patient;
    let mut sidecar = cluster.state(service).await?;
    let mut owner = cluster.superuser(&service.database()).await?;
    for number in 0..40 {
        let key = format!("patient/{}", Uuid::now_v7());
        store::first_write(&mut sidecar, &key, &patient(1, number, "okafor")).await?;
        if number % 3 == 0 {
            store::overwrite(&mut sidecar, &key, &patient(2, number, "brandt")).await?;
        }
    }
    let before: Vec<(String, String)> = sqlx::query_as(TABLES).fetch_all(&mut owner).await?;
    ensure!(before.iter().any(|(table, rows)| table == "patients" && rows.contains("brandt")), "{before:?}");
    execute(&mut owner, "delete from projection.patients where family = 'okafor'").await?;
    let counts = migrate::rebuild(&cluster.admin_url(), service).await?;
    ensure!(counts == [("patient".to_owned(), 40)], "{counts:?}");
    let after: Vec<(String, String)> = sqlx::query_as(TABLES).fetch_all(&mut owner).await?;
    ensure!(after == before, "{before:#?}\n{after:#?}");
    Ok(())
}

fn patient(version: i64, number: usize, family: &str) -> Value {
    json!({
        "schema": 1,
        "version": version,
        "data": {
            "mrn": format!("mrn-{number}"),
            "active": true,
            "registeredAt": "2026-11-01T00:00:00Z",
            "person": {
                "birthDate": "1984-02-11",
                "gender": "female",
                "identifier": [{ "system": "urn:probe", "value": format!("{family} {number}") }],
            },
            "search": {
                "family": family,
                "given": "ada",
                "identity": format!("{family} {number}"),
                "phone": [format!("+1555{number}")],
                "email": [],
                "words": [family, "ada"],
            },
        },
        "events": [],
    })
}

/// Facts that were counted from events must not lie in schema `projection`; if they do, they survive.
pub(crate) async fn a_rebuild_without_documents_keeps_rows_that_came_from_elsewhere(
    cluster: &'static Cluster,
) -> anyhow::Result<()> {
    let _alone = cluster.auth.lock().await;
    let (_sidecar, mut owner) = begin(cluster).await?;
    let empty = migrate::rebuild(&cluster.admin_url(), SERVICE).await?;
    ensure!(empty.is_empty(), "{empty:?}");
    execute(&mut owner, "insert into projection.probes (probe_id, code, version) values ('a fact', 'x', 1)").await?;
    let error = migrate::rebuild(&cluster.admin_url(), SERVICE).await.err().context("it was rebuilt")?;
    let message = format!("{error:#}");
    ensure!(message.contains("projection.probes has rows but there is no document"), "{message}");
    ensure!(traces(&mut owner).await?.probes[0]["probe_id"] == "a fact", "the row is gone");
    Ok(())
}

/// The service's database with the tests' projection and no documents.
async fn begin(cluster: &'static Cluster) -> anyhow::Result<(PgConnection, PgConnection)> {
    let mut owner = cluster.superuser(&SERVICE.database()).await?;
    execute(&mut owner, format!(r#"set role "{}""#, SERVICE.owner())).await?;
    execute(
        &mut owner,
        "drop table if exists projection.probes; \
         truncate state.state, document.outbox, document.inbox, document.history, document.dead_letters",
    )
    .await?;
    execute(&mut owner, PROJECTION).await?;
    Ok((cluster.state(SERVICE).await?, owner))
}

/// Which physical rows the state table has: a rewritten row has another place.
async fn state(owner: &mut PgConnection) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as("select key, concat_ws(' ', ctid, xmin, etag) from state.state order by key").fetch_all(owner).await
}

fn without_row_numbers(rows: &Value) -> Value {
    let mut rows = rows.clone();
    for row in rows.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        row.remove("row_number");
    }
    rows
}
