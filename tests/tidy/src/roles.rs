//! The matrix of roles (`crates/access/roles.yaml`) beside the contracts and the matrix of apps (`dapr/access.yaml`).

use std::collections::BTreeSet;

use access::{Name, matrix};
use access_policy::Matrix;

use crate::{Finding, Tree};

/// A method that has no roles answers nobody, or everybody.
///
/// Reflection and health have none: they are in no contract of ours, and `runtime` serves them to the app's own sidecar.
pub fn of_every_method(tree: &Tree) -> Vec<Finding> {
    let known: BTreeSet<String> = match matrix::operations() {
        Ok(operations) => operations.iter().map(|operation| operation.name.to_string()).collect(),
        Err(error) => return vec![error.to_string()],
    };
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".proto").filter(|(path, _)| path.starts_with("proto/")) {
        for method in methods(text).into_iter().filter(|method| !known.contains(method)) {
            findings.push(format!("{path}: {method} is not in crates/access/roles.yaml"));
        }
    }
    findings
}

/// What is public passes from the gateway's sidecar to the app's; what is internal comes from somewhere.
pub fn allowed_between_apps(apps: &Matrix) -> Vec<Finding> {
    let operations = match matrix::operations() {
        Ok(operations) => operations,
        Err(error) => return vec![error.to_string()],
    };
    let mut findings = Vec::new();
    // What the gateway answers itself comes by no sidecar.
    for operation in operations.iter().filter(|operation| operation.app != "gateway") {
        let wanted = as_granted(&operation.name);
        let mut grants = apps
            .calls
            .iter()
            .filter(|grant| grant.callee == operation.app && covers(&grant.operation.to_string(), &wanted));
        if !grants.any(|grant| !operation.public || grant.callers.contains("gateway")) {
            findings.push(format!("dapr/access.yaml: nobody may ask {} for {wanted}", operation.app));
        }
    }
    // What somebody else serves has no roles.
    let is_ours = |app: &str| apps.app(app).is_none_or(|app| !app.outside);
    for grant in apps.calls.iter().filter(|grant| is_ours(&grant.callee)) {
        let granted = grant.operation.to_string();
        let known = |operation: &matrix::Operation| {
            operation.app == grant.callee && covers(&granted, &as_granted(&operation.name))
        };
        if !operations.iter().any(known) {
            findings.push(format!("dapr/access.yaml: {} does not serve {granted}", grant.callee));
        }
    }
    findings
}

/// A variable of a path is `*` in Dapr's policies.
fn as_granted(name: &Name) -> String {
    let Name::Http { verb, path } = name else { return name.to_string() };
    let segments = path.split('/').map(|segment| if segment.starts_with('{') { "*" } else { segment });
    format!("{verb} {}", segments.collect::<Vec<_>>().join("/"))
}

fn covers(granted: &str, asked: &str) -> bool {
    let (granted, asked): (Vec<_>, Vec<_>) = (granted.split('/').collect(), asked.split('/').collect());
    granted.len() == asked.len()
        && granted.iter().zip(asked).all(|(granted, asked)| *granted == "*" || *granted == asked)
}

/// `package.Service/Method` of every `rpc` in a file.
fn methods(proto: &str) -> Vec<String> {
    let (mut package, mut service, mut methods) = ("", "", Vec::new());
    for line in proto.lines().map(str::trim) {
        let mut words = line.split(|c: char| c.is_whitespace() || matches!(c, ';' | '{' | '('));
        match (words.next(), words.next()) {
            (Some("package"), Some(name)) => package = name,
            (Some("service"), Some(name)) => service = name,
            (Some("rpc"), Some(name)) => methods.push(format!("{package}.{service}/{name}")),
            _ => {}
        }
    }
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_found() {
        let proto = "package a.v1;\nservice Things {\n  rpc Get(GetRequest) returns (GetResponse);\n  // rpc Old(X)\n}";
        assert_eq!(methods(proto), ["a.v1.Things/Get"]);
        let tree = Tree::of([("proto/a/v1/a.proto", proto)]);
        assert_eq!(of_every_method(&tree).len(), 1);
    }

    #[test]
    fn an_operation_that_no_sidecar_lets_through_is_found() {
        let missing =
            allowed_between_apps(&Matrix::parse("apps: {auth: {blocks: [1]}}\ncalls: {}\ntopics: []\n").unwrap());
        assert!(missing.iter().any(|finding| finding.contains("GET /api/patients/*")), "{missing:?}");
    }
}
