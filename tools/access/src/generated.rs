//! The files that follow from the matrix.

mod configuration;
mod document;
mod openapi;
mod pubsub;
mod roles;
mod subscription;

use std::{collections::BTreeMap, fs, io, path::Path};

use anyhow::{Context as _, Result};

use crate::matrix::Matrix;

/// Where the matrix stands.
pub const SOURCE: &str = "dapr/access.yaml";

/// The folders in which nothing else may be.
const OWNED: [&str; 2] = ["dapr/config", "dapr/subscriptions"];

/// The first line of every generated file, less the comment's mark.
const NOTICE: &str = "Made by `pms-access write` from dapr/access.yaml: edit that.";

/// The matrix of the repository at `root`.
pub fn matrix(root: &Path) -> Result<Matrix> {
    let text = read(root, SOURCE)?;
    Matrix::parse(&text).with_context(|| format!("in {SOURCE}"))
}

/// Brings every file up to date and answers the paths of those that were not.
pub fn write(root: &Path) -> Result<Vec<String>> {
    let wanted = files(root)?;
    let stale = compare(root, &wanted)?;
    for path in &stale {
        let file = root.join(path);
        let result = match wanted.get(path) {
            Some(content) => file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, content)),
            None => fs::remove_file(&file),
        };
        result.with_context(|| format!("writing {path}"))?;
    }
    Ok(stale)
}

/// The paths of the files that do not follow from the matrix.
pub fn stale(root: &Path) -> Result<Vec<String>> {
    compare(root, &files(root)?)
}

/// Everything, by path from the root.
pub fn files(root: &Path) -> Result<BTreeMap<String, String>> {
    let matrix = matrix(root)?;
    let mut files = BTreeMap::new();
    for app in &matrix.apps {
        files.insert(format!("dapr/config/{}.yaml", app.id), configuration::of(&matrix, app)?);
    }
    for topic in &matrix.topics {
        for app in &topic.subscribers {
            let heard = matrix.topics.iter().filter(|topic| topic.subscribers.contains(app)).count();
            let name = subscription::name(topic, app);
            files.insert(
                format!("dapr/subscriptions/{name}.yaml"),
                subscription::of(topic, app, heard, matrix.dead_letter_topic(app)),
            );
        }
    }
    for path in pubsub::paths(root)? {
        let content = pubsub::with_scopes(&read(root, &path)?, &matrix).with_context(|| format!("in {path}"))?;
        files.insert(path, content);
    }
    files.insert("docs/access.md".to_owned(), document::of(&matrix)?);
    if let Some(document) = openapi::document(root)? {
        files.insert(openapi::PATH.to_owned(), document);
    }
    files.insert("docs/roles.md".to_owned(), roles::page()?);
    Ok(files)
}

fn compare(root: &Path, wanted: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let mut stale = Vec::new();
    for (path, content) in wanted {
        match fs::read_to_string(root.join(path)) {
            Ok(found) if found == *content => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("reading {path}"));
            }
            _ => stale.push(path.clone()),
        }
    }
    for folder in OWNED {
        stale.extend(
            names(&root.join(folder))?
                .into_iter()
                .map(|name| format!("{folder}/{name}"))
                .filter(|path| !wanted.contains_key(path)),
        );
    }
    Ok(stale)
}

/// What is in a folder, sorted; nothing if there is no such folder.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("reading {}", folder.display()))?,
    };
    let mut names = entries
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn read(root: &Path, path: &str) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| format!("reading {path}"))
}

#[cfg(test)]
mod tests;
