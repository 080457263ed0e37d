//! One shape for every service: who knows one knows them all.

use crate::{Finding, Tree};

const ROOT: [&str; 7] =
    ["Cargo.toml", "README.md", "migrations", "openapi.yaml", "proptest-regressions", "src", "tests"];
const SOURCE: [&str; 9] = ["app", "config", "domain", "fhir", "inbound", "lib", "main", "outbound", "service"];

/// What no service can be without. A missing `domain` or `outbound` tells something.
const NEEDED: [&str; 7] =
    ["Cargo.toml", "README.md", "openapi.yaml", "src/app.rs", "src/config.rs", "src/lib.rs", "src/main.rs"];

/// Lines beyond which `main.rs` is no outline any more.
const OUTLINE: usize = 60;

/// The same names in every service.
pub fn same_names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in tree.services() {
        let folder = format!("services/{service}/");
        for (path, text) in tree.under(&folder) {
            let mut parts = path[folder.len()..].split('/');
            let first = parts.next().unwrap_or_default();
            if !ROOT.contains(&first) {
                findings.push(format!("{path}: no service has a {first:?}"));
            }
            let second = parts.next().filter(|_| first == "src").map(|name| name.trim_end_matches(".rs"));
            if let Some(second) = second.filter(|name| !SOURCE.contains(name)) {
                findings.push(format!("{path}: no service has a \"src/{second}\""));
            }
            if path.ends_with("/src/main.rs") && text.lines().count() > OUTLINE {
                findings.push(format!("{path}: an outline has {OUTLINE} lines at most"));
            }
        }
        for needed in NEEDED.iter().map(|name| format!("{folder}{name}")).filter(|path| tree.get(path).is_none()) {
            findings.push(format!("{needed} is missing"));
        }
    }
    findings
}

/// A module's file stands beside its folder, never in it.
pub fn no_mod_files(tree: &Tree) -> Vec<Finding> {
    tree.ending("/mod.rs").map(|(path, _)| format!("{path}: name it after its folder, beside it")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Vec<(String, &'static str)> {
        NEEDED.iter().map(|name| (format!("services/a/{name}"), "x")).collect()
    }

    fn check(extra: &[(&str, &str)]) -> Vec<Finding> {
        let service = service();
        same_names(&Tree::of(service.iter().map(|(path, text)| (path.as_str(), *text)).chain(extra.iter().copied())))
    }

    #[test]
    fn the_shape_itself_is_good() {
        assert_eq!(check(&[("services/a/src/domain/x.rs", ""), ("services/a/migrations/1.sql", "")]), [""; 0]);
    }

    #[test]
    fn another_name_is_found() {
        assert_eq!(check(&[("services/a/src/handlers/x.rs", "")]).len(), 1);
        assert_eq!(check(&[("services/a/sql/x.sql", "")]).len(), 1);
    }

    #[test]
    fn a_missing_file_and_a_long_outline_are_found() {
        assert_eq!(same_names(&Tree::of([("services/a/README.md", "")])).len(), NEEDED.len() - 1);
        assert_eq!(check(&[("services/a/src/main.rs", &"x\n".repeat(OUTLINE + 1))]).len(), 1);
    }

    #[test]
    fn a_mod_file_is_found() {
        assert_eq!(no_mod_files(&Tree::of([("crates/a/src/x/mod.rs", "")])).len(), 1);
    }
}
