//! Dapr's components: one set of names whatever the broker, each for named apps alone.

use std::collections::{BTreeMap, BTreeSet};

use access_policy::Matrix;
use serde_yaml_ng::Value;

use crate::{Finding, Tree};

const FOLDER: &str = "components/";
const BASE: &str = "base";
const CLOUD: &str = "aws";

/// What a component is called. A product's name would tie the code to it.
const ROLES: [&str; 6] = ["functions", "pubsub", "reminders", "secretstore", "statestore", "tick"];

/// What an operator may add, whatever the broker.
const OPTIONAL: [&str; 1] = ["reminders"];

/// What must not stand in a file that everyone reads.
const SECRET: [&str; 12] = [
    "brokers",
    "connectionString",
    "hostname",
    "password",
    "redisHost",
    "redisPassword",
    "redisUsername",
    "saslPassword",
    "secretKey",
    "securityToken",
    "url",
    "username",
];

/// What of a component is of the place: in the cloud a connection is a secret of two values.
const PLACE: [&str; 2] = ["connectionString", "password"];

/// Every broker's folder has the same components.
pub fn same_for_every_broker(tree: &Tree) -> Vec<Finding> {
    let brokers: BTreeMap<&str, BTreeSet<String>> = tree
        .names_in(FOLDER)
        .into_iter()
        .filter(|folder| *folder != BASE && !OPTIONAL.contains(folder))
        .map(|folder| {
            let folder_path = format!("{FOLDER}{folder}/");
            // In the cloud's folder those of the apps stand beside the broker's, in folders of their own.
            let own = components(tree, &folder_path)
                .into_iter()
                .filter(|(path, _)| !path[folder_path.len()..].contains('/'))
                .map(|(_, value)| name(&value));
            (folder, own.collect())
        })
        .collect();
    let all: BTreeSet<&String> = brokers.values().flatten().collect();
    let mut findings = Vec::new();
    for (broker, names) in &brokers {
        findings.extend(
            all.iter().filter(|name| !names.contains(**name)).map(|name| format!("{FOLDER}{broker} has no {name}")),
        );
    }
    findings
}

/// Every component is for named apps, and is called by its role.
pub fn scoped_and_named_by_role(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, component) in components(tree, FOLDER) {
        if scopes(&component).is_empty() {
            findings.push(format!("{path}: no scopes: every app would have it"));
        }
        if !ROLES.contains(&name(&component).as_str()) {
            findings.push(format!("{path}: {:?} is not a role", name(&component)));
        }
    }
    findings
}

/// An app's folder has the components that the matrix gives it, for that app alone.
pub fn base_follows_the_matrix(tree: &Tree, matrix: &Matrix) -> Vec<Finding> {
    let mut findings = Vec::new();
    let base = format!("{FOLDER}{BASE}/");
    for app in &matrix.apps {
        let mut wanted: BTreeSet<String> = app.components.clone();
        if app.has_secret_store() {
            wanted.insert("secretstore".to_owned());
        }
        let folder = format!("{base}{}/", app.id);
        let found = components(tree, &folder);
        for (path, component) in &found {
            if scopes(component) != [app.id.as_str()] {
                findings.push(format!("{path}: it is for {} alone", app.id));
            }
        }
        let found: BTreeSet<String> = found.iter().map(|(_, component)| name(component)).collect();
        findings.extend(
            wanted
                .symmetric_difference(&found)
                .map(|name| format!("{folder}: {name} is here or in dapr/access.yaml, not in both")),
        );
    }
    let strangers = tree.names_in(&base).into_iter().filter(|id| matrix.app(id).is_none());
    findings.extend(strangers.map(|id| format!("{base}{id}: there is no such app")));
    findings
}

/// In the cloud every app has the components that it has elsewhere, and they differ in what is of the place: which
/// secret store it is, and how it keeps the connections.
pub fn cloud_follows_base(tree: &Tree) -> Vec<Finding> {
    let of = |folder: &str| -> BTreeMap<String, Value> {
        let folder = format!("{FOLDER}{folder}/");
        components(tree, &folder)
            .into_iter()
            .map(|(path, component)| (path[folder.len()..].to_owned(), component))
            .filter(|(path, _)| path.contains('/'))
            .collect()
    };
    let (base, cloud) = (of(BASE), of(CLOUD));
    if cloud.is_empty() {
        return Vec::new();
    }
    let paths: BTreeSet<&String> = base.keys().chain(cloud.keys()).collect();
    let mut findings = Vec::new();
    for path in paths {
        match (base.get(path), cloud.get(path)) {
            (Some(here), Some(there)) if without_place(here) == without_place(there) => {}
            (Some(_), Some(_)) => {
                findings.push(format!("{FOLDER}{CLOUD}/{path} is more than in its place not {FOLDER}{BASE}/{path}"));
            }
            _ => findings.push(format!("{path} is in {FOLDER}{BASE} or {FOLDER}{CLOUD}, not in both")),
        }
    }
    findings
}

/// A component without what is of the place.
fn without_place(component: &Value) -> Value {
    let mut component = component.clone();
    if name(&component) == "secretstore" {
        component["spec"] = Value::Null;
    }
    if let Some(entries) = component["spec"]["metadata"].as_sequence_mut() {
        entries.retain(|entry| !PLACE.contains(&entry["name"].as_str().unwrap_or_default()));
    }
    component
}

/// Addresses and passwords come out of the secret store.
pub fn secrets_by_reference(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, component) in components(tree, FOLDER) {
        for entry in component["spec"]["metadata"].as_sequence().into_iter().flatten() {
            let key = entry["name"].as_str().unwrap_or_default();
            if SECRET.contains(&key) && entry["secretKeyRef"].is_null() {
                findings.push(format!("{path}: {key} does not come from the secret store"));
            }
        }
    }
    findings
}

/// A file that is no YAML is a component without a name, which the other rules then find.
fn components(tree: &Tree, folder: &str) -> Vec<(String, Value)> {
    tree.under(folder)
        .filter(|(path, _)| std::path::Path::new(path).extension().is_some_and(|extension| extension == "yaml"))
        .map(|(path, text)| (path.to_owned(), serde_yaml_ng::from_str(text).unwrap_or(Value::Null)))
        .collect()
}

fn name(component: &Value) -> String {
    component["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

fn scopes(component: &Value) -> Vec<&str> {
    component["scopes"].as_sequence().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: &str = "metadata: {name: statestore}\nspec: {metadata: [{name: connectionString, secretKeyRef: {name: x}}]}\nscopes: [a]\n";
    const PUBSUB: &str =
        "metadata: {name: pubsub}\nspec: {metadata: [{name: brokers, secretKeyRef: {name: x}}]}\nscopes: [a]\n";
    const SECRETS: &str = "metadata: {name: secretstore}\nscopes: [a]\n";

    fn matrix() -> Matrix {
        Matrix::parse("apps: {a: {blocks: [10], components: [statestore]}, b: {blocks: [20]}}\ncalls: {}\ntopics: []\n")
            .unwrap()
    }

    fn tree(store: &str, pubsub: &str) -> Tree {
        Tree::of([
            ("components/base/a/statestore.yaml", store),
            ("components/base/a/secretstore.yaml", SECRETS),
            ("components/kafka/pubsub.yaml", pubsub),
            ("components/redis/pubsub.yaml", PUBSUB),
        ])
    }

    fn all(tree: &Tree) -> Vec<Finding> {
        [
            same_for_every_broker(tree),
            scoped_and_named_by_role(tree),
            base_follows_the_matrix(tree, &matrix()),
            cloud_follows_base(tree),
            secrets_by_reference(tree),
        ]
        .concat()
    }

    #[test]
    fn a_good_set_is_good() {
        assert_eq!(all(&tree(STORE, PUBSUB)), [""; 0]);
    }

    #[test]
    fn a_broker_with_another_name_is_found() {
        assert_eq!(same_for_every_broker(&tree(STORE, &PUBSUB.replace("pubsub", "kafka-pubsub"))).len(), 2);
        assert_eq!(scoped_and_named_by_role(&tree(STORE, &PUBSUB.replace("pubsub", "kafka-pubsub"))).len(), 1);
    }

    #[test]
    fn a_component_for_everyone_is_found() {
        assert_eq!(scoped_and_named_by_role(&tree(STORE, &PUBSUB.replace("scopes: [a]", "scopes: []"))).len(), 1);
        assert_eq!(base_follows_the_matrix(&tree(&STORE.replace("[a]", "[a, b]"), PUBSUB), &matrix()).len(), 1);
    }

    #[test]
    fn a_component_that_the_matrix_does_not_have_is_found() {
        assert_eq!(
            base_follows_the_matrix(&tree(&STORE.replace("statestore", "functions"), PUBSUB), &matrix()).len(),
            2
        );
        let stranger = Tree::of([("components/base/z/statestore.yaml", STORE)]);
        assert_eq!(base_follows_the_matrix(&stranger, &matrix()).len(), 3);
    }

    #[test]
    fn a_secret_in_the_open_is_found() {
        assert_eq!(secrets_by_reference(&tree(&STORE.replace("secretKeyRef: {name: x}", "value: x"), PUBSUB)).len(), 1);
    }
    fn with_cloud(store: &str, secrets: &str) -> Tree {
        Tree::of([
            ("components/base/a/statestore.yaml", STORE),
            ("components/base/a/secretstore.yaml", SECRETS),
            ("components/kafka/pubsub.yaml", PUBSUB),
            ("components/aws/pubsub.yaml", PUBSUB),
            ("components/aws/a/statestore.yaml", store),
            ("components/aws/a/secretstore.yaml", secrets),
        ])
    }

    #[test]
    fn the_cloud_differs_in_its_place_alone() {
        let store = STORE
            .replace("}]}", ", key: y}}, {name: password, secretKeyRef: {name: x}}]}")
            .replace("x}, key", "x, key");
        let secrets = SECRETS.replace("scopes", "spec: {type: secretstores.aws.secretmanager}\nscopes");
        assert_eq!(all(&with_cloud(&store, &secrets)), [""; 0]);
        assert_eq!(
            cloud_follows_base(&with_cloud(&STORE.replace("[{", "[{name: timeout, value: 1s}, {"), SECRETS)).len(),
            1
        );
        assert_eq!(cloud_follows_base(&with_cloud(&STORE.replace("[a]", "[a, b]"), SECRETS)).len(), 1);
    }

    #[test]
    fn a_component_that_the_cloud_lacks_is_found() {
        let less = Tree::of([
            ("components/base/a/statestore.yaml", STORE),
            ("components/base/a/secretstore.yaml", SECRETS),
            ("components/aws/a/statestore.yaml", STORE),
        ]);
        assert_eq!(cloud_follows_base(&less).len(), 1);
    }
}
