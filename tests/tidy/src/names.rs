//! A name says what is inside. One that fits anything gathers everything.

use std::collections::BTreeSet;

use crate::{
    Finding, Tree,
    tree::{code_lines, is_rust},
};

const EMPTY: [&str; 8] = ["common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"];

/// No file, folder or module has a name that says nothing.
pub fn say_something(tree: &Tree) -> Vec<Finding> {
    let mut findings = BTreeSet::new();
    for (path, text) in tree.under("") {
        for part in path.split('/') {
            if let Some(word) = words(part).find(|word| EMPTY.contains(word)) {
                findings.insert(format!("{path}: the name {part:?} says {word:?}"));
            }
        }
        if is_rust(path) {
            for (number, line) in code_lines(text) {
                let name = line.split_once("mod ").and_then(|(_, rest)| rest.split([';', ' ', '{']).next());
                if let Some(word) =
                    name.filter(|_| is_module(line)).and_then(|name| words(name).find(|word| EMPTY.contains(word)))
                {
                    findings.insert(format!("{path}:{number}: a module says {word:?}"));
                }
            }
        }
    }
    findings.into_iter().collect()
}

fn is_module(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("mod ") || (line.starts_with("pub") && line.contains(" mod "))
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(['.', '-', '_'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names_are_found_in_files_folders_and_modules() {
        let tree = Tree::of([
            ("crates/common/src/lib.rs", ""),
            ("services/a/src/state_manager.rs", ""),
            ("services/a/src/lib.rs", "pub(crate) mod utils;\nmod date_helpers {\n"),
        ]);
        assert_eq!(say_something(&tree).len(), 4, "{:?}", say_something(&tree));
    }

    #[test]
    fn words_inside_other_words_are_free() {
        let tree = Tree::of([("services/a/src/commonwealth.rs", "mod management;\nlet model = utils;\n")]);
        assert_eq!(say_something(&tree), [""; 0]);
    }
}
