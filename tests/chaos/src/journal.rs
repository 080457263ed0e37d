//! What clients and injections write down, for the checker: one JSON object on each line, appended and never changed.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;

/// A file that only grows.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: Mutex<File>,
}

/// What a client wants.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Wish {
    Register,
    Replay,
    Duplicate,
    Amend,
    Book,
    Rebook,
    Reschedule,
    Cancel,
    Arrive,
    CheckIn,
    Start,
    Complete,
    Wait,
    Take,
    Observe,
    Correct,
    Visit,
    Finish,
    Draft,
    Issue,
    Pay,
    Repay,
    Credit,
    WriteOff,
    Refund,
    Insure,
    Claim,
    Prepare,
    Submit,
    Acknowledge,
    Remit,
    Reremit,
}

/// A request with its final answer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) client: u32,
    pub(crate) wish: Wish,
    pub(crate) key: String,
    /// What it is about: the patient, or what is changed.
    pub(crate) subject: Option<String>,
    pub(crate) seen: Option<u64>,
    pub(crate) contended: bool,
    pub(crate) body: Value,
    pub(crate) status: Option<u16>,
    pub(crate) etag: Option<String>,
    pub(crate) answer: Value,
    pub(crate) attempts: u32,
    pub(crate) faults: BTreeMap<String, u32>,
    /// How long the attempt took that was answered.
    pub(crate) took_ms: u128,
    pub(crate) at: String,
}

impl Journal {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let file = File::options().create_new(true).append(true).open(path);
        let file = file.with_context(|| format!("creating {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends; when it returns, the line has left this process.
    pub(crate) fn append(&self, entry: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)?;
        Ok(())
    }
}
