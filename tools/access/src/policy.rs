//! Operations of one caller at one callee, as patterns for Dapr, and what Dapr then lets through.
//!
//! Dapr's policies have rules of their own (read in `pkg/acl` and `pkg/config/trie.go` of 1.18):
//!
//! - Patterns form a tree of path segments. The first entry on the way down decides, so an entry for
//!   `/api/patients` hides one for `/api/patients/*`, and covers everything below it.
//! - A last segment `*` is any one segment or none; elsewhere `*` matches nothing and `**` is the one that
//!   stands for any one segment. Only the first pattern that fits a segment is followed.
//! - A pattern is lower-cased when the app speaks HTTP, the path of a proxied gRPC call is not. `*` inside
//!   a segment stands for any run of characters: with one in the place of each capital,
//!   `billing.v1.*ccounts` fits `billing.v1.Accounts`.
//! - Verbs count for HTTP alone. An entry without verbs lets no HTTP call through.
//!
//! [`Policy::of`] writes patterns that fit these rules, and [`Policy::allows`] follows them, so that
//! nobody has to trust the writing: an operation that its own policy refuses is an error.

use std::collections::{BTreeMap, BTreeSet};

use crate::operation::{Operation, Verb};

/// What one caller may do at one callee.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// In the order in which Dapr has to read them.
    pub rules: Vec<Rule>,
}

/// An entry of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Dapr's pattern.
    pub pattern: String,
    /// The methods; none for gRPC.
    pub verbs: BTreeSet<Verb>,
    /// The gRPC operation that the pattern means, which it no longer shows.
    pub meaning: Option<String>,
}

impl Policy {
    /// The policy that allows these operations and as little else as Dapr can be told.
    pub fn of<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Result<Self, Inexpressible> {
        let operations: Vec<&Operation> = operations.into_iter().collect();
        let mut rules: Vec<Rule> = http_rules(&operations);
        rules.extend(operations.iter().filter_map(|operation| grpc_rule(operation)));
        rules.sort_by_key(|rule| rule.pattern.split('/').map(rank).collect::<Vec<_>>());
        let policy = Self { rules };
        match operations.into_iter().find(|operation| !policy.allows(operation)) {
            Some(operation) => Err(Inexpressible(operation.clone())),
            None => Ok(policy),
        }
    }

    /// Whether Dapr lets this operation through.
    pub fn allows(&self, operation: &Operation) -> bool {
        let mut tree = Node::default();
        for (index, rule) in self.rules.iter().enumerate() {
            tree.put(&segments(&rule.pattern), index);
        }
        let path = operation.example_path();
        let found = match operation {
            Operation::Http { .. } => tree.search(&segments(&path.to_lowercase())),
            Operation::Grpc { .. } => tree.search(&segments(&path)),
        };
        found.is_some_and(|index| match operation {
            Operation::Http { verb, .. } => self.rules[index].verbs.contains(verb),
            Operation::Grpc { .. } => true,
        })
    }
}

/// Dapr's patterns cannot hold this operation together with the caller's others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no pattern of Dapr's allows {0} beside the caller's other operations")]
pub struct Inexpressible(pub Operation);

fn http_rules(operations: &[&Operation]) -> Vec<Rule> {
    let routes: BTreeSet<(&str, Verb)> = operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::Http { verb, path } => Some((path.as_str(), *verb)),
            Operation::Grpc { .. } => None,
        })
        .collect();
    let has_more_below =
        |path: &str| routes.iter().any(|(other, _)| other.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')));
    let mut verbs_by_pattern: BTreeMap<String, BTreeSet<Verb>> = BTreeMap::new();
    for (path, verb) in &routes {
        // An entry for the path itself would hide what lies below; one for `path/*` is read as both.
        let path = if has_more_below(path) && !path.ends_with("/*") { format!("{path}/*") } else { (*path).to_owned() };
        let (above, last) = path.rsplit_once('/').unwrap_or_default();
        let above = above.split('/').map(|segment| if segment == "*" { "**" } else { segment });
        let pattern = above.chain([last]).collect::<Vec<_>>().join("/");
        verbs_by_pattern.entry(pattern).or_default().insert(*verb);
    }
    verbs_by_pattern.into_iter().map(|(pattern, verbs)| Rule { pattern, verbs, meaning: None }).collect()
}

fn grpc_rule(operation: &Operation) -> Option<Rule> {
    let Operation::Grpc { service, method } = operation else { return None };
    let pattern = format!("/{service}/{method}").replace(|letter: char| letter.is_ascii_uppercase(), "*");
    Some(Rule { pattern, verbs: BTreeSet::new(), meaning: Some(operation.to_string()) })
}

/// Dapr follows the first segment that fits: the more a segment says, the earlier it has to stand.
fn rank(segment: &str) -> (u8, usize, String) {
    let kind = match segment {
        "**" => 3,
        "*" => 2,
        partial if partial.contains('*') => 1,
        _ => 0,
    };
    (kind, usize::MAX - segment.len(), segment.to_owned())
}

fn segments(path: &str) -> Vec<&str> {
    path.trim_start_matches('/').split('/').collect()
}

/// A segment of the patterns, with the rule that ends here.
#[derive(Default)]
struct Node {
    segment: String,
    rule: Option<usize>,
    below: Vec<Node>,
}

impl Node {
    fn put(&mut self, segments: &[&str], rule: usize) {
        let [first, rest @ ..] = segments else {
            self.rule.get_or_insert(rule);
            return;
        };
        let place = self.below.iter().position(|node| node.segment == *first).unwrap_or_else(|| {
            self.below.push(Node { segment: (*first).to_owned(), ..Node::default() });
            self.below.len() - 1
        });
        self.below[place].put(rest, rule);
    }

    fn search(&self, segments: &[&str]) -> Option<usize> {
        let [first, rest @ ..] = segments else { return None };
        let is_last = rest.is_empty();
        let node = self.below.iter().find(|node| node.fits(first, is_last))?;
        match node.rule {
            Some(rule) if is_last || node.segment != "*" => Some(rule),
            None if is_last => node.below.iter().find(|below| below.segment == "*").and_then(|below| below.rule),
            _ => node.search(rest),
        }
    }

    fn fits(&self, segment: &str, is_last: bool) -> bool {
        match self.segment.as_str() {
            "*" => is_last,
            "**" => true,
            pattern => glob(pattern, segment),
        }
    }
}

/// Whether a pattern, in which `*` is any run of characters, fits the whole text.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(start, _)| start).chain([rest.len()]).any(|start| glob(after, &rest[start..]))
        }),
    }
}

#[cfg(test)]
mod tests;
