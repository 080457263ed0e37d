//! The rules, tried against the repository's own files with one thing changed in each.

use super::*;

const FILES: [(&str, &str); 8] = [
    (FILE, include_str!("../../../../docker-compose.yml")),
    (RUN_FILE, include_str!("../../../../dapr/dapr.yaml")),
    (MATRIX, include_str!("../../../../dapr/access.yaml")),
    (CONTAINERS, include_str!("../../../../dapr/containers.yaml")),
    ("Dockerfile", include_str!("../../../../Dockerfile")),
    ("rust-toolchain.toml", include_str!("../../../../rust-toolchain.toml")),
    ("dapr/runtime/go.mod", include_str!("../../../../dapr/runtime/go.mod")),
    ("tools/local/kafka/pom.xml", include_str!("../../../../tools/local/kafka/pom.xml")),
];

/// What all rules find when the first `from` in the file at `path` is `to`.
fn findings(path: &str, from: &str, to: &str) -> Vec<Finding> {
    let changed =
        FILES.map(|(name, text)| (name, if name == path { text.replacen(from, to, 1) } else { text.to_owned() }));
    assert!(from == to || changed.iter().zip(FILES).any(|(one, other)| one.1 != other.1), "{path} has no {from}");
    let tree = Tree::of(changed.iter().map(|(name, text)| (*name, text.as_str())));
    let matrix = Matrix::parse(FILES[2].1).unwrap();
    [follows_the_run_file(&tree, &matrix), nothing_is_open(&tree), same_as_elsewhere(&tree)].concat()
}

#[test]
fn the_files_as_they_are_are_good() {
    assert_eq!(findings(FILE, "", ""), [""; 0]);
}

#[test]
fn each_difference_from_the_run_file_is_found() {
    for (from, to) in [
        ("--app-port=7420", "--app-port=7430"),
        ("--dapr-grpc-port=7432", "--dapr-grpc-port=7433"),
        ("--dapr-internal-grpc-port=50002", "--dapr-internal-grpc-port=50003"),
        ("--config=/dapr/config/billing.yaml", "--config=/dapr/config/patient.yaml"),
        ("--config=/dapr/containers.yaml,", ""),
        ("--resources-path=/components/kafka,", ""),
        ("--resources-path=/components/kafka", "--resources-path=/components/redis"),
        ("--resources-path=/components/base/auth", "--resources-path=/components/base/billing"),
        ("--read-buffer-size=24Ki,", "--read-buffer-size=24Ki, --read-buffer-size=24Ki,"),
        ("--enable-mtls,", ""),
        ("--dapr-listen-addresses=127.0.0.1,", ""),
        ("NAMESPACE: default\n    GOGC", "GOGC"),
        ("DAPR_HTTP_PORT: 7421", "DAPR_HTTP_PORT: 7431"),
        ("MFA_REQUIRED: \"false\"", "MFA_REQUIRED: \"true\""),
        ("CLINIC_TIME_ZONE: America/New_York", "CLINIC_TIME_ZONE: UTC"),
        ("PUBLIC_ADDRESS: 0.0.0.0:7400", "PUBLIC_ADDRESS: 0.0.0.0:7401"),
        ("WEB_DIRECTORY: /web", "WEB_DIRECTORY: /"),
        ("network_mode: service:patient-pod", "network_mode: service:billing-pod"),
        ("args: {APP: billing}", "args: {APP: patient}"),
        ("image: pms/billing:", "image: pms/patient:"),
        ("\"billing-tokens:/tokens:ro,nocopy\"", "\"patient-tokens:/tokens:ro,nocopy\""),
        ("\"billing-secrets:/secrets:ro,nocopy\"", "\"auth-secrets:/secrets:ro,nocopy\""),
        ("encounter.finished=4", "encounter.finished=1"),
        ("  patient-pod:\n", "  patients-pod:\n"),
    ] {
        assert!(!findings(FILE, from, to).is_empty(), "{to} in place of {from} is not found");
    }
}

#[test]
fn each_change_of_the_run_file_alone_is_found() {
    for (path, from, to) in [
        (RUN_FILE, "appHealthThreshold: 5", "appHealthThreshold: 3"),
        (RUN_FILE, "readBufferSize: 24Ki", "readBufferSize: 24Ki\n  unixDomainSocket: /tmp"),
        (RUN_FILE, "enableAppHealthCheck: true", "enableAppHealthCheck: false"),
        (RUN_FILE, "MFA_REQUIRED: \"false\"", "MFA_REQUIRED: \"false\"\n      ANOTHER: x"),
        (RUN_FILE, "      - ../dapr/subscriptions\n", ""),
        (MATRIX, "- name: patient.registered", "- name: patient.moved"),
        (CONTAINERS, ":50002", ":50003"),
        (CONTAINERS, "{appid}-pod", "{appid}"),
        ("Dockerfile", "COPY components /components", "COPY components/base /components"),
    ] {
        assert!(!findings(path, from, to).is_empty(), "{to} in place of {from} in {path} is not found");
    }
}

#[test]
fn each_opening_is_found() {
    for (from, to) in [
        ("cap_drop: [ALL]", "cap_drop: []"),
        ("no-new-privileges:true", "no-new-privileges:false"),
        ("user: \"65532:65532\"", "user: \"0:0\""),
        ("read_only: true", "read_only: false"),
        ("read_only: true\n  tmpfs", "tmpfs"),
        ("${PMS_BIND:-127.0.0.1}:", ""),
        ("${PMS_BIND:-127.0.0.1}:", "0.0.0.0:"),
        ("networks: [auth-database]", "networks: [auth-database]\n    ports: [\"127.0.0.1:5432:5432\"]"),
        ("networks: [mesh, patient-database, broker]", "networks: [mesh, patient-database, broker, public]"),
        ("mesh: {internal: true}", "mesh: {}"),
        ("POSTGRES_PASSWORD_FILE: /secrets/superuser-password", "POSTGRES_PASSWORD: postgres"),
        ("\"trust:/trust\"]", "\"./trust:/trust\"]"),
        ("postgres:15.18-bookworm", "postgres"),
        ("postgres:15.18-bookworm", "postgres:latest"),
        ("network_mode: none", "privileged: true\n  network_mode: none"),
        ("\nnetworks:\n", "\nsecrets: {password: {file: password.txt}}\nnetworks:\n"),
    ] {
        assert!(!findings(FILE, from, to).is_empty(), "{to} in place of {from} is not found");
    }
}

#[test]
fn a_version_of_its_own_is_found() {
    for (path, from, to) in [
        ("Dockerfile", "ARG RUST_VERSION=1.95.0", "ARG RUST_VERSION=1.96.0"),
        ("Dockerfile", "ARG DAPR_VERSION=1.18.2", "ARG DAPR_VERSION=1.17.0"),
        (FILE, "apache/kafka:4.3.0", "apache/kafka:4.2.0"),
    ] {
        assert_eq!(findings(path, from, to).len(), 1, "{to} in {path}");
    }
}
