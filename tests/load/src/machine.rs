//! Where and of what a figure is: one without that says nothing.

use std::{fs, process::Command};

use serde::Serialize;

/// The machine, and what ran on it.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Processors that this process may use.
    pub cores: usize,
    /// What they are.
    pub processor: String,
    /// MiB.
    pub memory: u64,
    /// The kernel's release.
    pub kernel: String,
    /// The commit of the repository, with `-dirty` when files differ from it.
    pub commit: String,
    /// Versions of PostgreSQL and of the modules that the sidecar is built from.
    pub versions: Vec<String>,
}

impl Machine {
    /// This one.
    pub fn read() -> Self {
        let repo = testkit::repo().unwrap_or_default();
        let field = |file: &str, name: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let memory = field("/proc/meminfo", "MemTotal");
        let modules = fs::read_to_string(repo.join("dapr/runtime/go.mod")).unwrap_or_default();
        let mut versions: Vec<_> = modules
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("github.com/dapr/") && !line.contains("// indirect"))
            .map(|line| line.trim_start_matches("github.com/").to_owned())
            .collect();
        versions.extend(output(Command::new("psql").arg("--version")));
        versions.extend(output(Command::new("rustc").arg("--version").current_dir(&repo)));
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: field("/proc/cpuinfo", "model name"),
            memory: memory.split(' ').next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024,
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            commit: output(Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(&repo))
                .unwrap_or_default(),
            versions,
        }
    }

    /// One line.
    pub fn line(&self) -> String {
        let Self { cores, processor, memory, kernel, commit, versions } = self;
        format!("{cores} cores ({processor}), {memory} MiB, Linux {kernel}; {commit}; {}", versions.join(", "))
    }
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
