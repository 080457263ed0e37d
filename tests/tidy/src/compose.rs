//! `docker-compose.yml` starts what `dapr/dapr.yaml` starts: the same apps on the same ports, with the same arguments,
//! resources and variables, whatever the difference between a machine and a pod does not ask for.

mod confinement;
mod versions;

use std::collections::BTreeMap;

use access_policy::{App, Matrix};
use serde_yaml_ng::{Mapping, Value};

use crate::{Finding, Tree};

pub use confinement::nothing_is_open;
pub use versions::same_as_elsewhere;

const FILE: &str = "docker-compose.yml";
const RUN_FILE: &str = "dapr/dapr.yaml";
const MATRIX: &str = "dapr/access.yaml";

/// What a sidecar reads after its own configuration.
const CONTAINERS: &str = "dapr/containers.yaml";

/// Fields of the run file that say how one machine starts a program, and their counterparts here are images.
const OF_THE_MACHINE: [&str; 5] = ["appDirPath", "command", "env", "appLogDestination", "daprdLogDestination"];

/// What every sidecar is told besides, as `tools/local` tells its own.
const BESIDES: [&str; 7] = [
    "--dapr-listen-addresses=127.0.0.1",
    "--dapr-public-listen-address=127.0.0.1",
    "--metrics-listen-address=127.0.0.1",
    "--enable-mtls",
    "--sentry-address=sentry:50001",
    "--log-as-json",
    "--log-level=${LOG_LEVEL:-info}",
];

const TOKENS: [(&str, &str); 2] =
    [("DAPR_API_TOKEN_FROM_FILE", "/tokens/dapr-api-token"), ("APP_API_TOKEN_FROM_FILE", "/tokens/app-api-token")];

/// How the image of the sidecars comes to the components and policies of the repository.
const COPIES: [&str; 4] = [
    "COPY components /components",
    "COPY dapr/resiliency.yaml dapr/containers.yaml /dapr/",
    "COPY dapr/config /dapr/config",
    "COPY dapr/subscriptions /dapr/subscriptions",
];

/// Every app of the matrix is a pod, whose sidecar and service are started as the run file starts them.
pub fn follows_the_run_file(tree: &Tree, matrix: &Matrix) -> Vec<Finding> {
    let (file, run_file) = match (parse(tree, FILE), parse(tree, RUN_FILE)) {
        (Ok(file), Ok(run_file)) => (file, run_file),
        (file, run_file) => return [file.err(), run_file.err()].into_iter().flatten().collect(),
    };
    let mut findings = Vec::new();
    let entries = run_file["apps"].as_sequence().into_iter().flatten();
    for entry in entries {
        let id = entry["appID"].as_str().unwrap_or_default();
        let Some(app) = matrix.app(id) else {
            continue; // `wiring` finds it.
        };
        let entry = merged(&run_file["common"], entry);
        findings.extend(sidecar_follows(tree, &file["services"][format!("{id}-sidecar")], &entry, app));
        findings.extend(service_follows(&file["services"][id], &entry, app));
    }
    let pods: Vec<&str> = names(&file["services"]).filter_map(|name| name.strip_suffix("-pod")).collect();
    let ours: Vec<&str> = matrix.apps.iter().filter(|app| !app.outside).map(|app| app.id.as_str()).collect();
    if pods != ours {
        findings.push(format!("{FILE} has the pods {pods:?} and {MATRIX} the apps {ours:?}"));
    }
    findings.extend(topics_follow(tree, &file));
    let dockerfile = tree.get("Dockerfile").unwrap_or_default();
    let missing = COPIES.iter().filter(|line| !dockerfile.lines().any(|found| found == **line));
    findings.extend(missing.map(|line| format!("Dockerfile: {line:?} is missing")));
    findings
}

/// Its command line, word for word, and its environment.
fn sidecar_follows(tree: &Tree, sidecar: &Value, entry: &Mapping, app: &App) -> Vec<Finding> {
    let name = format!("{FILE}: {}-sidecar", app.id);
    let (mut wanted, mut findings) = (Vec::new(), Vec::new());
    for (key, value) in entry {
        let key = key.as_str().unwrap_or_default();
        match flags(tree, key, value) {
            Some(flags) => wanted.extend(flags),
            None => findings.push(format!("{name}: nobody knows what {key} of {RUN_FILE} is here")),
        }
    }
    wanted.extend(BESIDES.map(str::to_owned));
    let found: Vec<String> = strings(&sidecar["command"]).map(str::to_owned).collect();
    findings.extend(difference(&name, &wanted, &found));

    let mut environment: BTreeMap<String, String> =
        TOKENS.map(|(name, path)| (name.to_owned(), path.to_owned())).into();
    for (name, value) in [("DAPR_TRUST_ANCHORS_FROM_FILE", "/trust/ca.crt"), ("NAMESPACE", "default"), ("GOGC", "400")]
    {
        environment.insert(name.to_owned(), value.to_owned());
    }
    findings.extend(difference(&name, &assignments(&environment), &variables(&sidecar["environment"])));

    let mut volumes = vec![format!("{}-tokens:/tokens:ro,nocopy", app.id)];
    if app.has_secret_store() {
        volumes.push(format!("{}-secrets:/secrets:ro,nocopy", app.id));
    }
    volumes.push("trust:/trust:ro,nocopy".to_owned());
    findings.extend(shares_its_pod(&name, sidecar, app, &volumes));
    findings
}

/// Its variables, and no more of the secrets than what it shows its sidecar.
fn service_follows(service: &Value, entry: &Mapping, app: &App) -> Vec<Finding> {
    let name = format!("{FILE}: {}", app.id);
    let mut environment: BTreeMap<String, String> =
        TOKENS.map(|(name, path)| (name.to_owned(), path.to_owned())).into();
    for (name, field) in
        [("APP_PORT", "appPort"), ("DAPR_HTTP_PORT", "daprHTTPPort"), ("DAPR_GRPC_PORT", "daprGRPCPort")]
    {
        environment.insert(name.to_owned(), text(&entry[field]));
    }
    for name in ["LOG_LEVEL", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
        let default = if name == "LOG_LEVEL" { "info" } else { "" };
        environment.insert(name.to_owned(), format!("${{{name}:-{default}}}"));
    }
    for (name, value) in entry.get("env").and_then(Value::as_mapping).into_iter().flatten() {
        environment.insert(text(name), in_a_pod(&text(value)));
    }
    let mut findings = difference(&name, &assignments(&environment), &variables(&service["environment"]));
    findings.extend(shares_its_pod(&name, service, app, &[format!("{}-tokens:/tokens:ro,nocopy", app.id)]));
    if service["image"] != format!("pms/{}:${{PMS_TAG:-dev}}", app.id).as_str() {
        findings.push(format!("{name} has the image {:?}", service["image"]));
    }
    if service["build"]["args"]["APP"] != app.id.as_str() {
        findings.push(format!("{name} is built from another program than its own"));
    }
    findings
}

fn shares_its_pod(name: &str, container: &Value, app: &App, volumes: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if container["network_mode"] != format!("service:{}-pod", app.id).as_str() {
        findings.push(format!("{name} is not in the network of its pod"));
    }
    let found: Vec<String> = strings(&container["volumes"]).map(str::to_owned).collect();
    findings.extend(difference(name, volumes, &found));
    findings
}

/// What a field of the run file is on a sidecar's command line; nothing if nobody has said.
fn flags(tree: &Tree, key: &str, value: &Value) -> Option<Vec<String>> {
    let flag = match key {
        _ if OF_THE_MACHINE.contains(&key) => return Some(Vec::new()),
        "enableAppHealthCheck" => {
            return Some(
                value.as_bool().filter(|on| *on).map(|_| "--enable-app-health-check".to_owned()).into_iter().collect(),
            );
        }
        "resourcesPaths" => {
            let paths = strings(value).map(|path| format!("--resources-path={}", from_the_root(path)));
            return Some(paths.collect());
        }
        "configFilePath" => {
            let own = value.as_str().map(from_the_root).unwrap_or_default();
            return Some(vec![format!("--config={own}"), format!("--config=/{CONTAINERS}")]);
        }
        // One port for all, the one at which a name in the format is looked for.
        "daprInternalGRPCPort" => {
            let containers = parse(tree, CONTAINERS).ok()?;
            let format = containers["spec"]["nameResolution"]["configuration"]["format"].as_str()?;
            let port = format.strip_prefix("{appid}-pod:")?;
            return Some(vec![format!("--dapr-internal-grpc-port={port}")]);
        }
        "appID" => "--app-id",
        "appPort" => "--app-port",
        "daprHTTPPort" => "--dapr-http-port",
        "daprGRPCPort" => "--dapr-grpc-port",
        "metricsPort" => "--metrics-port",
        "appProtocol" => "--app-protocol",
        "appHealthCheckPath" => "--app-health-check-path",
        "appHealthProbeInterval" => "--app-health-probe-interval",
        "appHealthProbeTimeout" => "--app-health-probe-timeout",
        "appHealthThreshold" => "--app-health-threshold",
        "readBufferSize" => "--read-buffer-size",
        _ => return None,
    };
    Some(vec![format!("{flag}={}", text(value))])
}

/// A path that the run file counts from its own folder; images have at their root what the repository has.
fn from_the_root(path: &str) -> String {
    path.strip_prefix("..").unwrap_or(path).to_owned()
}

/// What a value of the run file is in a pod: its public listener is published by the pod, on loopback unless told
/// otherwise, and the page of the staff lies at the image's root.
fn in_a_pod(value: &str) -> String {
    match value.strip_prefix("127.0.0.1:") {
        Some(port) => format!("0.0.0.0:{port}"),
        None if value == "../web/dist" => "/web".to_owned(),
        None => value.to_owned(),
    }
}

/// The topics that are made are those of the matrix, each with its partitions.
fn topics_follow(tree: &Tree, file: &Value) -> Vec<Finding> {
    const PARTITIONS: u64 = 4;
    let matrix = parse(tree, MATRIX).unwrap_or_default();
    let wanted: Vec<String> = matrix["topics"]
        .as_sequence()
        .into_iter()
        .flatten()
        .map(|topic| {
            let name = topic.as_str().or_else(|| topic["name"].as_str()).unwrap_or_default();
            format!("{name}={}", topic["partitions"].as_u64().unwrap_or(PARTITIONS))
        })
        .collect();
    let found = file["services"]["topics"]["environment"]["TOPICS"].as_str().unwrap_or_default();
    let found: Vec<String> = found.split_whitespace().map(str::to_owned).collect();
    difference(&format!("{FILE}: topics"), &wanted, &found)
}

/// What is there too little or too much, whatever the order.
fn difference(name: &str, wanted: &[String], found: &[String]) -> Vec<Finding> {
    let (mut wanted, mut found) = (wanted.to_vec(), found.to_vec());
    wanted.sort();
    found.sort();
    let missing = wanted.iter().filter(|word| !found.contains(word)).map(|word| format!("{name}: {word} is missing"));
    let surplus = found.iter().filter(|word| !wanted.contains(word)).map(|word| format!("{name}: why {word}?"));
    let mut findings: Vec<Finding> = missing.chain(surplus).collect();
    if findings.is_empty() && wanted != found {
        findings.push(format!("{name}: something is there twice"));
    }
    findings
}

/// A file of the repository, with what its anchors stand for.
fn parse(tree: &Tree, path: &str) -> Result<Value, Finding> {
    let text = tree.get(path).ok_or_else(|| format!("{path} is missing"))?;
    let mut value: Value = serde_yaml_ng::from_str(text).map_err(|error| format!("{path}: {error}"))?;
    // What is merged may merge something itself, and each time does one step of it.
    loop {
        let before = value.clone();
        value.apply_merge().map_err(|error| format!("{path}: {error}"))?;
        if value == before {
            return Ok(value);
        }
    }
}

fn merged(all: &Value, own: &Value) -> Mapping {
    let mut merged = all.as_mapping().cloned().unwrap_or_default();
    merged.extend(own.as_mapping().cloned().unwrap_or_default());
    merged
}

fn names(mapping: &Value) -> impl Iterator<Item = &str> {
    mapping.as_mapping().into_iter().flatten().filter_map(|(name, _)| name.as_str())
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_sequence().into_iter().flatten().filter_map(Value::as_str)
}

fn variables(environment: &Value) -> Vec<String> {
    let pairs = environment.as_mapping().into_iter().flatten();
    assignments(&pairs.map(|(name, value)| (text(name), text(value))).collect())
}

fn assignments(environment: &BTreeMap<String, String>) -> Vec<String> {
    environment.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

/// A scalar as YAML means it in a place for text.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(on) => on.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
