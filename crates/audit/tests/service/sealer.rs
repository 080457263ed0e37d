//! What the sealer does.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use audit::{
    Action, Entry, Recorder,
    checkpoint::{Checkpoint, PublicKey},
};
use testkit::{Parts, Result};

use crate::sidecar;

/// Made for this test, by `openssl genpkey -algorithm ed25519`.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n\
                   -----END PRIVATE KEY-----\n";

pub(crate) async fn seals_and_signs(parts: Parts) -> Result<()> {
    parts.set_secret("audit-key", Some(KEY))?;
    parts.kill_sidecar().await;
    parts.start_sidecar().await?;
    let recorder = Recorder::spawn(&sidecar(&parts)?);
    // Two instances; one of them is to do it.
    tokio::spawn(audit::seal(sidecar(&parts)?, "auth"));
    tokio::spawn(audit::seal(sidecar(&parts)?, "auth"));
    for _ in 0..10 {
        recorder.record(&Entry::new(Action::Execute, "sealed").detail("address", "127.0.0.1"))?;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let sealed = "select count(*) as count from audit.entries where subtype = 'sealed'";
    parts.eventually("all is sealed", || async { Ok(parts.sql(sealed).await?[0]["count"] == 10) }).await?;
    let checkpoints = "select checkpoint, encode(hash, 'hex') as hash \
                       from audit.checkpoints natural join audit.entries";
    parts.eventually("it is signed", || async { Ok(!parts.sql(checkpoints).await?.is_empty()) }).await?;

    let kept = parts.sql(checkpoints).await?;
    let checkpoint: Checkpoint = serde_json::from_value(kept[0]["checkpoint"].clone())?;
    checkpoint.verify(&[PublicKey::from_pem(KEY)?])?;
    ensure!(kept[0]["hash"] == checkpoint.hash.as_str() && checkpoint.service == "auth", "{checkpoint:?}");
    let ends = parts.sql("select position, (select max(position) from audit.entries) as last from audit.head").await?;
    ensure!(ends.first().context("a head")?["position"] == ends[0]["last"], "{ends:?}");
    Ok(())
}
