//! Processes, known by number and start, so that a number that was given out again is never taken for the old one.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
pub use rustix::process::Signal;
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::{
    home::{Home, read_optional, write_private},
    launch::tail,
};

/// The variable by which the processes of a home are found again, whoever started them.
pub const HOME_MARK: &str = "PMS_SYSTEM";

const POLL: Duration = Duration::from_millis(20);

/// One process, even after it has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pid: i32,
    /// Clock ticks since the machine's start.
    started: u64,
    /// Which start of the machine that was.
    boot: String,
}

impl Process {
    /// The process that has this number now.
    pub fn of(pid: u32) -> Option<Self> {
        let pid = i32::try_from(pid).ok()?;
        Some(Self { pid, started: start(pid)?, boot: boot()? })
    }

    /// The process that was recorded as this part of the home, if it still runs.
    pub fn recorded(home: &Home, part: &str) -> Option<Self> {
        let text = read_optional(&home.run(&format!("{part}.pid"))).ok()??;
        let process: Self = serde_json::from_str(&text).ok()?;
        process.is_running().then_some(process)
    }

    /// Remembers this process as a part of the home.
    pub fn record(&self, home: &Home, part: &str) -> Result<()> {
        write_private(&home.run(&format!("{part}.pid")), &serde_json::to_string(self)?)
    }

    /// Every running process that was started for this home and still has its environment.
    ///
    /// PostgreSQL overwrites its own, and is found by its record alone.
    pub fn all_of(home: &Home) -> Vec<Self> {
        let Ok(entries) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        let own = home.root().as_os_str();
        entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(Self::of)
            .filter(|process| process.variable(HOME_MARK).is_some_and(|value| value == own))
            .collect()
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// Whether it runs; one that ended and only waits to be collected does not.
    pub fn is_running(&self) -> bool {
        start(self.pid) == Some(self.started) && boot().as_ref() == Some(&self.boot)
    }

    /// Sends a signal, unless the process has ended; tells whether it was sent.
    pub fn signal(&self, signal: Signal) -> bool {
        // The handle pins the process before it is compared, so the signal cannot go to another.
        let Some(pid) = Pid::from_raw(self.pid) else {
            return false;
        };
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else {
            return false;
        };
        self.is_running() && pidfd_send_signal(handle, signal).is_ok()
    }

    /// Waits until it has ended; false when it still runs after `limit`.
    pub async fn ended(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.is_running() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(POLL).await;
        }
        true
    }

    /// Asks by `signal`, and after `limit` kills.
    pub async fn end(&self, signal: Signal, limit: Duration) {
        self.signal(signal);
        if !self.ended(limit).await {
            self.signal(Signal::KILL);
            self.ended(limit).await;
        }
    }

    /// Its program, as the path that it was started from.
    pub fn program(&self) -> Option<PathBuf> {
        let link = fs::read_link(self.proc("exe")).ok()?;
        // The kernel adds this when the file has been replaced meanwhile.
        let path = link.as_os_str().as_bytes();
        let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
        Some(OsStr::from_bytes(path).into())
    }

    /// The last part of the program's path.
    pub fn name(&self) -> Option<String> {
        Some(self.program()?.file_name()?.to_string_lossy().into_owned())
    }

    /// What stands for the very file that it runs, which a new build at the same path does not change.
    pub fn image(&self) -> PathBuf {
        self.proc("exe")
    }

    /// Its command line, program first.
    pub fn arguments(&self) -> Vec<OsString> {
        split(&fs::read(self.proc("cmdline")).unwrap_or_default())
    }

    /// Its environment at its start.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        split(&fs::read(self.proc("environ")).unwrap_or_default())
            .into_iter()
            .filter_map(|pair| {
                let bytes = pair.as_bytes();
                let at = bytes.iter().position(|byte| *byte == b'=')?;
                Some((OsStr::from_bytes(&bytes[..at]).into(), OsStr::from_bytes(&bytes[at + 1..]).into()))
            })
            .collect()
    }

    /// One variable of its environment.
    pub fn variable(&self, name: &str) -> Option<OsString> {
        self.environment().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Its working directory.
    pub fn directory(&self) -> Option<PathBuf> {
        fs::read_link(self.proc("cwd")).ok()
    }

    /// Its resident memory in KiB.
    pub fn resident_kib(&self) -> u64 {
        field(&self.proc("status"), "VmRSS:").unwrap_or(0)
    }

    /// Its share of the memory in KiB: of a page that several processes hold, each counts a part.
    pub fn share_kib(&self) -> u64 {
        field(&self.proc("smaps_rollup"), "Pss:").unwrap_or_else(|| self.resident_kib())
    }

    /// The processes that it started and that have not ended.
    pub fn children(&self) -> Vec<Self> {
        fs::read_to_string(self.proc(&format!("task/{}/children", self.pid)))
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|pid| Self::of(pid.parse().ok()?))
            .collect()
    }

    fn proc(&self, file: &str) -> PathBuf {
        Path::new("/proc").join(self.pid.to_string()).join(file)
    }
}

fn split(bytes: &[u8]) -> Vec<OsString> {
    bytes
        .split(|byte| *byte == 0)
        .filter(|part| !part.is_empty())
        .map(|part| OsString::from_vec(part.to_vec()))
        .collect()
}

fn field(file: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn boot() -> Option<String> {
    Some(fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}

fn start(pid: i32) -> Option<u64> {
    parse_start(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The start from `/proc/<pid>/stat`, of a process that has not ended.
fn parse_start(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses, and may itself hold both.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let (state, threads) = (*fields.first()?, fields.get(17)?.parse::<u32>().ok()?);
    // Of a killed program the first thread may be gone while others still hold its ports.
    if matches!(state, "Z" | "X") && threads <= 1 {
        return None;
    }
    fields.get(19)?.parse().ok()
}

/// Waits until `ready` answers true; when `process` ends first or `limit` has passed, the error shows its log.
pub(crate) async fn wait_ready(
    process: &Process,
    log: &Path,
    limit: Duration,
    ready: impl AsyncFn() -> bool,
) -> Result<()> {
    let part = log.file_stem().unwrap_or_default().display();
    let deadline = Instant::now() + limit;
    loop {
        if ready().await {
            return Ok(());
        }
        if !process.is_running() {
            anyhow::bail!("{part} ended while it was starting\n{}", tail(log));
        }
        if Instant::now() >= deadline {
            anyhow::bail!("{part} is not ready after {} s\n{}", limit.as_secs(), tail(log));
        }
        sleep(POLL).await;
    }
}

/// Runs a program to its end, for its output; its complaint is part of the error.
///
/// It ends with whoever waits for it.
pub(crate) async fn output(command: &mut tokio::process::Command) -> Result<String> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let output = command.kill_on_drop(true).output().await.with_context(|| format!("running {program}"))?;
    if !output.status.success() {
        anyhow::bail!(
            "{program} failed ({}): {}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_read_past_a_name_with_parentheses() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4242 99 1";
        assert_eq!(parse_start(stat), Some(4242));
        assert_eq!(parse_start(&stat.replace(") S", ") Z")), None);
    }

    #[test]
    fn a_process_has_ended_when_its_last_thread_has() {
        let stat = "7 (java) Z 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 31 0 4242 99 1";
        assert_eq!(parse_start(stat), Some(4242));
        assert_eq!(parse_start(&stat.replace(" 31 ", " 1 ")), None);
    }

    #[test]
    fn a_number_that_was_given_out_again_is_another_process() {
        let own = Process::of(std::process::id()).unwrap();
        assert!(own.is_running());
        let earlier = Process { started: own.started - 1, ..own.clone() };
        assert!(!earlier.is_running());
        assert!(!earlier.signal(Signal::KILL));
        let before_the_restart = Process { boot: "another".into(), ..own };
        assert!(!before_the_restart.signal(Signal::KILL));
    }

    #[test]
    fn a_record_is_read_back_while_the_process_runs() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        let own = Process::of(std::process::id()).unwrap();
        own.record(&home, "part").unwrap();
        assert_eq!(Process::recorded(&home, "part"), Some(own.clone()));
        Process { started: 1, ..own }.record(&home, "part").unwrap();
        assert_eq!(Process::recorded(&home, "part"), None);
    }

    #[tokio::test]
    async fn an_ended_child_has_ended_even_before_it_is_collected() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::of(child.id()).unwrap();
        assert_eq!(process.name().as_deref(), Some("sleep"));
        process.end(Signal::TERM, Duration::from_secs(5)).await;
        assert!(!process.is_running());
        child.wait().unwrap();
    }
}
