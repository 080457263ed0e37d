//! The form of the file, and what makes it a valid one.

use std::{collections::BTreeSet, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use super::{App, DEAD_LETTER, Grant, Matrix, Topic};
use crate::operation::Operation;

/// The file is not what it has to be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not YAML, or not of the file's form.
    #[error(transparent)]
    Form(#[from] serde_yaml_ng::Error),
    /// A rule that YAML knows nothing about.
    #[error("line {line}: {reason}")]
    Rule {
        /// Where, counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    apps: Entries<AppEntry>,
    calls: Entries<Entries<BTreeSet<String>>>,
    topics: Vec<TopicEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppEntry {
    blocks: Vec<u16>,
    #[serde(default)]
    components: BTreeSet<String>,
    #[serde(default)]
    secrets: BTreeSet<String>,
    #[serde(default)]
    metadata: bool,
    #[serde(default)]
    outside: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicEntry {
    name: String,
    publish: BTreeSet<String>,
    subscribe: BTreeSet<String>,
    /// For whoever creates the topics; nothing here depends on it.
    #[serde(default, rename = "partitions")]
    _partitions: Option<u16>,
}

/// A mapping in the order of the file.
struct Entries<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries: Vec<(String, T)> = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    if entries.iter().any(|(known, _)| *known == key) {
                        return Err(A::Error::custom(format!("{key:?} stands here twice")));
                    }
                    entries.push((key, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

pub(super) fn parse(text: &str) -> Result<Matrix, Error> {
    let file: File = serde_yaml_ng::from_str(text)?;
    let rules = Rules { text, known: file.apps.0.iter().map(|(id, _)| id.clone()).collect() };
    let matrix =
        Matrix { apps: rules.apps(file.apps)?, calls: rules.calls(file.calls)?, topics: rules.topics(file.topics)? };
    rules.dead_letters(&matrix)?;
    rules.policies(&matrix)?;
    Ok(matrix)
}

struct Rules<'a> {
    text: &'a str,
    known: BTreeSet<String>,
}

impl Rules<'_> {
    fn apps(&self, entries: Entries<AppEntry>) -> Result<Vec<App>, Error> {
        let mut taken = BTreeSet::new();
        let mut apps = Vec::new();
        for (id, entry) in entries.0 {
            let at = ["apps", &id];
            if entry.blocks.is_empty() {
                return self.refuse(&at, format!("{id} has no port block"));
            }
            if let Some(block) = entry.blocks.iter().find(|block| !taken.insert(**block)) {
                return self.refuse(&at, format!("the port block {block} has another app already"));
            }
            let AppEntry { blocks, components, secrets, metadata, outside } = entry;
            apps.push(App { id, blocks, components, secrets, metadata, outside });
        }
        Ok(apps)
    }

    fn calls(&self, entries: Entries<Entries<BTreeSet<String>>>) -> Result<Vec<Grant>, Error> {
        let mut grants = Vec::new();
        for (callee, operations) in entries.0 {
            self.app(&["calls", &callee], &callee)?;
            for (text, callers) in operations.0 {
                let at = ["calls", &callee, &text];
                let operation: Operation = text.parse().or_else(|reason| self.refuse(&at, reason))?;
                self.apps_named(&at, &callers)?;
                if callers.contains(&callee) {
                    let reason = format!("{callee} calls itself: that needs no entry, and Dapr asks for none");
                    return self.refuse(&at, reason);
                }
                grants.push(Grant { callee: callee.clone(), operation, callers });
            }
        }
        Ok(grants)
    }

    fn topics(&self, entries: Vec<TopicEntry>) -> Result<Vec<Topic>, Error> {
        let mut topics: Vec<Topic> = Vec::new();
        for entry in entries {
            let at = ["topics", &entry.name];
            let plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
            if entry.name.is_empty() || !entry.name.bytes().all(plain) {
                return self.refuse(&at, format!("{:?} is not a name of lower-case words", entry.name));
            }
            if topics.iter().any(|topic| topic.name == entry.name) {
                return self.refuse(&at, format!("the topic {} stands here twice", entry.name));
            }
            if entry.publish.is_empty() {
                return self.refuse(&at, format!("nobody publishes {}", entry.name));
            }
            self.apps_named(&["topics", &entry.name, "publish"], &entry.publish)?;
            self.apps_named(&["topics", &entry.name, "subscribe"], &entry.subscribe)?;
            topics.push(Topic { name: entry.name, publishers: entry.publish, subscribers: entry.subscribe });
        }
        Ok(topics)
    }

    /// Nobody else has a part in an app's dead letters.
    fn dead_letters(&self, matrix: &Matrix) -> Result<(), Error> {
        for topic in &matrix.topics {
            let Some(app) = topic.name.strip_suffix(DEAD_LETTER) else { continue };
            let only = BTreeSet::from([app.to_owned()]);
            if topic.publishers != only || topic.subscribers != only {
                return self.refuse(&["topics", &topic.name], format!("{} is for {app} alone", topic.name));
            }
        }
        Ok(())
    }

    /// Dapr can be told what the file says.
    fn policies(&self, matrix: &Matrix) -> Result<(), Error> {
        for callee in &matrix.apps {
            for caller in &matrix.apps {
                if let Err(error) = matrix.policy(&caller.id, &callee.id) {
                    let operation = error.0.to_string();
                    return self.refuse(&["calls", &callee.id, &operation], format!("{}: {error}", caller.id));
                }
            }
        }
        Ok(())
    }

    fn apps_named(&self, at: &[&str], names: &BTreeSet<String>) -> Result<(), Error> {
        names.iter().try_for_each(|name| self.app(&[at, &[name]].concat(), name))
    }

    fn app(&self, at: &[&str], name: &str) -> Result<(), Error> {
        if self.known.contains(name) {
            return Ok(());
        }
        self.refuse(at, format!("there is no app {name:?}"))
    }

    fn refuse<T>(&self, at: &[&str], reason: String) -> Result<T, Error> {
        Err(Error::Rule { line: line(self.text, at), reason })
    }
}

/// The line in which the last of these words stands, each looked for after the one before it.
fn line(text: &str, words: &[&str]) -> usize {
    let mut lines = text.lines().enumerate().peekable();
    let mut found = 0;
    for word in words {
        while let Some((number, content)) = lines.peek() {
            let content = content.split(" #").next().unwrap_or_default();
            if !content.trim_start().starts_with('#') && has_word(content, word) {
                found = *number;
                break;
            }
            lines.next();
        }
    }
    found + 1
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_a_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '.' | '/' | '*' | '_');
    line.match_indices(word).any(|(start, _)| {
        !line[..start].ends_with(part_of_a_word) && !line[start + word.len()..].starts_with(part_of_a_word)
    })
}

#[cfg(test)]
mod tests;
