//! The program as a container starts it.

use std::{fs, process::Command};

const PROGRAM: &str = env!("CARGO_BIN_EXE_entrypoint");

#[test]
fn a_program_takes_its_place_with_the_secret_and_its_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "s3cret\n").unwrap();
    let script = r#"printf '%s %s %s' "$TOKEN" "$1" "${TOKEN_FROM_FILE-gone}"; exit 7"#;
    let mut child = Command::new(PROGRAM);
    child.args(["run", "sh", "-c", script, "sh", "argument"]).env("TOKEN_FROM_FILE", &file);
    let output = child.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "s3cret argument gone");
    assert_eq!(output.status.code(), Some(7), "its exit is the container's");
}

#[test]
fn without_its_secret_a_program_does_not_start() {
    let output = Command::new(PROGRAM)
        .args(["run", "sh", "-c", "echo started"])
        .env("TOKEN_FROM_FILE", "/nowhere/token")
        .output()
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("TOKEN_FROM_FILE names /nowhere/token"));
}

#[test]
fn a_mistake_is_told() {
    for arguments in [&[][..], &["run"], &["probe"], &["run", "/nowhere/program"], &["start", "sh"]] {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        assert!(!output.status.success() && !output.stderr.is_empty(), "{arguments:?}");
    }
}
