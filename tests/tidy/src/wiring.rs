//! `dapr/dapr.yaml` starts the apps of the matrix, on their ports, with what is theirs.

use access_policy::Matrix;
use serde_yaml_ng::Value;

use crate::{Finding, Tree};

const FILE: &str = "dapr/dapr.yaml";

/// The port base that the file is written for.
const BASE: u64 = 7400;

/// A block's ports, in their order.
const PORTS: [&str; 5] = ["appPort", "daprHTTPPort", "daprGRPCPort", "daprInternalGRPCPort", "metricsPort"];

/// The run file and the matrix speak of the same apps, ports, files and components.
pub fn follows_the_matrix(tree: &Tree, matrix: &Matrix) -> Vec<Finding> {
    let file: Value = match serde_yaml_ng::from_str(tree.get(FILE).unwrap_or_default()) {
        Ok(file) => file,
        Err(error) => return vec![format!("{FILE}: {error}")],
    };
    let apps: Vec<&Value> = file["apps"].as_sequence().into_iter().flatten().collect();
    let mut findings = Vec::new();
    for app in &matrix.apps {
        let id = app.id.as_str();
        let Some(entry) = apps.iter().find(|entry| entry["appID"] == id) else {
            findings.push(format!("{FILE} does not start {id}"));
            continue;
        };
        for (port, place) in PORTS.iter().zip(0u64..) {
            let wanted = app.blocks.first().map(|block| BASE + u64::from(*block) + place);
            if entry[*port].as_u64() != wanted {
                findings.push(format!("{FILE}: {id}: {port} is not {wanted:?}"));
            }
        }
        if entry["configFilePath"] != format!("../dapr/config/{id}.yaml").as_str() {
            findings.push(format!("{FILE}: {id} does not have its own configuration"));
        }
        let found: Vec<&str> =
            entry["resourcesPaths"].as_sequence().into_iter().flatten().filter_map(Value::as_str).collect();
        let wanted = resources(matrix, id, app.has_secret_store());
        if found != wanted {
            findings.push(format!("{FILE}: {id} has the resources {found:?} instead of {wanted:?}"));
        }
    }
    let strangers = apps.iter().filter_map(|entry| entry["appID"].as_str()).filter(|id| matrix.app(id).is_none());
    findings.extend(strangers.map(|id| format!("{FILE} starts {id}, which dapr/access.yaml does not have")));
    findings
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
apps:
  - appID: a
    appPort: 7410
    daprHTTPPort: 7411
    daprGRPCPort: 7412
    daprInternalGRPCPort: 7413
    metricsPort: 7414
    configFilePath: ../dapr/config/a.yaml
    resourcesPaths: [../components/base/a, ../dapr]
";

    fn check(text: &str) -> Vec<Finding> {
        let matrix = "apps: {a: {blocks: [10], components: [statestore]}}\ncalls: {}\ntopics: []\n";
        follows_the_matrix(&Tree::of([(FILE, text)]), &Matrix::parse(matrix).unwrap())
    }

    #[test]
    fn a_run_file_that_follows_is_good() {
        assert_eq!(check(GOOD), [""; 0]);
    }

    #[test]
    fn each_difference_is_found() {
        for (from, to) in [
            ("appID: a", "appID: b"),
            ("7412", "7422"),
            ("config/a.yaml", "config/b.yaml"),
            ("../dapr]", "../dapr, ../components/kafka]"),
        ] {
            assert!(!check(&GOOD.replace(from, to)).is_empty(), "{to}");
        }
        assert!(!check("apps: [").is_empty() && !check("").is_empty());
    }
}
