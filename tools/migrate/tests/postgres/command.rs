//! The command that containers and people call.

use std::process::{Command, Output};

use anyhow::ensure;
use migrate::Service;
use serde_json::json;

use crate::cluster::{Cluster, functions_password, state_password};

pub(crate) async fn it_prepares_and_tells(cluster: &'static Cluster) -> anyhow::Result<()> {
    let service = Service::Billing;
    let secrets = json!({ "billing": { "state": state_password(service), "functions": functions_password(service) } });
    let file = cluster.folder().join("secrets.json");
    std::fs::write(&file, secrets.to_string())?;

    let up = run(cluster, &["up", "--secrets", &file.to_string_lossy()], &[])?;
    ensure!(up.status.success(), "{up:?}");
    let text = String::from_utf8_lossy(&up.stdout).into_owned();
    ensure!(text.contains("billing-service-db: ") && text.contains(" applied (newest 2"), "{text}");
    let from_environment = run(cluster, &["up"], &[("PMS_DATABASE_SECRETS", &secrets.to_string())])?;
    ensure!(from_environment.status.success(), "{from_environment:?}");
    cluster.state(service).await?;
    let (state, functions) = (state_password(service), functions_password(service));
    let one_by_one = [("PMS_STATE_PASSWORD", state.as_str()), ("PMS_FUNCTIONS_PASSWORD", functions.as_str())];
    let one = run(cluster, &["up", "--service", "billing"], &one_by_one)?;
    ensure!(one.status.success(), "{one:?}");
    cluster.state(service).await?;
    let without = run(cluster, &["up", "--service", "billing"], &one_by_one[..1])?;
    let error = String::from_utf8_lossy(&without.stderr).into_owned();
    ensure!(!without.status.success() && error.contains("--functions-password") && !error.contains(&state), "{error}");
    let status = run(cluster, &["status"], &[])?;
    ensure!(String::from_utf8_lossy(&status.stdout).lines().count() == Service::ALL.len(), "{status:?}");

    // What is wrong is said without any password.
    for (arguments, secrets, said) in [
        (&["up"][..], "", "--secrets"),
        (&["up"], "{\"billing\": {\"state\": \"of-billing\"}}", "missing field `functions`"),
        (&["up"], "{\"gateway\": {\"state\": \"of-billing\", \"functions\": \"x\"}}", "unknown variant `gateway`"),
        (&["rebuild", "gateway"], "", "none of auth, patient, billing, analytics"),
    ] {
        let environment = [("PMS_DATABASE_SECRETS", secrets)];
        let refused = run(cluster, arguments, if secrets.is_empty() { &[] } else { &environment })?;
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        ensure!(!refused.status.success() && error.contains(said) && !error.contains("of-billing"), "{error}");
    }
    Ok(())
}

fn run(cluster: &Cluster, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_pms-migrate"))
        .args(arguments)
        .env("PMS_DATABASE_ADMIN_URL", cluster.admin_url())
        .env_remove("PMS_DATABASE_SECRETS")
        .envs(environment.iter().copied())
        .output()?)
}
