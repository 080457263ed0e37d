//! A file is short enough to be read at one go.

use std::collections::BTreeMap;

use crate::{Finding, Tree};

const LIMIT: usize = 400;

/// The files that may be longer, each with its reason: `<path>: <reason>`.
const EXCEPTIONS: &str = "tests/tidy/long-files.txt";

/// No Rust file is longer than the limit, except for those that say why.
pub fn short_files(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut exceptions = BTreeMap::new();
    for line in
        tree.get(EXCEPTIONS).unwrap_or_default().lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        match line.split_once(": ").filter(|(_, reason)| !reason.trim().is_empty()) {
            Some((path, reason)) => {
                exceptions.insert(path, reason);
            }
            None => findings.push(format!("{EXCEPTIONS}: {line:?} is not `<path>: <reason>`")),
        }
    }
    for (path, text) in tree.ending(".rs") {
        let lines = text.lines().count();
        if lines > LIMIT && exceptions.remove(path).is_none() {
            findings.push(format!("{path}: {lines} lines, {LIMIT} is the limit"));
        }
    }
    findings.extend(exceptions.keys().map(|path| format!("{EXCEPTIONS}: {path} is no longer that long")));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found_unless_it_has_a_reason() {
        let long = "x\n".repeat(LIMIT + 1);
        let files = [("crates/a/src/lib.rs", long.as_str()), ("crates/b/src/lib.rs", "x\n")];
        assert_eq!(short_files(&Tree::of(files)).len(), 1);
        let excused = Tree::of(files.into_iter().chain([(EXCEPTIONS, "crates/a/src/lib.rs: one table\n")]));
        assert_eq!(short_files(&excused), [""; 0]);
    }

    #[test]
    fn an_exception_needs_a_reason_and_a_use() {
        assert_eq!(short_files(&Tree::of([(EXCEPTIONS, "a.rs\nb.rs: \n")])).len(), 2);
        assert_eq!(short_files(&Tree::of([(EXCEPTIONS, "a.rs: one table\n")])).len(), 1);
    }
}
