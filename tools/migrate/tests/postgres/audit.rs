//! The audit in the database: who adds to it, who seals it, what a page of it is, and that it never changes.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

use crate::cluster::{Cluster, execute, refusal};
use crate::probe::{Probe, document, traces};
use crate::store;

const ADA: Uuid = Uuid::from_u128(0xada);

pub(crate) async fn a_change_leaves_its_entries_with_its_document(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut sidecar, mut owner) = (probe.state().await?, probe.owner().await?);
    store::first_write(&mut sidecar, "probe/1", &document(1, "red", 1)).await?;
    ensure!(waiting(&mut owner).await?.is_empty(), "a document without entries left one");

    let etag = store::etag(&mut sidecar, "probe/1").await?;
    let mut about_another = entry("read");
    about_another["entity"] = json!({ "type": "patient", "id": "7" });
    let changed = audited(2, "blue", &[entry("update"), about_another]);
    store::change(&mut sidecar, "probe/1", &changed, etag).await?;
    let about: Vec<Value> = waiting(&mut owner)
        .await?
        .iter()
        .map(|row| json!([row["subtype"], row["entity_type"], row["entity_id"], row["entity_version"]]))
        .collect();
    ensure!(about == [json!(["update", "probe", "1", 2]), json!(["read", "patient", "7", null])], "{about:?}");

    store::overwrite(&mut sidecar, "probe/1", &document(3, "green", 1)).await?;
    ensure!(waiting(&mut owner).await?.len() == 2, "the next change left them again");
    let kept: Value =
        sqlx::query_scalar("select document from document.history where version = 2").fetch_one(&mut owner).await?;
    ensure!(kept["data"]["code"] == "blue" && kept.get("audit").is_none(), "{kept}");
    Ok(())
}

pub(crate) async fn a_refused_change_leaves_no_entry(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut sidecar, mut owner) = (probe.state().await?, probe.owner().await?);
    store::first_write(&mut sidecar, "probe/1", &document(1, "red", 0)).await?;
    let written = store::first_write(&mut sidecar, "probe/1", &audited(1, "blue", &[entry("create")])).await?;
    ensure!(written == 0, "it was written");
    refusal(store::first_write(&mut sidecar, "probe/2", &audited(1, "red", &[entry("create")])).await)?;
    ensure!(waiting(&mut owner).await?.is_empty(), "an entry of a change that never was");
    Ok(())
}

pub(crate) async fn a_malformed_entry_refuses_its_document(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut sidecar, mut owner) = (probe.state().await?, probe.owner().await?);
    let before = traces(&mut owner).await?;
    let wrong = [
        ("id", json!("none")),
        ("recorded", json!("some time")),
        ("action", json!("X")),
        ("outcome", json!(5)),
        ("subtype", json!("two\nlines")),
        ("subtype", json!(null)),
        ("requestId", json!("r".repeat(1300))),
        ("traceId", json!("ü")),
        ("agent", json!({ "who": "ada" })),
        ("patient", json!("ada")),
    ];
    for (member, value) in wrong {
        let mut bad = entry("create");
        bad[member] = value;
        let code = refusal(store::first_write(&mut sidecar, "probe/1", &audited(1, "red", &[bad.clone()])).await)?;
        ensure!(code.starts_with("22") || code.starts_with("23"), "{bad}: {code}");
    }
    ensure!(traces(&mut owner).await? == before && waiting(&mut owner).await?.is_empty(), "it left something");
    Ok(())
}

pub(crate) async fn an_entry_that_comes_twice_is_sealed_once(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut functions, mut owner) = (probe.functions().await?, probe.owner().await?);
    let batch: Vec<Value> = (0..5).map(|_| entry("login")).collect();
    // While it waits, and when it was sealed already.
    append(&mut functions, &batch).await?;
    append(&mut functions, &batch).await?;
    seal(&mut functions, ADA, "5 s", 100).await?;
    append(&mut functions, &batch[1..3]).await?;
    append(&mut functions, &[entry("login")]).await?;
    seal(&mut functions, ADA, "5 s", 100).await?;

    let sealed: Vec<(i64, Uuid)> =
        sqlx::query_as("select position, entry_id from audit.entries order by position").fetch_all(&mut owner).await?;
    ensure!(sealed.iter().map(|(position, _)| *position).eq(1..=6), "{sealed:?}");
    let first = sealed.iter().take(5).map(|(_, id)| id.to_string());
    ensure!(first.eq(batch.iter().map(|entry| entry["id"].as_str().unwrap_or_default().to_owned())), "{sealed:?}");
    let details: i64 = sqlx::query_scalar("select count(*) from audit.details").fetch_one(&mut owner).await?;
    ensure!(details == 6 && waiting(&mut owner).await?.is_empty(), "{details} details");
    Ok(())
}

pub(crate) async fn one_worker_at_a_time_seals(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut one, mut other) = (probe.functions().await?, probe.functions().await?);
    let (dead, alive) = (Uuid::from_u128(1), Uuid::from_u128(2));
    append(&mut one, &[entry("login"), entry("login"), entry("login")]).await?;
    seal(&mut one, dead, "0.4 s", 2).await?;
    seal(&mut other, alive, "5 s", 10).await?;
    let told = head(&mut other, alive).await?;
    ensure!(told["position"] == 2 && told["waiting"] == 1 && told["held"] == false, "{told}");
    ensure!(head(&mut one, dead).await?["held"] == true, "{told}");

    tokio::time::sleep(Duration::from_millis(450)).await;
    seal(&mut other, alive, "5 s", 10).await?;
    let told = head(&mut other, alive).await?;
    ensure!(told["position"] == 3 && told["waiting"] == 0 && told["held"] == true, "{told}");
    seal(&mut one, dead, "5 s", 10).await?;
    ensure!(head(&mut one, dead).await?["held"] == false, "two have the lease");

    // At the very same time, too: the second waits for the first's lock, and then sees its lease.
    let probe = Probe::new(cluster).await?;
    let (mut one, mut other) = (probe.functions().await?, probe.functions().await?);
    append(&mut one, &[entry("login")]).await?;
    let mut transaction = one.begin().await?;
    seal(&mut transaction, dead, "5 s", 10).await?;
    let second = tokio::spawn(async move {
        seal(&mut other, alive, "5 s", 10).await?;
        head(&mut other, alive).await
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    transaction.commit().await?;
    let told = second.await??;
    ensure!(told["position"] == 1 && told["held"] == false, "{told}");
    Ok(())
}

pub(crate) async fn an_entry_that_commits_late_is_sealed_without_a_gap(
    cluster: &'static Cluster,
) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let (mut late, mut early, mut owner) = (probe.functions().await?, probe.functions().await?, probe.owner().await?);
    let mut transaction = late.begin().await?;
    // Its number is the smallest, and it is the last to be there.
    append(&mut transaction, &[entry("late")]).await?;
    append(&mut early, &[entry("early")]).await?;
    seal(&mut early, ADA, "5 s", 10).await?;
    transaction.commit().await?;
    append(&mut early, &[entry("later")]).await?;
    seal(&mut early, ADA, "5 s", 10).await?;
    let sealed: Vec<(i64, String)> =
        sqlx::query_as("select position, subtype from audit.entries order by position").fetch_all(&mut owner).await?;
    let subtypes: Vec<&str> = sealed.iter().map(|(_, subtype)| subtype.as_str()).collect();
    ensure!(subtypes == ["early", "late", "later"], "{sealed:?}");
    ensure!(sealed.iter().map(|(position, _)| *position).eq(1..=3), "{sealed:?}");
    Ok(())
}

pub(crate) async fn a_page_has_what_was_asked_for_newest_first(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let mut functions = probe.functions().await?;
    let entries: Vec<Value> = (0..30_u32)
        .map(|number| {
            let mut entry = entry(if number % 3 == 0 { "login" } else { "read" });
            // Two at a time, and the later half sealed first.
            entry["recorded"] = json!(format!("2026-11-01T10:00:{:02}.000007Z", number / 2));
            entry["outcome"] = json!(if number % 10 == 0 { 8 } else { 0 });
            entry["action"] = json!(if number % 3 == 0 { "E" } else { "R" });
            entry["agent"] = json!({ "who": Uuid::from_u128(number.into()), "role": "nurse" });
            entry["entity"] = json!({ "type": "patient", "id": (number % 5).to_string(), "version": number });
            entry["details"] = json!({ "number": number });
            if number % 7 == 2 {
                entry["patient"] = json!(Uuid::from_u128(77));
            }
            entry
        })
        .collect();
    append(&mut functions, &entries[15..]).await?;
    append(&mut functions, &entries[..15]).await?;
    seal(&mut functions, ADA, "5 s", 100).await?;
    let mut owner = probe.owner().await?;
    execute(&mut owner, "delete from audit.details where position = 1").await?;

    let mut asked = json!({ "limit": 7 });
    let mut all = Vec::new();
    loop {
        let page = page(&mut functions, &asked).await?;
        let Some(last) = page.last() else { break };
        asked["after"] = json!({ "recorded": last["recorded"], "position": last["position"] });
        all.extend(page);
    }
    let versions: Vec<u64> = all.iter().filter_map(|entry| entry["entity"]["version"].as_u64()).collect();
    ensure!(versions.len() == 30 && versions.iter().all(|version| versions.contains(version)), "{versions:?}");
    let order: Vec<(&str, i64)> = all
        .iter()
        .map(|entry| (entry["recorded"].as_str().unwrap_or_default(), entry["position"].as_i64().unwrap_or_default()))
        .collect();
    ensure!(order.is_sorted_by(|one, next| one > next), "{order:?}");
    // Number 15 is at position 1.
    let purged: Vec<&Value> = all.iter().filter(|entry| entry["purged"] == true).collect();
    ensure!(
        purged.len() == 1 && purged[0]["entity"]["version"] == 15 && purged[0].get("details").is_none(),
        "{purged:?}"
    );
    let first = &all[0];
    let expected = json!({
        "position": 15, "id": entries[29]["id"], "recorded": "2026-11-01T10:00:14.000007+00:00", "action": "R",
        "subtype": "read", "outcome": 0, "agent": { "who": Uuid::from_u128(29), "role": "nurse" },
        "entity": { "type": "patient", "id": "4", "version": 29 }, "requestId": "r-1", "details": { "number": 29 },
    });
    ensure!(first == &expected, "{first}\n{expected}");

    for (filter, numbers) in [
        (json!({ "agent": Uuid::from_u128(3) }), vec![3]),
        (json!({ "patient": Uuid::from_u128(77) }), vec![23, 16, 9, 2]),
        (json!({ "patient": Uuid::from_u128(78) }), vec![]),
        (json!({ "subtype": "login", "failed": true }), vec![0]),
        (json!({ "outcome": 8 }), vec![20, 10, 0]),
        (json!({ "outcome": 0, "subtype": "login", "from": "2026-11-01T10:00:12Z" }), vec![27, 24]),
        (json!({ "action": "E", "to": "2026-11-01T10:00:03.000007Z" }), vec![3, 0]),
        (json!({ "entity": { "type": "patient", "id": "2" }, "from": "2026-11-01T10:00:11Z" }), vec![27, 22]),
        (json!({ "entity": { "type": "user" } }), vec![]),
    ] {
        let mut asked = filter.clone();
        asked["limit"] = json!(100);
        let found: Vec<u64> = page(&mut functions, &asked)
            .await?
            .iter()
            .filter_map(|entry| entry["entity"]["version"].as_u64())
            .collect();
        ensure!(found == numbers, "{filter}: {found:?}");
    }
    Ok(())
}

pub(crate) async fn a_page_is_found_by_an_index(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let mut owner = probe.owner().await?;
    execute(
        &mut owner,
        "insert into audit.entries (position, entry_id, recorded, action, subtype, outcome, agent, patient, entity_id, hash) \
         select n, gen_random_uuid(), now() + n * interval '1 ms', 'E', 's' || n % 200, case when n % 200 = 0 then 8 \
           else 0 end, ('00000000-0000-0000-0000-' || lpad((n % 200)::text, 12, '0'))::uuid, \
           ('00000000-0000-0000-0000-' || lpad((n % 200)::text, 12, '0'))::uuid, n % 200, '' \
         from generate_series(1, 40000) as n; analyze audit.entries",
    )
    .await?;
    for (filter, index) in [
        ("true", "entries_recorded_idx"),
        ("agent = '00000000-0000-0000-0000-000000000007'", "entries_agent_idx"),
        ("patient = '00000000-0000-0000-0000-000000000007'", "entries_patient_idx"),
        ("entity_id = '7'", "entries_entity_idx"),
        ("subtype = 's7'", "entries_subtype_idx"),
        ("outcome = 8 and outcome <> 0", "entries_failure_idx"),
    ] {
        let query = format!(
            "explain select * from audit.entries where {filter} and (recorded, position) < (now() + interval '39 s', 39000) \
             order by recorded desc, position desc limit 50"
        );
        let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut owner).await?;
        let plan = plan.join("\n");
        ensure!(plan.contains(&format!("Index Scan Backward using {index}")) && !plan.contains("Sort"), "{plan}");
    }
    Ok(())
}

pub(crate) async fn what_is_sealed_never_changes_not_even_by_its_owner(
    cluster: &'static Cluster,
) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let mut functions = probe.functions().await?;
    append(&mut functions, &[entry("login")]).await?;
    seal(&mut functions, ADA, "5 s", 10).await?;
    let mut owner = probe.owner().await?;
    execute(&mut owner, r#"set role "probe-service-owner""#).await?;
    for statement in [
        "update audit.entries set outcome = 0",
        "delete from audit.entries where position = 1",
        "truncate audit.entries",
        "update audit.checkpoints set position = 2",
        "delete from audit.checkpoints",
        "truncate audit.checkpoints",
        "update audit.details set details = '{}'",
        "truncate audit.details",
    ] {
        let code = refusal(execute(&mut owner, statement).await).with_context(|| statement.to_owned())?;
        ensure!(code == "42501", "{statement}: {code}");
    }
    let sealed: i64 = sqlx::query_scalar("select count(*) from audit.entries").fetch_one(&mut owner).await?;
    ensure!(sealed == 1, "{sealed} entries");
    Ok(())
}

pub(crate) async fn only_a_checkpoint_of_the_chain_is_kept(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let mut functions = probe.functions().await?;
    append(&mut functions, &[entry("login")]).await?;
    seal(&mut functions, ADA, "5 s", 10).await?;
    let at = head(&mut functions, ADA).await?;
    ensure!(at["checkpoint"] == 0, "{at}");
    let good = json!({ "position": 1, "hash": at["hash"], "signature": "s" });
    for bad in [json!({ "position": 2, "hash": at["hash"] }), json!({ "position": 1, "hash": "00" }), json!({})] {
        ensure!(refusal(checkpoint(&mut functions, &bad).await)? == "22023", "{bad}");
    }
    checkpoint(&mut functions, &good).await?;
    checkpoint(&mut functions, &json!({ "position": 1, "hash": at["hash"], "signature": "another" })).await?;
    ensure!(head(&mut functions, ADA).await?["checkpoint"] == 1, "it is not kept");
    let kept: Value =
        sqlx::query_scalar("select checkpoint from audit.checkpoints").fetch_one(&mut probe.owner().await?).await?;
    ensure!(kept == good, "{kept}");
    Ok(())
}

fn entry(subtype: &str) -> Value {
    json!({
        "id": Uuid::now_v7(), "recorded": "2026-11-01T10:00:00.123456Z", "action": "E", "subtype": subtype,
        "outcome": 0, "agent": { "who": ADA, "role": "nurse" }, "requestId": "r-1",
        "details": { "address": "127.0.0.1" },
    })
}

fn audited(version: i64, code: &str, entries: &[Value]) -> Value {
    let mut document = document(version, code, 0);
    document["audit"] = json!(entries);
    document
}

async fn waiting(owner: &mut PgConnection) -> sqlx::Result<Vec<Value>> {
    sqlx::query_scalar("select to_jsonb(row) from audit.waiting as row order by arrival").fetch_all(owner).await
}

async fn append(connection: &mut PgConnection, entries: &[Value]) -> sqlx::Result<()> {
    sqlx::query("select api.audit_append($1)").bind(json!({ "entries": entries })).execute(connection).await.map(drop)
}

async fn seal(connection: &mut PgConnection, worker: Uuid, lease: &str, limit: u32) -> sqlx::Result<()> {
    let asked = json!({ "worker": worker, "lease": lease, "limit": limit });
    sqlx::query("select api.audit_seal($1)").bind(asked).execute(connection).await.map(drop)
}

async fn checkpoint(connection: &mut PgConnection, checkpoint: &Value) -> sqlx::Result<()> {
    sqlx::query("select api.audit_checkpoint($1)").bind(checkpoint).execute(connection).await.map(drop)
}

async fn head(connection: &mut PgConnection, worker: Uuid) -> sqlx::Result<Value> {
    sqlx::query_scalar("select api.audit_head($1)").bind(json!({ "worker": worker })).fetch_one(connection).await
}

async fn page(connection: &mut PgConnection, asked: &Value) -> anyhow::Result<Vec<Value>> {
    let page: Value = sqlx::query_scalar("select api.audit_page($1)").bind(asked).fetch_one(connection).await?;
    Ok(page.as_array().context("an array")?.clone())
}
