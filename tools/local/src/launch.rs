//! Starts a part in the background: its own log, its own process group, a record of what runs.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokio::process::{Child, Command};

use crate::{
    home::Home,
    process::{HOME_MARK, Process},
};

const VISIBLE: Duration = Duration::from_secs(1);

/// How much of a log a failure shows.
const TAIL_LINES: usize = 25;
const TAIL_BYTES: u64 = 64 << 10;

/// Starts `command` as a part of the home; it goes on when this program ends.
pub fn launch(home: &Home, part: &str, command: &mut Command) -> Result<Process> {
    let log = open_log(&home.log(part))?;
    Ok(spawn(home, part, command, log)?.1)
}

/// Starts `command` as a part of the home that writes to this log, and keeps hold of it.
pub(crate) fn spawn(home: &Home, part: &str, command: &mut Command, log: File) -> Result<(Child, Process)> {
    let child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // An interrupt from the keyboard is for the one who waits, not for what has been started.
        .process_group(0)
        .env(HOME_MARK, home.root())
        .spawn()
        .with_context(|| format!("starting {part}"))?;
    let process =
        child.id().and_then(Process::of).with_context(|| format!("{part} ended at once\n{}", tail(&home.log(part))))?;
    process.record(home, part)?;
    // Its environment and arguments can be read a moment after the program has begun.
    let deadline = Instant::now() + VISIBLE;
    while process.is_running() && process.arguments().is_empty() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    Ok((child, process))
}

/// A new log for each start, so that its end tells about this one; that of the start before is kept.
pub(crate) fn open_log(path: &Path) -> Result<File> {
    if path.exists() {
        fs::rename(path, path.with_extension("old.log"))?;
    }
    File::options().create(true).append(true).open(path).with_context(|| format!("opening {}", path.display()))
}

/// The last lines of a log, indented, under its path; what a failure shows.
pub fn tail(path: &Path) -> String {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        file.read_to_end(&mut text)
    });
    if read.is_err() {
        return format!("  (no log at {})", path.display());
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    format!("  the end of {}:\n    {}", path.display(), last.join("\n    "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_the_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("x.log");
        let text: Vec<String> = (0..100).map(|line| format!("line {line}")).collect();
        fs::write(&log, text.join("\n")).unwrap();
        let tail = tail(&log);
        assert!(tail.contains("line 99") && tail.contains("line 75"));
        assert!(!tail.contains("line 74"));
    }

    #[tokio::test]
    async fn what_is_launched_is_found_by_its_home() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        let other = tempfile::tempdir().unwrap();
        let other = Home::create(other.path()).unwrap();
        let part = launch(&home, "nap", Command::new("sleep").arg("60")).unwrap();
        assert_eq!(Process::recorded(&home, "nap"), Some(part.clone()));
        assert_eq!(Process::all_of(&home), std::slice::from_ref(&part));
        assert_eq!(Process::all_of(&other), []);
        part.signal(crate::process::Signal::KILL);
    }
}
