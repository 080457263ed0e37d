//! The topics that `dapr/access.yaml` names, and how many partitions each has.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// Partitions of a topic that does not say: as many consumers of one app can share it.
const PARTITIONS: u16 = 4;

/// A dead-letter topic holds few messages, which one person looks at.
const DEAD_LETTER_PARTITIONS: u16 = 1;

/// A topic to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// How many partitions it has, where the broker knows any.
    pub partitions: u16,
    /// The app ids of those who may publish it.
    pub publish: Vec<String>,
    /// The app ids of those who may read it.
    pub subscribe: Vec<String>,
}

impl Topic {
    /// A topic of nobody, with as many partitions as its name asks for.
    pub fn new(name: &str) -> Self {
        let is_dead_letter = name.split(['.', '-']).any(|word| word == "dead");
        let partitions = if is_dead_letter { DEAD_LETTER_PARTITIONS } else { PARTITIONS };
        Self { name: name.to_owned(), partitions, publish: Vec::new(), subscribe: Vec::new() }
    }
}

#[derive(Deserialize)]
struct Access {
    topics: Vec<Entry>,
}

/// Either a name alone, or more about the topic, of which only this matters here.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Name(String),
    Topic {
        name: String,
        partitions: Option<u16>,
        #[serde(default)]
        publish: Vec<String>,
        #[serde(default)]
        subscribe: Vec<String>,
    },
}

impl From<Entry> for Topic {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Name(name) => Self::new(&name),
            Entry::Topic { name, partitions, publish, subscribe } => {
                let topic = Self::new(&name);
                Self { partitions: partitions.unwrap_or(topic.partitions), publish, subscribe, ..topic }
            }
        }
    }
}

/// The topics of the repository at `repo`.
pub fn topics(repo: &Path) -> Result<Vec<Topic>> {
    let path = repo.join("dapr/access.yaml");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    parse(&text).with_context(|| format!("reading the topics in {}", path.display()))
}

fn parse(text: &str) -> Result<Vec<Topic>> {
    let access: Access = serde_yaml_ng::from_str(text)?;
    Ok(access.topics.into_iter().map(Topic::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_may_say_its_partitions() {
        let topics = parse(
            "calls: []\n\
             topics:\n\
             - patient.registered\n\
             - patient.dead\n\
             - {name: audit.sealed, partitions: 2, publish: [patient]}\n",
        )
        .unwrap();
        let expected = [("patient.registered", 4), ("patient.dead", 1), ("audit.sealed", 2)];
        assert_eq!(topics.iter().map(|topic| (topic.name.as_str(), topic.partitions)).collect::<Vec<_>>(), expected);
    }
}
