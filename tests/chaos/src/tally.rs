//! What the clients' log comes to.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use serde_json::Value;

/// Counts of requests.
#[derive(Debug, Default)]
pub struct Tally {
    /// Entries of the log, by what was wanted and how it ended.
    pub answers: BTreeMap<(String, String), u64>,
    /// How often was asked.
    pub attempts: u64,
    /// How attempts ended that were no answer.
    pub faults: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn of(log: &Path) -> Result<Self> {
        let mut tally = Self::default();
        for line in std::fs::read_to_string(log)?.lines() {
            let entry: Value = serde_json::from_str(line)?;
            let wish = entry["wish"].as_str().unwrap_or_default().to_owned();
            let status = entry["status"].as_u64().map_or("none".to_owned(), |status| status.to_string());
            *tally.answers.entry((wish, status)).or_default() += 1;
            tally.attempts += entry["attempts"].as_u64().unwrap_or_default();
            for (fault, count) in entry["faults"].as_object().into_iter().flatten() {
                *tally.faults.entry(fault.clone()).or_default() += count.as_u64().unwrap_or_default();
            }
        }
        Ok(tally)
    }
}
