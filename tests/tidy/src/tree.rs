//! The text of the repository, as the rules see it.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};

/// What is made, fetched or somebody else's.
const SKIPPED: [&str; 7] = [".git", ".pms", ".dapr", "target", "node_modules", "cdk.out", "dist"];

/// Nothing longer is written by hand.
const LIMIT: u64 = 1 << 20;

/// Files by their path from the root, with `/` between the parts.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Every text file of the repository at `root`.
    pub fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file()
                && entry.metadata()?.len() <= LIMIT
                && let Ok(text) = fs::read_to_string(entry.path())
            {
                self.files.insert(path, text);
            }
        }
        Ok(())
    }

    /// A tree for a test of a rule.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self { files: files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect() }
    }

    /// The content of a file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Every file whose path begins with `prefix`.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .range(prefix.to_owned()..)
            .take_while(move |(path, _)| path.starts_with(prefix))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every file with this ending.
    pub fn ending(&self, suffix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.under("").filter(move |(path, _)| path.ends_with(suffix))
    }

    /// The names of the services.
    pub fn services(&self) -> Vec<&str> {
        self.names_in("services/")
    }

    /// The folders of `folder`, which ends in a slash; a file in it is not one.
    pub fn names_in<'a>(&'a self, folder: &'a str) -> Vec<&'a str> {
        let mut names: Vec<&str> = self
            .under(folder)
            .filter_map(|(path, _)| path[folder.len()..].split_once('/'))
            .map(|(name, _)| name)
            .collect();
        names.dedup();
        names
    }
}

/// Whether the file is one of Rust's.
pub fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// The lines of a Rust file, counted from 1, without line comments.
pub fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(number, line)| {
        let code = if line.trim_start().starts_with("//") { "" } else { line.split(" // ").next().unwrap_or_default() };
        (number + 1, code)
    })
}

/// Whether `word` stands in the line with nothing around it that would make it part of a longer one.
pub fn has_word(line: &str, word: &str) -> bool {
    let in_a_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(start, _)| {
        let goes_on = word.ends_with(in_a_word) && line[start + word.len()..].starts_with(in_a_word);
        !goes_on && !line[..start].ends_with(in_a_word)
    })
}

/// The string literals of a Rust file, with the lines in which they stand.
pub fn literals(text: &str) -> Vec<(usize, &str)> {
    code_lines(text)
        .flat_map(|(number, line)| line.split('"').skip(1).step_by(2).map(move |literal| (number, literal)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_once_and_files_are_none() {
        let tree = Tree::of([("services/a/x", ""), ("services/a/y", ""), ("services/b/x", ""), ("services/z", "")]);
        assert_eq!(tree.services(), ["a", "b"]);
    }

    #[test]
    fn a_word_is_a_whole_one() {
        assert!(has_word("use tokio::sync;", "tokio"));
        assert!(has_word("sidecar::Documents", "sidecar::"));
        assert!(!has_word("let asynchronous = 1;", "async"));
        assert!(!has_word("my_tokio", "tokio"));
    }

    #[test]
    fn comments_are_not_code() {
        let lines: Vec<_> = code_lines("// tokio\nlet x = 1; // tokio\n    /// tokio\n").collect();
        assert_eq!(lines, [(1, ""), (2, "let x = 1;"), (3, "")]);
    }

    #[test]
    fn literals_are_found_with_their_lines() {
        assert_eq!(literals("f(\"A\", \"B\");\n// \"C\"\ng(\"D\");"), [(1, "A"), (1, "B"), (3, "D")]);
    }
}
