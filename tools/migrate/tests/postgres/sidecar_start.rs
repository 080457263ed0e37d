//! daprd migrates its own table at every start. Here it finds that nothing is left to do.

use anyhow::ensure;
use migrate::Service;

use crate::cluster::{Cluster, execute, refusal};
use crate::probe::Probe;
use crate::store;

pub(crate) async fn a_sidecar_starts_and_migrates_nothing(cluster: &'static Cluster) -> anyhow::Result<()> {
    for service in [Service::Auth, Service::Patient, Service::Billing] {
        let before = cluster.dump_schema(service)?;
        let mut connection = cluster.state(service).await?;
        // Twice: the first start leaves a row that the second finds.
        for _ in 0..2 {
            let level = store::start(&mut connection, "state").await?;
            ensure!(level.as_deref() == Some(store::MIGRATIONS), "{service}: {level:?}");
        }
        ensure!(cluster.dump_schema(service)? == before, "{service}: a start changed the schema");
    }
    Ok(())
}

/// Shows why the level is recorded.
pub(crate) async fn a_sidecar_that_had_to_migrate_would_be_refused(cluster: &'static Cluster) -> anyhow::Result<()> {
    let probe = Probe::new(cluster).await?;
    let mut connection = probe.state().await?;
    execute(&mut connection, "delete from state.dapr_metadata").await?;
    ensure!(store::start(&mut connection, "state").await?.is_none(), "the level is gone");
    // Not the owner: CREATE INDEX and ALTER TABLE are refused.
    ensure!(refusal(store::migrate(&mut connection, "state").await)? == "42501", "daprd migrated our table");
    Ok(())
}
