//! A part has one version, whether it runs in a container or on a machine.

use super::{FILE, parse};
use crate::{Finding, Tree};

/// What is tested without containers is what containers have.
pub fn same_as_elsewhere(tree: &Tree) -> Vec<Finding> {
    let dockerfile = tree.get("Dockerfile").unwrap_or_default();
    let argument = |name: &str| after(dockerfile, &format!("ARG {name}="));
    let file = parse(tree, FILE).unwrap_or_default();
    let tag = |service: &str| file["services"][service]["image"].as_str().and_then(|image| image.rsplit(':').next());
    let elsewhere = |path: &str, before: &str| after(tree.get(path).unwrap_or_default(), before);
    let kafka = tree.get("tools/local/kafka/pom.xml").unwrap_or_default();
    let kafka = kafka.split_once("kafka_2.13</artifactId>").and_then(|(_, rest)| after(rest.trim_start(), "<version>"));
    [
        ("Rust", argument("RUST_VERSION"), elsewhere("rust-toolchain.toml", "channel = \"")),
        ("Dapr", argument("DAPR_VERSION"), elsewhere("dapr/runtime/go.mod", "\tgithub.com/dapr/dapr v")),
        ("Kafka", tag("kafka"), kafka),
        ("Kafka", tag("topics"), kafka),
    ]
    .into_iter()
    .filter(|(_, here, there)| here.is_none() || here != there)
    .map(|(part, here, there)| format!("{part} is {here:?} in containers and {there:?} elsewhere"))
    .collect()
}

/// The version that follows `before` at the beginning of a line.
fn after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let rest = text.lines().find_map(|line| line.strip_prefix(before))?;
    rest.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next()
}
