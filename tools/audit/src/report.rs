//! What a run tells: a line for each service, and what was found.

use std::fmt::Write as _;

use audit::checkpoint::Checkpoint;

use crate::Finding;

/// More are counted and not listed.
const LISTED: usize = 10;

/// What was found in one chain.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whose.
    pub service: String,
    /// How many entries there are.
    pub entries: u64,
    /// How many of them have details.
    pub details: u64,
    /// How many had some, which are gone: that is what erasure does.
    pub purged: u64,
    /// How many are not sealed yet.
    pub waiting: i64,
    /// The newest that the service signed.
    pub checkpoint: Option<Checkpoint>,
    /// In the order of their positions.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty()
    }

    fn row(&self) -> [String; 7] {
        let signed = self.checkpoint.as_ref();
        [
            self.service.clone(),
            self.entries.to_string(),
            self.details.to_string(),
            self.purged.to_string(),
            self.waiting.to_string(),
            signed.map_or_else(|| "none".to_owned(), |signed| signed.position.to_string()),
            match self.findings.as_slice() {
                [] => "intact".to_owned(),
                [one] => format!("BROKEN at {}", one.position()),
                [first, ..] => format!("BROKEN at {} and after ({} findings)", first.position(), self.findings.len()),
            },
        ]
    }
}

/// The table, what was found, and the newest checkpoints, to be kept elsewhere.
pub fn table(reports: &[Report]) -> String {
    let head = ["service", "entries", "details", "purged", "waiting", "signed to", "verdict"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(reports.iter().map(Report::row)).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for report in reports.iter().filter(|report| !report.is_intact()) {
        text.push('\n');
        for finding in report.findings.iter().take(LISTED) {
            let _ = writeln!(text, "{}: {finding}", report.service);
        }
        if report.findings.len() > LISTED {
            let _ = writeln!(text, "{}: and {} more", report.service, report.findings.len() - LISTED);
        }
    }
    let checkpoints: Vec<_> = reports.iter().filter_map(|report| report.checkpoint.as_ref()).collect();
    if !checkpoints.is_empty() {
        text.push('\n');
    }
    for checkpoint in checkpoints {
        let _ = writeln!(text, "checkpoint {}", serde_json::to_string(checkpoint).unwrap_or_default());
    }
    text
}
