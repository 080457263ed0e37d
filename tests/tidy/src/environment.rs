//! The table of variables in a service's README is true.

use std::collections::BTreeSet;

use crate::{
    Finding, Tree,
    tree::{is_rust, literals},
};

/// Every variable that a service reads is in its README's table, and every one in the table is read.
pub fn tables_are_true(tree: &Tree) -> Vec<Finding> {
    let shared: BTreeSet<&str> =
        tree.under("crates/").filter(|(path, _)| is_rust(path)).flat_map(|(_, text)| variables_in(text)).collect();
    let mut findings = Vec::new();
    for service in tree.services() {
        let config = format!("services/{service}/src/config.rs");
        let readme = format!("services/{service}/README.md");
        let own: BTreeSet<&str> = tree.get(&config).map(variables_in).unwrap_or_default();
        let Some(text) = tree.get(&readme) else {
            findings.push(format!("{readme} is missing"));
            continue;
        };
        let told = table(text);
        findings.extend(own.difference(&told).map(|name| format!("{readme}: {name} is read, but not in the table")));
        findings.extend(
            told.iter()
                .filter(|name| !own.contains(*name) && !shared.contains(*name) && !name.starts_with("OTEL_"))
                .map(|name| format!("{readme}: {name} is in the table, but not read")),
        );
    }
    findings
}

/// The names of variables among the literals of a file.
fn variables_in(text: &str) -> BTreeSet<&str> {
    literals(text).into_iter().map(|(_, literal)| literal).filter(|literal| is_variable(literal)).collect()
}

/// The first column of the table below the heading that speaks of the environment.
fn table(readme: &str) -> BTreeSet<&str> {
    readme
        .lines()
        .skip_while(|line| !(line.starts_with('#') && line.to_lowercase().contains("environment")))
        .skip(1)
        .take_while(|line| !line.starts_with('#'))
        .filter_map(|line| line.strip_prefix('|')?.split('|').next())
        .flat_map(|cell| cell.split(['`', ' ', ',']))
        .filter(|word| is_variable(word))
        .collect()
}

fn is_variable(text: &str) -> bool {
    text.contains('_')
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "pub const ENV_ZONE: &str = \"CLINIC_TIME_ZONE\";\n";
    const README: &str = "# A\n`NOT_HERE`\n## Environment\n| variable | meaning |\n| --- | --- |\n| `CLINIC_TIME_ZONE` | `NOT_THIS` |\n| `APP_PORT` | |\n| `OTEL_X` | |\n";

    fn check(config: &str, readme: &str) -> Vec<Finding> {
        tables_are_true(&Tree::of([
            ("services/a/src/config.rs", config),
            ("services/a/README.md", readme),
            ("crates/runtime/src/environment.rs", "get(\"APP_PORT\")"),
        ]))
    }

    #[test]
    fn a_true_table_is_good() {
        assert_eq!(check(CONFIG, README), [""; 0]);
    }

    #[test]
    fn a_missing_and_a_made_up_variable_are_found() {
        assert_eq!(check(CONFIG, &README.replace("CLINIC_TIME_ZONE", "CLINIC_ZONE")).len(), 2);
        assert_eq!(check("", README).len(), 1);
        assert_eq!(check(CONFIG, "# A\n").len(), 1);
    }

    #[test]
    fn a_service_without_a_readme_is_found() {
        assert_eq!(tables_are_true(&Tree::of([("services/a/src/config.rs", "")])), ["services/a/README.md is missing"]);
    }
}
