//! A process as it was started, so that it can be started again after it was killed.
//!
//! `dapr run` restarts nothing; what compose and the cloud do by policy, a test does with this.

use std::{ffi::OsString, path::PathBuf};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::{home::Home, launch::launch, process::Process};

/// Program, arguments, environment and directory of a process.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: PathBuf,
}

impl Snapshot {
    /// Takes it from a running process.
    pub(crate) fn of(process: &Process) -> Result<Self> {
        let gone = || format!("process {} has ended", process.pid());
        Ok(Self {
            program: process.program().with_context(gone)?,
            arguments: process.arguments(),
            environment: process.environment(),
            directory: process.directory().with_context(gone)?,
        })
    }

    /// Starts it again, as a part of the home with a log of its own.
    pub(crate) fn start(&self, home: &Home, part: &str) -> Result<Process> {
        let mut arguments = self.arguments.iter();
        let mut command = Command::new(&self.program);
        command
            .arg0(arguments.next().context("the process had no arguments")?)
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .current_dir(&self.directory);
        launch(home, part, &mut command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Signal;

    #[tokio::test]
    async fn it_comes_back_with_the_same_environment_and_directory() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        let mut command = Command::new("sleep");
        command.arg("60").env_clear().env("A", "b=c").current_dir("/var");
        let first = launch(&home, "nap", &mut command).unwrap();
        let snapshot = Snapshot::of(&first).unwrap();
        first.end(Signal::KILL, std::time::Duration::from_secs(5)).await;

        let second = snapshot.start(&home, "nap-again").unwrap();
        assert_ne!(second.pid(), first.pid());
        assert_eq!(second.arguments(), ["sleep", "60"]);
        assert_eq!(second.variable("A").unwrap(), "b=c");
        assert_eq!(second.directory().unwrap().to_str(), Some("/var"));
        second.signal(Signal::KILL);
    }
}
