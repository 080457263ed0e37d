//! Preparing again, at once, and against a schema that this build does not know.

use anyhow::{Context, ensure};
use migrate::{Service, Target};
use secrecy::SecretString;

use crate::cluster::{Cluster, MARK, execute, refusal, target, targets};

pub(crate) async fn preparing_again_and_twice_at_once_changes_nothing(cluster: &'static Cluster) -> anyhow::Result<()> {
    let services = [Service::Patient, Service::Billing];
    let dump = || services.map(|service| cluster.dump_schema(service)).into_iter().collect::<anyhow::Result<Vec<_>>>();
    let before = dump()?;
    let targets: Vec<Target> = services.map(target).into();
    migrate::prepare(&cluster.admin_url(), &targets).await?;
    ensure!(dump()? == before, "preparing again changed a schema");

    // Also by another administrator, and all at the same time.
    let (admin, superuser) = (cluster.admin_url(), cluster.superuser_url());
    tokio::try_join!(
        migrate::prepare(&admin, &targets),
        migrate::prepare(&superuser, &targets),
        migrate::prepare(&admin, &targets),
    )?;
    ensure!(dump()? == before, "preparing three times at once changed a schema");
    for service in services {
        cluster.state(service).await.with_context(|| format!("the state role of {service}"))?;
        cluster.functions(service).await.with_context(|| format!("the functions role of {service}"))?;
    }
    let log = cluster.log()?;
    ensure!(log.contains("create database"), "statements are logged, else the next check shows nothing");
    ensure!(!log.contains(MARK), "a password is in the server's log");
    Ok(())
}

pub(crate) async fn a_changed_password_takes_effect(cluster: &'static Cluster) -> anyhow::Result<()> {
    let _alone = cluster.analytics.lock().await;
    let service = Service::Analytics;
    let changed = Target { state_password: SecretString::from("another"), ..target(service) };
    migrate::prepare(&cluster.admin_url(), &[changed]).await?;
    ensure!(refusal(cluster.state(service).await)? == "28P01", "the old password");
    cluster.connect(&service.state_role(), "another", &service.database()).await?;
    migrate::prepare(&cluster.admin_url(), &[target(service)]).await?;
    cluster.state(service).await?;
    Ok(())
}

pub(crate) async fn a_newer_schema_is_refused(cluster: &'static Cluster) -> anyhow::Result<()> {
    let _alone = cluster.analytics.lock().await;
    let mut database = cluster.superuser(&Service::Analytics.database()).await?;
    execute(
        &mut database,
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         values (29990101000000, 'from the future', true, '', 0)",
    )
    .await?;
    let schema = cluster.dump_schema(Service::Analytics)?;
    let refused = migrate::prepare(&cluster.admin_url(), &targets()).await;
    let unchanged = cluster.dump_schema(Service::Analytics)? == schema;
    let statuses = migrate::status(&cluster.admin_url()).await?;
    execute(&mut database, "delete from _sqlx_migrations where version = 29990101000000").await?;

    let message = refused.err().context("a newer schema was accepted")?.to_string();
    ensure!(
        message
            .starts_with("the schema of analytics-service-db is newer than this build: it has version 29990101000000"),
        "{message}"
    );
    ensure!(unchanged, "the refused database was changed");
    let status = statuses.iter().find(|status| status.service == Service::Analytics).context("no status")?;
    ensure!(status.unknown == [29_990_101_000_000] && status.pending.is_empty(), "{status:?}");

    migrate::prepare(&cluster.admin_url(), &[target(Service::Analytics)]).await
}

pub(crate) async fn a_migration_that_was_changed_after_it_ran_is_refused(
    cluster: &'static Cluster,
) -> anyhow::Result<()> {
    let _alone = cluster.analytics.lock().await;
    let mut database = cluster.superuser(&Service::Analytics.database()).await?;
    let flip = "update _sqlx_migrations set checksum = set_byte(checksum, 0, 255 - get_byte(checksum, 0)) \
                where version = 20261101000000";
    execute(&mut database, flip).await?;
    let refused = migrate::prepare(&cluster.admin_url(), &[target(Service::Analytics)]).await;
    execute(&mut database, flip).await?;
    let message = refused.err().context("a changed migration was accepted")?.to_string();
    ensure!(message.contains("write a new migration instead"), "{message}");
    migrate::prepare(&cluster.admin_url(), &[target(Service::Analytics)]).await
}
