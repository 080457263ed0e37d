//! Where and of what a figure is: one without that says nothing.

use std::{
    fs,
    hint::black_box,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    process::Command,
    thread,
    time::Instant,
};

use anyhow::Result;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::tally::{micros, quotient};

/// Hashed by each thread of a trial.
const BLOCK: [u8; 1 << 14] = [7; 1 << 14];
const BLOCKS: u64 = 4096;
/// How often two threads hand a byte to and fro.
const HANDOVERS: u32 = 20_000;

/// The machine, and what ran on it.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Processors that this process may use.
    pub cores: usize,
    /// What they are.
    pub processor: String,
    /// MiB.
    pub memory: u64,
    /// MB of SHA-256 a second, by one thread and by one for each core together, just before the run.
    ///
    /// A guest does not see what its host gives to others: figures compare only where these do.
    pub hashed: (f64, f64),
    /// Microseconds until a thread that sleeps on a socket has what another one sends it.
    ///
    /// A call through a sidecar is four of these at the least, and on a virtual machine they differ much more than
    /// arithmetic does.
    pub handover: f64,
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
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            cores,
            hashed: (hashed(1), hashed(cores)),
            handover: handover().unwrap_or_default(),
            processor: field("/proc/cpuinfo", "model name"),
            memory: memory.split(' ').next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024,
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            commit: output(Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(&repo))
                .unwrap_or_default(),
            versions,
        }
    }

    /// Two lines.
    pub fn line(&self) -> String {
        let Self { cores, processor, memory, hashed: (one, all), handover, kernel, commit, versions } = self;
        let versions = versions.join(", ");
        format!(
            "{cores} cores ({processor}; SHA-256 {one:.0} MB/s on one, {all:.0} on all; a hand-over {handover:.1} us), {memory} MiB, Linux {kernel}\n\
             {commit}; {versions}"
        )
    }
}

/// How many megabytes so many threads hash in a second.
fn hashed(threads: usize) -> f64 {
    let begun = Instant::now();
    let work = || {
        for _ in 0..BLOCKS {
            black_box(Sha256::digest(black_box(BLOCK)));
        }
    };
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let bytes = BLOCKS * BLOCK.len() as u64 * threads as u64;
    quotient(bytes, micros(begun.elapsed()))
}

/// How many microseconds it takes to wake another thread by a byte.
fn handover() -> Result<f64> {
    let (mut here, mut there) = UnixStream::pair()?;
    let echo = thread::spawn(move || {
        let mut byte = [0];
        while there.read_exact(&mut byte).is_ok() && there.write_all(&byte).is_ok() {}
    });
    let (begun, mut byte) = (Instant::now(), [0]);
    for _ in 0..HANDOVERS / 2 {
        here.write_all(&byte)?;
        here.read_exact(&mut byte)?;
    }
    let elapsed = begun.elapsed();
    drop(here);
    let _ = echo.join();
    Ok(quotient(micros(elapsed), HANDOVERS.into()))
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
