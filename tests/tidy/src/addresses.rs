//! A service knows the way to its own sidecar and to nothing else.

use crate::{Finding, Tree};

/// What names a product, its port or its address. The service's own port comes from the environment.
const FOREIGN: [&str; 10] =
    ["postgres://", "postgresql://", "amqp://", "redis://", "kafka", "rabbitmq", "redis", ":5432", ":9092", ":6379"];

/// The ports of everything but the public one, at the default base.
const OUR_PORTS: std::ops::Range<u32> = 7401..7500;

/// No address of a database, a broker or another service stands in a service.
pub fn none_in_services(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in
        tree.under("services/").filter(|(path, _)| path.contains("/src/") || path.ends_with("Cargo.toml"))
    {
        for (number, line) in text.lines().enumerate() {
            let line = line.to_lowercase();
            let found = FOREIGN
                .iter()
                .find(|word| line.contains(**word))
                .map(|word| (*word).to_owned())
                .or_else(|| own_port(&line));
            findings.extend(found.map(|found| format!("{path}:{}: {found:?}", number + 1)));
        }
    }
    findings
}

fn own_port(line: &str) -> Option<String> {
    line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .find(|word| word.parse().is_ok_and(|port| OUR_PORTS.contains(&port)))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_address_is_found() {
        let bad =
            "let url = \"postgres://x\";\n// goes to Kafka\nconnect(\"127.0.0.1:7421\")\nport: 5_432, \":5432\"\n";
        assert_eq!(none_in_services(&Tree::of([("services/a/src/x.rs", bad)])).len(), 4);
    }

    #[test]
    fn other_numbers_and_other_places_are_free() {
        let tree = Tree::of([
            ("services/a/src/x.rs", "let x = 17421 + 0x7421; // 7400\n"),
            ("tools/local/src/kafka.rs", "9092"),
        ]);
        assert_eq!(none_in_services(&tree), [""; 0]);
    }
}
