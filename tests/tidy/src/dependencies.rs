//! Who depends on whom: a service on no other service and on no client of a database or a broker.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata};

use crate::Finding;

/// Clients of what a sidecar is there to reach.
const BEHIND_THE_SIDECAR: [&str; 14] = [
    "aws-sdk-dynamodb",
    "deadpool-postgres",
    "diesel",
    "fred",
    "lapin",
    "postgres",
    "postgres-protocol",
    "rdkafka",
    "redis",
    "rskafka",
    "sea-orm",
    "sqlx",
    "sqlx-core",
    "tokio-postgres",
];

/// Ways to another service that would pass the sidecar by.
const PAST_THE_SIDECAR: [&str; 3] = ["isahc", "reqwest", "ureq"];

/// What a crate between services may rest on, beside itself.
const CONTRACTS: &str = "contracts";

/// What looks at the databases after `make chaos`, and what plays another company.
const STRANGERS: [&str; 2] = ["chaos-checker", "payer-simulator"];

/// The packages of a workspace, and what they are built with.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    packages: BTreeMap<String, Package>,
}

/// A package, by its name.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// Its folder from the root, if it is a member of the workspace.
    pub folder: Option<String>,
    /// What it is built with.
    pub normal: BTreeSet<String>,
    /// What only its tests are built with.
    pub dev: BTreeSet<String>,
}

impl Graph {
    /// The packages that cargo resolved.
    pub fn of(metadata: &Metadata) -> Self {
        let names: BTreeMap<_, _> =
            metadata.packages.iter().map(|package| (&package.id, package.name.to_string())).collect();
        let mut graph = Self::default();
        for package in metadata.workspace_packages() {
            let folder =
                package.manifest_path.parent().and_then(|path| path.strip_prefix(&metadata.workspace_root).ok());
            graph.packages.entry(package.name.to_string()).or_default().folder = folder.map(ToString::to_string);
        }
        for node in metadata.resolve.iter().flat_map(|resolve| &resolve.nodes) {
            let package = graph.packages.entry(names[&node.id].clone()).or_default();
            for dependency in &node.deps {
                let is_dev = dependency.dep_kinds.iter().all(|kind| kind.kind == DependencyKind::Development);
                let set = if is_dev { &mut package.dev } else { &mut package.normal };
                set.insert(names[&dependency.pkg].clone());
            }
        }
        graph
    }

    /// A graph for a test of a rule: name, folder, dependencies.
    pub fn from_parts<'a>(parts: impl IntoIterator<Item = (&'a str, Option<&'a str>, &'a [&'a str])>) -> Self {
        let package = |folder: Option<&str>, normal: &[&str]| Package {
            folder: folder.map(str::to_owned),
            normal: normal.iter().map(|name| (*name).to_owned()).collect(),
            dev: BTreeSet::new(),
        };
        Self {
            packages: parts
                .into_iter()
                .map(|(name, folder, normal)| (name.to_owned(), package(folder, normal)))
                .collect(),
        }
    }

    fn in_folder(&self, prefix: &str) -> impl Iterator<Item = (&str, &Package)> {
        self.packages
            .iter()
            .filter(move |(_, package)| package.folder.as_deref().is_some_and(|folder| folder.starts_with(prefix)))
            .map(|(name, package)| (name.as_str(), package))
    }

    /// How `from` comes to be built with `to`, if it is.
    fn path<'a>(&'a self, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
        let mut paths = vec![vec![from]];
        let mut seen = BTreeSet::new();
        while let Some(path) = paths.pop() {
            let last = path.last().copied().unwrap_or(from);
            for next in self.packages.get(last).iter().flat_map(|package| &package.normal) {
                let longer = || path.iter().copied().chain([next.as_str()]).collect();
                if next == to {
                    return Some(longer());
                }
                if seen.insert(next) {
                    paths.push(longer());
                }
            }
        }
        None
    }
}

/// No service is built or tested with another one: the contract between them is `proto/` alone.
pub fn services_on_services(graph: &Graph) -> Vec<Finding> {
    let services: BTreeSet<&str> = graph.in_folder("services/").map(|(name, _)| name).collect();
    let mut findings = Vec::new();
    for (service, package) in graph.in_folder("services/") {
        for other in package.normal.union(&package.dev).filter(|name| services.contains(name.as_str())) {
            findings.push(format!("services/{service} depends on services/{other}"));
        }
    }
    findings
}

/// Nothing that goes into a service speaks to a database or a broker.
pub fn services_on_clients(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (service, package) in graph.in_folder("services/") {
        for client in BEHIND_THE_SIDECAR {
            if let Some(path) = graph.path(service, client) {
                findings.push(format!("{} is built with {client}", path.join(" -> ")));
            }
        }
        for client in PAST_THE_SIDECAR.iter().filter(|client| package.normal.contains(**client)) {
            findings
                .push(format!("services/{service} depends on {client}: it speaks to its sidecar, through `sidecar`"));
        }
    }
    findings
}

/// What is shared knows nothing of what shares it.
pub fn crates_on_services(graph: &Graph) -> Vec<Finding> {
    let outer: BTreeSet<&str> = ["services/", "tools/", "tests/"]
        .iter()
        .flat_map(|folder| graph.in_folder(folder))
        .map(|(name, _)| name)
        .collect();
    let mut findings = Vec::new();
    for (name, package) in graph.in_folder("crates/").filter(|(name, _)| *name != "testkit") {
        for other in package.normal.iter().filter(|other| outer.contains(other.as_str())) {
            findings.push(format!("crates/{name} depends on {other}"));
        }
    }
    findings
}

/// The contracts are messages and nothing that does something with them.
pub fn contracts_alone(graph: &Graph) -> Vec<Finding> {
    let ours: BTreeSet<&str> =
        graph.packages.iter().filter(|(_, package)| package.folder.is_some()).map(|(name, _)| name.as_str()).collect();
    let dependencies = graph.packages.get(CONTRACTS).map(|package| package.normal.iter()).into_iter().flatten();
    dependencies
        .filter(|name| ours.contains(name.as_str()))
        .map(|name| format!("crates/{CONTRACTS} depends on {name}"))
        .collect()
}

/// What checks the system, or plays somebody outside of it, knows nothing of its code.
pub fn strangers_alone(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for stranger in STRANGERS {
        if !graph.packages.contains_key(stranger) {
            findings.push(format!("there is no {stranger}: this rule would hold for nothing"));
        }
        let ours = graph.packages.iter().filter(|(_, package)| package.folder.is_some());
        let paths = ours.filter_map(|(name, _)| graph.path(stranger, name));
        findings.extend(paths.map(|path| format!("{}: {stranger} shares no code with the system", path.join(" -> "))));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        Graph::from_parts([
            ("a", Some("services/a"), &["b", "sidecar", "reqwest"] as &[&str]),
            ("b", Some("services/b"), &["sidecar"]),
            ("sidecar", Some("crates/sidecar"), &["pool"]),
            ("problem", Some("crates/problem"), &["a"]),
            ("contracts", Some("crates/contracts"), &["sidecar", "prost"]),
            ("pool", None, &["sqlx-core", "sidecar"]),
            ("sqlx-core", None, &[]),
            ("reqwest", None, &[]),
            ("prost", None, &[]),
            ("chaos-checker", Some("tests/chaos/checker"), &["sqlx-core", "contracts"]),
            ("payer-simulator", Some("tests/payer"), &["reqwest", "problem"]),
        ])
    }

    #[test]
    fn a_service_that_uses_another_is_found() {
        assert_eq!(services_on_services(&graph()), ["services/a depends on services/b"]);
    }

    #[test]
    fn a_client_is_found_however_deep() {
        let findings = services_on_clients(&graph());
        assert!(
            findings.contains(&"b -> sidecar -> pool -> sqlx-core is built with sqlx-core".to_owned()),
            "{findings:?}"
        );
        assert!(findings.iter().any(|finding| finding.starts_with("services/a depends on reqwest")));
    }

    #[test]
    fn a_crate_that_looks_up_is_found() {
        assert_eq!(crates_on_services(&graph()), ["crates/problem depends on a"]);
        assert_eq!(contracts_alone(&graph()), ["crates/contracts depends on sidecar"]);
    }

    #[test]
    fn a_stranger_that_shares_code_is_found() {
        let findings = strangers_alone(&graph());
        for path in ["chaos-checker -> contracts:", "payer-simulator -> problem:"] {
            assert!(findings.iter().any(|finding| finding.starts_with(path)), "{findings:?}");
        }
    }

    #[test]
    fn a_stranger_that_is_not_there_is_found() {
        assert_eq!(strangers_alone(&Graph::default()).len(), STRANGERS.len());
    }
}
