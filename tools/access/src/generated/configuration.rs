//! `dapr/config/<app>.yaml`: what the app's sidecar allows to the app, and to other apps.

use std::fmt::Write as _;

use anyhow::Result;

use super::NOTICE;
use crate::{
    matrix::{App, Matrix},
    policy::{Policy, Rule},
};

/// The trust domain and the namespace of every app, as they stand in its certificate.
const TRUST_DOMAIN: &str = "public";
const NAMESPACE: &str = "default";

/// The configuration of the app's sidecar.
pub(super) fn of(matrix: &Matrix, app: &App) -> Result<String> {
    let id = &app.id;
    let access_control = access_control(matrix, app)?;
    let apis = apis(matrix, app)?;
    let name_resolution = name_resolution(matrix)?;
    let secrets = secrets(app);
    Ok(format!(
        "\
# {NOTICE}
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: {id}
spec:
  features:
    # Files are read at the start and at no other time.
    - name: HotReload
      enabled: false
  mtls:
    enabled: true
{access_control}{apis}{secrets}{name_resolution}  metrics:
    enabled: true
    recordErrorCodes: true
    http:
      # A series for each path would have one for each patient.
      increasedCardinality: false
  logging:
    apiLogging:
      # Off unless a flag says otherwise; even then no path, which may name a patient, is logged.
      enabled: false
      obfuscateURLs: true
      omitHealthChecks: true
"
    ))
}

fn access_control(matrix: &Matrix, app: &App) -> Result<String> {
    let mut policies = String::new();
    for caller in matrix.apps.iter().filter(|caller| caller.id != app.id) {
        let policy = matrix.policy(&caller.id, &app.id)?;
        if !policy.rules.is_empty() {
            policies += &policy_of(&caller.id, &policy)?;
        }
    }
    let policies = if policies.is_empty() { " []\n".to_owned() } else { format!("\n{policies}") };
    Ok(format!(
        "  # Who may call this app, by the identity in the caller's certificate.
  accessControl:
    defaultAction: deny
    trustDomain: {TRUST_DOMAIN}
    policies:{policies}"
    ))
}

fn policy_of(caller: &str, policy: &Policy) -> Result<String> {
    let mut text = format!(
        "      - appId: {caller}
        defaultAction: deny
        trustDomain: {TRUST_DOMAIN}
        namespace: {NAMESPACE}
        operations:
"
    );
    for Rule { pattern, verbs, meaning } in &policy.rules {
        if let Some(meaning) = meaning {
            writeln!(text, "          # {meaning}")?;
        }
        writeln!(text, "          - name: {pattern}")?;
        if !verbs.is_empty() {
            let verbs: Vec<&str> = verbs.iter().map(|verb| verb.name()).collect();
            writeln!(text, "            httpVerb: [{}]", verbs.join(", "))?;
        }
        writeln!(text, "            action: allow")?;
    }
    Ok(text)
}

/// The parts of the sidecar's API that the app may use.
///
/// Invocation stands there for both protocols whatever the app does: Dapr takes a protocol without any
/// entry as one without a limit. Health is always open, proxied gRPC calls are never limited here.
fn apis(matrix: &Matrix, app: &App) -> Result<String> {
    let uses = |component: &str| app.components.contains(component);
    let wanted = [
        ("invoke", "http", true),
        ("invoke", "grpc", true),
        ("state", "grpc", uses("statestore")),
        ("bindings", "grpc", uses("functions")),
        ("publish", "grpc", matrix.topics.iter().any(|topic| topic.publishers.contains(&app.id))),
        ("secrets", "grpc", !app.secrets.is_empty()),
        ("metadata", "http", app.metadata),
        ("metadata", "grpc", app.metadata),
    ];
    let left_out = if app.metadata { "shutdown" } else { "shutdown and metadata" };
    let mut text =
        format!("  # What this app may ask of its sidecar, which leaves out {left_out}.\n  api:\n    allowed:\n");
    for (name, protocol, _) in wanted.into_iter().filter(|(_, _, wanted)| *wanted) {
        writeln!(text, "      - {{name: {name}, version: v1, protocol: {protocol}}}")?;
    }
    Ok(text)
}

fn secrets(app: &App) -> String {
    if !app.has_secret_store() {
        return String::new();
    }
    let allowed: Vec<&str> = app.secrets.iter().map(String::as_str).collect();
    format!(
        "  # What the app itself may ask for; its components' own secrets are not among them.
  secrets:
    scopes:
      - storeName: secretstore
        defaultAccess: deny
        allowedSecrets: [{}]
",
        allowed.join(", ")
    )
}

fn name_resolution(matrix: &Matrix) -> Result<String> {
    let mut text = "  # App id to the port blocks of its instances, all on loopback.
  nameResolution:
    component: loopback
    version: v1
    configuration:
      portBase: \"${PMS_PORT_BASE}\"
      # How many of each app's blocks are used; unset, it is one.
      instances: \"${PMS_INSTANCES}\"
      apps:
"
    .to_owned();
    for App { id, blocks, .. } in &matrix.apps {
        let blocks: Vec<String> = blocks.iter().map(ToString::to_string).collect();
        writeln!(text, "        {id}: [{}]", blocks.join(", "))?;
    }
    Ok(text)
}
