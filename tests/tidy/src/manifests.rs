//! Every crate takes what the workspace has decided.

use crate::{Finding, Tree};

/// Every crate has the lints of the workspace.
pub fn inherit_lints(tree: &Tree) -> Vec<Finding> {
    packages(tree)
        .filter(|(_, text)| !section(text, "[lints]").any(|line| line == "workspace = true"))
        .map(|(path, _)| format!("{path}: `[lints] workspace = true` is missing"))
        .collect()
}

/// A version stands once, in the manifest of the workspace.
pub fn inherit_versions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in packages(tree) {
        for title in ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"] {
            for line in section(text, title).filter(|line| line.contains('=') && !line.contains("workspace = true")) {
                findings.push(format!("{path}: {line}: take it from the workspace"));
            }
        }
    }
    findings
}

fn packages(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.ending("/Cargo.toml").filter(|(_, text)| text.contains("[package]"))
}

/// The entries of a section. One that spans lines is read to its end as one.
fn section<'a>(text: &'a str, title: &'a str) -> impl Iterator<Item = String> + 'a {
    let lines = text.lines().skip_while(move |line| line.trim() != title).skip(1);
    let mut entries: Vec<String> = Vec::new();
    let mut depth = 0;
    for line in lines.take_while(|line| !line.starts_with('[')) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entries.last_mut().filter(|_| depth > 0) {
            Some(entry) => entry.push_str(line),
            None => entries.push(line.to_owned()),
        }
        depth += line.matches(['{', '[']).count();
        depth -= line.matches(['}', ']']).count().min(depth);
    }
    entries.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"x\"\n[lints]\nworkspace = true\n[dependencies]\na.workspace = true\nb = { workspace = true, features = [\n  \"c\",\n] }\n";

    #[test]
    fn a_crate_that_inherits_is_good() {
        let tree = Tree::of([("crates/x/Cargo.toml", GOOD), ("Cargo.toml", "[workspace]\n")]);
        assert_eq!(inherit_lints(&tree), [""; 0]);
        assert_eq!(inherit_versions(&tree), [""; 0]);
    }

    #[test]
    fn missing_lints_are_found() {
        let bad = GOOD.replace("[lints]\nworkspace = true\n", "[lints.rust]\nunsafe_code = \"allow\"\n");
        assert_eq!(inherit_lints(&Tree::of([("crates/x/Cargo.toml", bad.as_str())])).len(), 1);
    }

    #[test]
    fn a_version_of_its_own_is_found() {
        let bad = GOOD.replace("a.workspace = true", "a = \"1\"\nd = { version = \"2\" }");
        assert_eq!(inherit_versions(&Tree::of([("crates/x/Cargo.toml", bad.as_str())])).len(), 2);
    }
}
