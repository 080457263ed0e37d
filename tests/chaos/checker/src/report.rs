//! What was found, line by line.

use std::io::{Write as _, stdout};

use anyhow::Result;
use serde::Serialize;

/// How many offenders of a line are shown.
const SHOWN: usize = 8;

/// One promise, and what speaks against it.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    /// The name that others know it by.
    pub(crate) name: &'static str,
    /// The promise.
    pub(crate) promise: &'static str,
    /// How many things were looked at.
    pub(crate) checked: usize,
    /// How many of them offend.
    pub(crate) offenders: usize,
    /// The first of these.
    pub(crate) first: Vec<String>,
}

impl Line {
    pub(crate) fn new(name: &'static str, promise: &'static str) -> Self {
        Self { name, promise, checked: 0, offenders: 0, first: Vec::new() }
    }

    /// Looks at one thing.
    pub(crate) fn check(&mut self, holds: bool, offence: impl FnOnce() -> String) {
        self.checked += 1;
        if !holds {
            self.offends(offence());
        }
    }

    /// Notes what speaks against the promise.
    pub(crate) fn offends(&mut self, offence: String) {
        self.offenders += 1;
        if self.first.len() < SHOWN {
            self.first.push(offence);
        }
    }
}

/// All lines.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) lines: Vec<Line>,
}

impl Report {
    pub(crate) fn holds(&self) -> bool {
        self.lines.iter().all(|line| line.offenders == 0)
    }

    pub(crate) fn print(&self, json: bool) -> Result<()> {
        let mut out = stdout().lock();
        if json {
            serde_json::to_writer(&mut out, self)?;
            writeln!(out)?;
            return Ok(());
        }
        for Line { name, promise, checked, offenders, first } in &self.lines {
            let verdict = if *offenders == 0 { "holds" } else { "BROKEN" };
            writeln!(out, "{name:<14} {verdict:<7} {checked:>7} checked {offenders:>6} offend  {promise}")?;
            for offence in first {
                writeln!(out, "    {offence}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_offence_breaks_the_report() {
        let mut line = Line::new("x", "nothing is odd");
        line.check(true, String::new);
        assert!(Report { lines: vec![Line { first: Vec::new(), ..line }] }.holds());
        let mut line = Line::new("x", "nothing is odd");
        for n in 0..20 {
            line.check(false, || format!("{n} is odd"));
        }
        assert_eq!((line.checked, line.offenders, line.first.len()), (20, 20, SHOWN));
        assert!(!Report { lines: vec![line] }.holds());
    }
}
