//! What a container may not do, and what must not stand in the file.

use serde_yaml_ng::Value;

use super::{FILE, names, parse, strings, text};
use crate::{Finding, Tree};

/// What is not as confined as the rest, each for a reason that stands beside it in the file.
const WRITES_ITS_ROOT: [&str; 3] = ["kafka", "topics", "localstack"];
const AS_ITS_IMAGE_WANTS: [&str; 3] = ["kafka", "topics", "localstack"];
const KEEPS_CAPABILITIES: [&str; 1] = ["localstack"];

/// Who can be reached from outside, on which address.
const PUBLISHED: [(&str, &str); 2] =
    [("gateway-pod", "${PMS_BIND:-127.0.0.1}:"), ("localstack", "127.0.0.1:${LOCALSTACK_PORT:-4566}:")];

/// The networks that lead out of the machine, and who may be on one.
const OUTSIDE: [(&str, &str); 2] = [("public", "gateway-pod"), ("aws", "localstack")];

/// Every container is confined, no secret stands in the file, and only what is meant to can be reached from outside.
pub fn nothing_is_open(tree: &Tree) -> Vec<Finding> {
    let file = match parse(tree, FILE) {
        Ok(file) => file,
        Err(finding) => return vec![finding],
    };
    let mut findings = Vec::new();
    for name in names(&file["services"]) {
        let container = &file["services"][name];
        findings.extend(is_confined(name, container).into_iter().map(|what| format!("{FILE}: {name} {what}")));
    }
    for name in names(&file["networks"]) {
        let internal = file["networks"][name]["internal"] == true;
        if internal == OUTSIDE.iter().any(|(outside, _)| *outside == name) {
            findings.push(format!("{FILE}: the network {name} is open or closed, and should be the other"));
        }
    }
    for field in ["secrets", "configs"] {
        if !file[field].is_null() {
            findings.push(format!("{FILE}: {field} come from files of the machine; ours are made in volumes"));
        }
    }
    findings
}

fn is_confined(name: &str, container: &Value) -> Vec<String> {
    let mut what = Vec::new();
    if container["privileged"] == true || !container["cap_add"].is_null() || !container["pid"].is_null() {
        what.push("is given rights".to_owned());
    }
    if !KEEPS_CAPABILITIES.contains(&name) && strings(&container["cap_drop"]).next() != Some("ALL") {
        what.push("keeps capabilities".to_owned());
    }
    if strings(&container["security_opt"]).next() != Some("no-new-privileges:true") {
        what.push("may get new privileges".to_owned());
    }
    if !WRITES_ITS_ROOT.contains(&name) && container["read_only"] != true {
        what.push("writes its root".to_owned());
    }
    let user = container["user"].as_str().unwrap_or_default();
    if !AS_ITS_IMAGE_WANTS.contains(&name) && (user.is_empty() || user.starts_with('0') || user.starts_with("root")) {
        what.push("may be root".to_owned());
    }
    let published = PUBLISHED.iter().find(|(who, _)| *who == name).map(|(_, address)| *address);
    for port in strings(&container["ports"]) {
        if !published.is_some_and(|address| port.starts_with(address)) {
            what.push(format!("publishes {port}"));
        }
    }
    for network in strings(&container["networks"]) {
        if OUTSIDE.iter().any(|(outside, who)| *outside == network && *who != name) {
            what.push(format!("is on the network {network}"));
        }
    }
    // A folder of the machine is neither everywhere the same nor confined.
    let binds = strings(&container["volumes"]).filter(|volume| volume.starts_with(['.', '/', '~', '$']));
    what.extend(binds.map(|volume| format!("mounts {volume}")));
    what.extend(tells_a_secret(&container["environment"]));
    let image = container["image"].as_str().unwrap_or_default();
    if !image.rsplit('/').next().unwrap_or_default().contains(':') || image.ends_with(":latest") {
        what.push(format!("has the image {image:?}, whatever that is tomorrow"));
    }
    what
}

/// Variables that are named after a secret say where it lies.
fn tells_a_secret(environment: &Value) -> Vec<String> {
    let is_secret =
        |name: &str| ["PASSWORD", "TOKEN", "SECRET", "ADMIN_URL", "KEY"].iter().any(|word| name.contains(word));
    environment
        .as_mapping()
        .into_iter()
        .flatten()
        .map(|(name, value)| (text(name), text(value)))
        .filter(|(name, value)| is_secret(name) && !(name.ends_with("_FILE") && value.starts_with('/')))
        .map(|(name, _)| format!("has a secret in {name}"))
        .collect()
}
