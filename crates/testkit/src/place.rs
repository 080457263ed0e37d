//! Where the repository and the parts are.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

/// The repository.
pub fn repo() -> Result<PathBuf> {
    let repo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    repo.canonicalize().context("the repository")
}

/// daprd, sentry and the CLI.
pub async fn runtime_dir(repo: &Path) -> Result<PathBuf> {
    program(repo, "PMS_RUNTIME_DIR", "dapr/runtime/build.sh").await
}

/// Kafka's files.
pub async fn kafka_files(repo: &Path) -> Result<PathBuf> {
    program(repo, "PMS_KAFKA_JARS", "tools/local/kafka/fetch.sh").await
}

/// The directory in a variable, or else the one that a script prints.
#[expect(clippy::disallowed_methods, reason = "a test has no config.rs")]
async fn program(repo: &Path, variable: &str, script: &str) -> Result<PathBuf> {
    if let Ok(directory) = env::var(variable) {
        return Ok(directory.into());
    }
    let output = Command::new(repo.join(script)).stderr(Stdio::inherit()).output().await?;
    ensure!(output.status.success(), "{script} failed");
    Ok(String::from_utf8(output.stdout)?.trim().into())
}
