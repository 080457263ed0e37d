use std::path::PathBuf;

use super::*;

const MATRIX: &str = "\
apps:
  a: {blocks: [10], components: [statestore], secrets: [key]}
  b: {blocks: [20, 60]}
calls:
  a:
    GET /x: [b]
    p.v1.S/Do: [b]
topics:
  - {name: a.made, publish: [a], subscribe: [b]}
  - {name: b.dead-letter, publish: [b], subscribe: [b]}
";

const PUBSUB: &str = "\
spec:
  metadata:
    - name: by hand
    # The scopes. (old)
    - name: old
";

fn repository() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, content) in [(SOURCE, MATRIX), ("components/redis/pubsub.yaml", PUBSUB)] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    fs::create_dir_all(root.path().join("components/base/a")).unwrap();
    root
}

fn yaml(root: &Path, path: &str) -> serde_yaml_ng::Value {
    serde_yaml_ng::from_str(&fs::read_to_string(root.join(path)).unwrap()).unwrap()
}

/// The repository that this crate is part of.
fn our_root() -> PathBuf {
    fs::canonicalize(env!("CARGO_MANIFEST_DIR")).unwrap().join("../..")
}

#[test]
fn what_is_written_is_fresh_and_an_edit_or_a_leftover_is_stale() {
    let root = repository();
    let written = write(root.path()).unwrap();
    assert_eq!(
        written,
        [
            "components/redis/pubsub.yaml",
            "dapr/config/a.yaml",
            "dapr/config/b.yaml",
            "dapr/subscriptions/a.made.b.yaml",
            "dapr/subscriptions/b.dead-letter.yaml",
            "docs/access.md",
            "docs/roles.md",
        ]
    );
    assert_eq!(stale(root.path()).unwrap(), Vec::<String>::new());

    fs::write(root.path().join("dapr/config/a.yaml"), "spec: {}\n").unwrap();
    fs::write(root.path().join("dapr/subscriptions/old.yaml"), "").unwrap();
    assert_eq!(stale(root.path()).unwrap(), ["dapr/config/a.yaml", "dapr/subscriptions/old.yaml"]);
    write(root.path()).unwrap();
    assert_eq!(stale(root.path()).unwrap(), Vec::<String>::new());
}

#[test]
fn the_scopes_follow_what_is_written_by_hand() {
    let root = repository();
    write(root.path()).unwrap();
    let component = yaml(root.path(), "components/redis/pubsub.yaml");
    let metadata = component["spec"]["metadata"].as_sequence().unwrap();
    let value = |name: &str| {
        let entry = metadata.iter().find(|entry| entry["name"] == name).unwrap();
        entry["value"].as_str().unwrap().replace(' ', "")
    };
    assert_eq!(metadata[0]["name"], "by hand");
    assert_eq!(value("protectedTopics"), "a.made,b.dead-letter");
    assert_eq!(value("publishingScopes"), "a=a.made;b=b.dead-letter");
    assert_eq!(value("subscriptionScopes"), "a=;b=a.made,b.dead-letter");
    assert_eq!(component["scopes"].as_sequence().unwrap().len(), 2);
    assert!(!metadata.iter().any(|entry| entry["name"] == "old"));
}

#[test]
fn a_component_without_a_place_for_the_scopes_is_refused() {
    let root = repository();
    fs::write(root.path().join("components/redis/pubsub.yaml"), "spec: {}\n").unwrap();
    assert!(write(root.path()).is_err());
}

#[test]
fn a_sidecar_denies_by_default_and_limits_both_protocols() {
    let root = repository();
    write(root.path()).unwrap();
    for app in ["a", "b"] {
        let spec = &yaml(root.path(), &format!("dapr/config/{app}.yaml"))["spec"];
        assert_eq!(spec["accessControl"]["defaultAction"], "deny");
        assert_eq!(spec["mtls"]["enabled"], true);
        let allowed = spec["api"]["allowed"].as_sequence().unwrap();
        for protocol in ["http", "grpc"] {
            assert!(allowed.iter().any(|api| api["protocol"] == protocol), "{app} {protocol}");
        }
        assert!(!allowed.iter().any(|api| api["name"] == "shutdown" || api["name"] == "metadata"));
        assert_eq!(spec["nameResolution"]["configuration"]["apps"]["b"][1], 60);
    }
}

#[test]
fn a_sidecar_tells_what_it_is_made_of_to_whom_the_matrix_says_alone() {
    let root = repository();
    let (before, after) = MATRIX.split_once("blocks: [").unwrap();
    fs::write(root.path().join(SOURCE), format!("{before}metadata: true, blocks: [{after}")).unwrap();
    write(root.path()).unwrap();
    let told = |app: &str| {
        let spec = &yaml(root.path(), &format!("dapr/config/{app}.yaml"))["spec"];
        let allowed = spec["api"]["allowed"].as_sequence().unwrap();
        allowed.iter().filter(|api| api["name"] == "metadata").count()
    };
    assert_eq!((told("a"), told("b")), (2, 0));
}

#[test]
fn a_sidecar_gives_out_the_named_secrets_alone() {
    let root = repository();
    write(root.path()).unwrap();
    let scope = &yaml(root.path(), "dapr/config/a.yaml")["spec"]["secrets"]["scopes"][0];
    assert_eq!(scope["defaultAccess"], "deny");
    assert_eq!(scope["allowedSecrets"][0], "key");
    assert!(yaml(root.path(), "dapr/config/b.yaml")["spec"].get("secrets").is_none());
}

#[test]
fn a_policy_shows_which_grpc_operation_it_means() {
    let root = repository();
    write(root.path()).unwrap();
    let text = fs::read_to_string(root.path().join("dapr/config/a.yaml")).unwrap();
    assert!(text.contains("# p.v1.S/Do\n          - name: /p.v1.*/*o\n"), "{text}");
    let operations = &yaml(root.path(), "dapr/config/a.yaml")["spec"]["accessControl"]["policies"][0]["operations"];
    assert!(operations[0].get("httpVerb").is_none() || operations[1].get("httpVerb").is_none());
}

#[test]
fn events_come_raw_and_in_bulk_and_dead_letters_one_by_one() {
    let root = repository();
    write(root.path()).unwrap();
    let letters = &yaml(root.path(), "dapr/subscriptions/b.dead-letter.yaml")["spec"];
    assert_eq!(letters["routes"]["default"], "/events/dead-letter");
    assert!(letters.get("deadLetterTopic").is_none() && letters.get("bulkSubscribe").is_none());
    let events = &yaml(root.path(), "dapr/subscriptions/a.made.b.yaml")["spec"];
    assert_eq!(events["deadLetterTopic"], "b.dead-letter");
    assert_eq!(events["bulkSubscribe"]["enabled"], true);
    for spec in [letters, events] {
        assert_eq!(spec["metadata"]["rawPayload"], "true");
    }
}

#[test]
fn an_app_may_do_without_a_dead_letter_topic() {
    let root = repository();
    let (without, _) = MATRIX.rsplit_once("  - {name: b.dead-letter").unwrap();
    fs::write(root.path().join(SOURCE), without).unwrap();
    write(root.path()).unwrap();
    let spec = &yaml(root.path(), "dapr/subscriptions/a.made.b.yaml")["spec"];
    assert!(spec.get("deadLetterTopic").is_none());
    assert_eq!(spec["bulkSubscribe"]["enabled"], true);
}

#[test]
fn a_configuration_takes_nothing_but_its_place_from_the_environment() {
    for (path, content) in files(&our_root()).unwrap() {
        if path.starts_with("dapr/config/") {
            let rest = content.replacen("${PMS_PORT_BASE}", "", 1).replacen("${PMS_INSTANCES}", "", 1);
            assert_eq!(rest.matches('$').count(), 0, "{path}");
        }
    }
}
