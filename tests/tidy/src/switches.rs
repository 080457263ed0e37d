//! What breaks a service on purpose is not in a release.

use crate::{
    Finding, Tree,
    tree::{code_lines, is_rust},
};

/// The names of such switches, and of what they turn on.
const SWITCHES: [&str; 3] = ["IGNORE_IDEMPOTENCY_KEYS", "ignore_idempotency_keys", "forgetting_keys"];

const GUARD: &str = "#[cfg(debug_assertions)]";

/// Every line that has to do with a switch is compiled in debug programs alone.
pub fn in_debug_programs_alone(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.under("services/").filter(|(path, _)| is_rust(path) && path.contains("/src/")) {
        let lines: Vec<_> = code_lines(text).collect();
        for (at, (number, line)) in lines.iter().enumerate() {
            let before = lines[..at].iter().rev().map(|(_, line)| line.trim()).find(|line| !line.is_empty());
            if SWITCHES.iter().any(|switch| line.contains(switch)) && before != Some(GUARD) {
                findings.push(format!("{path}:{number}: {} is not under {GUARD}", line.trim()));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_without_its_guard_is_found() {
        let good = "#[cfg(debug_assertions)]\npub const ENV: &str = \"IGNORE_IDEMPOTENCY_KEYS\";\n";
        let check = |text: &str| in_debug_programs_alone(&Tree::of([("services/a/src/config.rs", text)]));
        assert_eq!(check(good), [""; 0]);
        assert_eq!(check(&good.replace(GUARD, "")).len(), 1);
    }
}
