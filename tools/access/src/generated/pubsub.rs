//! The end of each `components/<broker>/pubsub.yaml`, where the topics' scopes are the same for all brokers.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, Result};

use super::{NOTICE, names};
use crate::matrix::{Matrix, Topic};

const FOLDER: &str = "components";
const FILE: &str = "pubsub.yaml";

/// Above this line the file is written by hand, below it nothing is.
const MARK: &str = "    # The scopes.";

/// The component of every broker.
pub(super) fn paths(root: &Path) -> Result<Vec<String>> {
    let folders = names(&root.join(FOLDER))?;
    Ok(folders
        .into_iter()
        .map(|broker| format!("{FOLDER}/{broker}/{FILE}"))
        .filter(|path| root.join(path).is_file())
        .collect())
}

/// The file with its scopes as the matrix has them.
pub(super) fn with_scopes(file: &str, matrix: &Matrix) -> Result<String> {
    let (by_hand, _) = file
        .split_once(MARK)
        .with_context(|| format!("there is no line {:?}, after which the scopes are written", MARK.trim()))?;
    Ok(format!("{by_hand}{MARK} {NOTICE}\n{}", scopes(matrix)))
}

/// Dapr denies a protected topic to whoever has no scope for it, and any topic that is not allowed.
fn scopes(matrix: &Matrix) -> String {
    let apps: Vec<&str> = matrix.apps.iter().map(|app| app.id.as_str()).filter(|app| matrix.uses_pubsub(app)).collect();
    let topics = folded(matrix.topics.iter().map(|topic| topic.name.clone()), ",");
    let publishing = by_app(&apps, matrix, |topic| &topic.publishers);
    let subscribing = by_app(&apps, matrix, |topic| &topic.subscribers);
    format!(
        "    - name: allowedTopics
      value: >-
{topics}    - name: protectedTopics
      value: >-
{topics}    - name: publishingScopes
      value: >-
{publishing}    - name: subscriptionScopes
      value: >-
{subscribing}scopes: [{}]
",
        apps.join(", ")
    )
}

fn by_app(apps: &[&str], matrix: &Matrix, of: impl Fn(&Topic) -> &BTreeSet<String>) -> String {
    let scope = |app: &&str| {
        let topics: Vec<&str> =
            matrix.topics.iter().filter(|topic| of(topic).contains(*app)).map(|topic| topic.name.as_str()).collect();
        format!("{app}={}", topics.join(","))
    };
    folded(apps.iter().map(scope), ";")
}

/// Lines that YAML joins by blanks, which Dapr then takes out.
fn folded(items: impl Iterator<Item = String>, separator: &str) -> String {
    let items: Vec<String> = items.map(|item| format!("        {item}")).collect();
    items.join(&format!("{separator}\n")) + "\n"
}
