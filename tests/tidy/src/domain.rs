//! `domain/` is free of I/O, clocks and chance: it decides, and others ask, load, save and tell.

use crate::{
    Finding, Tree,
    tree::{code_lines, has_word},
};

const FOREIGN: [&str; 16] = [
    "Timestamp::now",
    "async",
    "axum",
    "contracts::",
    "dapr",
    "http",
    "now_v7",
    "rand",
    "reqwest",
    "runtime::",
    "sidecar::",
    "sqlx",
    "tokio",
    "tonic",
    "tracing",
    "vars_os",
];

/// Nothing in a domain names a framework, a driver, a log, the present moment or a dice.
pub fn free_of_io(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.under("services/") {
        let Some((_, rest)) = path.split_once("/src/") else { continue };
        if rest.ends_with("/tests.rs") || rest != "domain.rs" && !rest.starts_with("domain/") {
            continue;
        }
        for (number, line) in code_lines(text) {
            let line = without_literals(line);
            findings.extend(
                FOREIGN
                    .iter()
                    .filter(|word| has_word(&line, word))
                    .map(|word| format!("{path}:{number}: {word} in the domain")),
            );
        }
    }
    findings
}

/// A text, such as the URI of an identifier system, may name anything.
fn without_literals(line: &str) -> String {
    line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_foreign_word_is_found_and_only_in_the_domain() {
        let bad = "use tokio::fs;\nasync fn f() {}\nuse sidecar::Failure;\n";
        let findings = free_of_io(&Tree::of([
            ("services/a/src/domain/x.rs", bad),
            ("services/a/src/domain.rs", "use axum::Json;\nlet now = Timestamp::now();"),
            ("services/a/src/service.rs", bad),
        ]));
        assert_eq!(findings.len(), 5, "{findings:?}");
        assert!(findings.contains(&"services/a/src/domain/x.rs:2: async in the domain".to_owned()));
    }

    #[test]
    fn comments_and_texts_are_free() {
        let good = "// tokio\nconst SYSTEM: &str = \"http://example.org\";\nlet asynchronous = 1;\n";
        assert_eq!(free_of_io(&Tree::of([("services/a/src/domain/x.rs", good)])), [""; 0]);
    }
}
