//! The topics of the code are the topics of the matrix.

use std::collections::BTreeSet;

use access_policy::Matrix;

use crate::{
    Finding, Tree,
    tree::{is_rust, literals},
};

/// Where the code names them.
const CONTRACTS: &str = "crates/contracts/src/topic.rs";

/// Every topic of the matrix is a constant of the contracts, and the other way round.
pub fn known_to_contracts(tree: &Tree, matrix: &Matrix) -> Vec<Finding> {
    let Some(text) = tree.get(CONTRACTS) else { return vec![format!("{CONTRACTS} is missing")] };
    let constants: BTreeSet<&str> = literals(text).into_iter().map(|(_, literal)| literal).collect();
    let topics: BTreeSet<&str> = matrix.topics.iter().map(|topic| topic.name.as_str()).collect();
    let unknown = topics.difference(&constants).map(|topic| format!("{CONTRACTS} has no constant for {topic}"));
    let unused = constants.difference(&topics).map(|topic| format!("dapr/access.yaml has no topic {topic}"));
    unknown.chain(unused).collect()
}

/// A service names a topic by its constant.
pub fn named_by_constant(tree: &Tree, matrix: &Matrix) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.under("services/").filter(|(path, _)| path.contains("/src/") && is_rust(path)) {
        for (number, literal) in literals(text) {
            if matrix.topics.iter().any(|topic| topic.name == literal) {
                findings.push(format!("{path}:{number}: {literal:?} is a constant of `contracts::topic`"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Matrix {
        let text = "apps: {a: {blocks: [10]}}\ncalls: {}\ntopics:\n  - {name: a.made, publish: [a], subscribe: []}\n";
        Matrix::parse(text).unwrap()
    }

    #[test]
    fn a_difference_is_found_both_ways() {
        let check = |text| known_to_contracts(&Tree::of([(CONTRACTS, text)]), &matrix());
        assert_eq!(check("pub const A_MADE: &str = \"a.made\";\n"), [""; 0]);
        assert_eq!(check("pub const A_MADE: &str = \"a.mode\";\n").len(), 2);
        assert_eq!(known_to_contracts(&Tree::default(), &matrix()).len(), 1);
    }

    #[test]
    fn a_topic_spelled_out_is_found() {
        let tree =
            Tree::of([("services/a/src/x.rs", "publish(\"a.made\")\n"), ("services/a/tests/x.rs", "\"a.made\"")]);
        assert_eq!(named_by_constant(&tree, &matrix()).len(), 1);
    }
}
