//! The program, as an operator runs it.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::{
    chain::{KEY, SERVICE, append, entry, seal},
    cluster::Cluster,
};

/// The exit code and what was printed.
async fn run(arguments: &[&str]) -> Result<(i32, String)> {
    let output = Command::new(env!("CARGO_BIN_EXE_pms-audit")).args(arguments).output().await?;
    let told = [output.stdout, output.stderr].concat();
    Ok((output.status.code().context("it was killed")?, String::from_utf8(told)?))
}

pub(crate) async fn it_tells_where_and_ends_with_a_code(cluster: &'static Cluster) -> Result<()> {
    let home = cluster.home.root();
    let (home, port) = (home.to_str().context("a path")?, cluster.port().to_string());
    let all = ["verify", "--home", home, "--port", &port];
    let (code, told) = run(&all).await?;
    ensure!(code == 0 && told.matches("intact").count() == 4, "{code}: {told}");

    // A database of its own, as production has: by URL and public key.
    let mut functions = cluster.sidecar("functions", "billing-service-db").await;
    ensure!(functions.is_err(), "another service's role got in");
    functions = cluster.sidecar("functions", "auth-service-db").await;
    let mut functions = functions?;
    append(&mut functions, &(1..=5).map(entry).collect::<Vec<_>>()).await?;
    seal(&mut functions, uuid::Uuid::from_u128(1)).await?;
    let chain = crate::chain::Chain { cluster, database: "auth-service-db".to_owned() };
    let head: serde_json::Value = sqlx::query_scalar("select api.audit_head('{}')").fetch_one(&mut functions).await?;
    let signed = audit::checkpoint::Key::from_pem(KEY)?.sign(
        "auth",
        5,
        head["hash"].as_str().context("a hash")?,
        jiff::Timestamp::now(),
    );
    sqlx::query("select api.audit_checkpoint($1)").bind(serde_json::json!(signed)).execute(&mut functions).await?;
    let key = cluster.home.root().join("key.pem");
    fs::write(&key, KEY)?;
    let url = cluster.url("auth-service-db");
    let (key, kept) = (key.to_str().context("a path")?, cluster.home.root().join("kept"));
    let one = ["verify", "--url", &url, "--public-key", key];
    let (code, told) = run(&one).await?;
    ensure!(code == 0 && told.contains("checkpoint {\"service\":\"auth\",\"position\":5"), "{code}: {told}");
    ensure!(!told.contains(SERVICE), "{told}");
    fs::write(&kept, &told)?;

    // Without the key nothing proves that the checkpoint is the service's.
    let (code, told) = run(&one[..3]).await?;
    ensure!(code == 1 && told.contains("auth: the checkpoint at 5 is forged: it is signed by a key"), "{code}: {told}");

    chain.tamper("delete from audit.entries where position > 3").await?;
    chain.tamper("delete from audit.details where position > 3").await?;
    chain.tamper("delete from audit.checkpoints").await?;
    chain
        .tamper(
            "update audit.head set (position, hash) = (select position, hash from audit.entries where position = 3)",
        )
        .await?;
    let (code, told) = run(&one).await?;
    ensure!(code == 0 && told.contains("none"), "{code}: {told}");
    let since = [&one[..], &["--since", kept.to_str().context("a path")?]].concat();
    let (code, told) = run(&since).await?;
    ensure!(code == 1 && told.contains("BROKEN at 4"), "{code}: {told}");
    ensure!(told.contains("auth: the end was cut off: entries 4 to 5 are missing"), "{told}");

    let (code, told) = run(&["verify", "--url", &cluster.url("gone-service-db")]).await?;
    ensure!(code == 2 && told.starts_with("cannot verify: connect to the database of gone"), "{code}: {told}");
    Ok(())
}
