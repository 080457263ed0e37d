//! The run files start the apps of the matrix, on their ports, with what is theirs.

use access_policy::{App, Matrix};
use serde_yaml_ng::Value;

use crate::{Finding, Tree};

/// The run files, each for a system with at most so many instances of an app.
const FILES: [(&str, usize); 2] = [("dapr/dapr.yaml", 1), ("dapr/two-instances.yaml", 2)];

/// Starts what is not the system's, beside any of them.
const BESIDE: &str = "dapr/clearinghouse.yaml";

/// The port base that the files are written for.
const BASE: u64 = 7400;

/// A block's ports, in their order.
const PORTS: [&str; 5] = ["appPort", "daprHTTPPort", "daprGRPCPort", "daprInternalGRPCPort", "metricsPort"];

/// The run files and the matrix speak of the same apps, ports, files and components, and the files differ in the number
/// of instances alone.
pub fn follows_the_matrix(tree: &Tree, matrix: &Matrix) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut files = Vec::new();
    for (path, instances, outside) in
        FILES.map(|(path, most)| (path, most, false)).into_iter().chain([(BESIDE, 1, true)])
    {
        match serde_yaml_ng::from_str::<Value>(tree.get(path).unwrap_or_default()) {
            Ok(file) => {
                findings.extend(follows(path, &file, instances, outside, matrix));
                files.push((path, file));
            }
            Err(error) => findings.push(format!("{path}: {error}")),
        }
    }
    // What stands beside a file is merged into it, and says nothing for all.
    let (beside, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|(path, _)| *path == BESIDE);
    let says_for_all = beside.iter().any(|(_, file)| file.get("common").is_some());
    findings.extend(says_for_all.then(|| format!("{BESIDE} says something for all apps")));
    if let [(path, file), others @ ..] = files.as_slice() {
        findings.extend(others.iter().flat_map(|(other, second)| differences((*path, file), (*other, second))));
    }
    findings
}

/// One run file, against the apps of the matrix that it is for.
fn follows(path: &str, file: &Value, instances: usize, outside: bool, matrix: &Matrix) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_due = |app: &&App| app.outside == outside;
    for app in matrix.apps.iter().filter(is_due) {
        let id = app.id.as_str();
        let blocks = &app.blocks[..app.blocks.len().min(instances)];
        let entries = entries(file, id);
        if entries.len() != blocks.len() {
            findings.push(format!("{path} starts {id} {} times instead of {}", entries.len(), blocks.len()));
        }
        for (entry, block) in entries.iter().zip(blocks) {
            findings.extend(is_wired(path, entry, app, *block, matrix));
        }
    }
    let ids = apps(file).filter_map(|entry| entry["appID"].as_str());
    let strangers = ids.filter(|id| !matrix.app(id).is_some_and(|app| is_due(&app)));
    findings.extend(strangers.map(|id| format!("{path} starts {id}, which dapr/access.yaml does not have for it")));
    findings
}

fn is_wired(path: &str, entry: &Value, app: &App, block: u16, matrix: &Matrix) -> Vec<Finding> {
    let id = app.id.as_str();
    let mut findings = Vec::new();
    for (port, place) in PORTS.iter().zip(0u64..) {
        let wanted = BASE + u64::from(block) + place;
        if entry[*port].as_u64() != Some(wanted) {
            findings.push(format!("{path}: {id}: {port} is not {wanted}"));
        }
    }
    if entry["configFilePath"] != format!("../dapr/config/{id}.yaml").as_str() {
        findings.push(format!("{path}: {id} does not have its own configuration"));
    }
    let found: Vec<&str> =
        entry["resourcesPaths"].as_sequence().into_iter().flatten().filter_map(Value::as_str).collect();
    let wanted = resources(matrix, id, app.has_secret_store());
    if found != wanted {
        findings.push(format!("{path}: {id} has the resources {found:?} instead of {wanted:?}"));
    }
    findings
}

/// What is not the same in a file with more instances: instances differ in their ports and nothing else does.
fn differences((first, file): (&str, &Value), (second, other): (&str, &Value)) -> Vec<Finding> {
    let mut findings = Vec::new();
    if file["common"] != other["common"] || file["version"] != other["version"] {
        findings.push(format!("{first} and {second} differ in what they say for all apps"));
    }
    for entry in apps(file) {
        let id = entry["appID"].as_str().unwrap_or_default();
        let same = |other: &Value| without_ports(entry) == without_ports(other);
        if !entries(other, id).into_iter().all(same) {
            findings.push(format!("{first} and {second} differ in what they say of {id}"));
        }
    }
    findings
}

fn without_ports(entry: &Value) -> Value {
    let mut entry = entry.clone();
    if let Some(fields) = entry.as_mapping_mut() {
        fields.retain(|name, _| !PORTS.iter().any(|port| name.as_str() == Some(*port)));
    }
    entry
}

fn apps(file: &Value) -> impl Iterator<Item = &Value> {
    file["apps"].as_sequence().into_iter().flatten()
}

/// The instances of an app, in their order.
fn entries<'a>(file: &'a Value, id: &str) -> Vec<&'a Value> {
    apps(file).filter(|entry| entry["appID"] == id).collect()
}

fn resources(matrix: &Matrix, app: &str, has_components: bool) -> Vec<String> {
    let mut paths = Vec::new();
    if has_components {
        paths.push(format!("../components/base/{app}"));
    }
    if matrix.uses_pubsub(app) {
        paths.extend(["../components/kafka".to_owned(), "../dapr/subscriptions".to_owned()]);
    }
    paths.push("../dapr".to_owned());
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
common: {appProtocol: http}
apps:
  - appID: a
    appPort: 7410
    daprHTTPPort: 7411
    daprGRPCPort: 7412
    daprInternalGRPCPort: 7413
    metricsPort: 7414
    configFilePath: ../dapr/config/a.yaml
    resourcesPaths: [../components/base/a, ../dapr]
    env: {ZONE: here}
";

    /// The second file: the first one and one instance more.
    fn doubled() -> String {
        let again = GOOD.split_once("apps:").unwrap().1.replace("741", "746");
        format!("{GOOD}{}", again.trim_start_matches('\n'))
    }

    /// What is started beside the others.
    const OUTSIDE: &str = "
apps:
  - appID: b
    appPort: 7480
    daprHTTPPort: 7481
    daprGRPCPort: 7482
    daprInternalGRPCPort: 7483
    metricsPort: 7484
    configFilePath: ../dapr/config/b.yaml
    resourcesPaths: [../dapr]
";

    fn check(first: &str, second: &str) -> Vec<Finding> {
        check_beside(first, second, OUTSIDE)
    }

    fn check_beside(first: &str, second: &str, beside: &str) -> Vec<Finding> {
        let matrix = "apps: {a: {blocks: [10, 60], components: [statestore]}, b: {blocks: [80], outside: true}}\n\
                      calls: {}\ntopics: []\n";
        let tree = Tree::of([(FILES[0].0, first), (FILES[1].0, second), (BESIDE, beside)]);
        follows_the_matrix(&tree, &Matrix::parse(matrix).unwrap())
    }

    #[test]
    fn run_files_that_follow_are_good() {
        assert_eq!(check(GOOD, &doubled()), [""; 0]);
    }

    #[test]
    fn each_difference_is_found() {
        for (from, to) in [
            ("appID: a", "appID: b"),
            ("7412", "7422"),
            ("config/a.yaml", "config/b.yaml"),
            ("../dapr]", "../dapr, ../components/kafka]"),
            ("ZONE: here", "ZONE: there"),
            ("appProtocol: http", "appProtocol: grpc"),
        ] {
            assert!(!check(&GOOD.replace(from, to), &doubled()).is_empty(), "{to}");
        }
        assert!(!check("apps: [", &doubled()).is_empty() && !check("", &doubled()).is_empty());
    }

    #[test]
    fn what_is_not_the_systems_is_started_beside_it_and_nothing_else_is() {
        for beside in ["", "apps: []", GOOD, &OUTSIDE.replace("7481", "7491"), &format!("common: {{}}{OUTSIDE}")] {
            assert!(!check_beside(GOOD, &doubled(), beside).is_empty(), "{beside}");
        }
        let inside = OUTSIDE.trim_start_matches("\napps:\n");
        assert!(!check(&format!("{GOOD}{inside}"), &format!("{}{inside}", doubled())).is_empty());
    }

    #[test]
    fn each_difference_between_instances_is_found() {
        assert!(!check(GOOD, GOOD).is_empty(), "an instance is missing");
        assert!(!check(&doubled(), &doubled()).is_empty(), "there is one too many");
        let (head, tail) = doubled().rsplit_once("ZONE: here").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert!(!check(GOOD, &format!("{head}ZONE: there{tail}")).is_empty());
        assert!(!check(GOOD, &doubled().replace("7463", "7473")).is_empty());
    }
}
