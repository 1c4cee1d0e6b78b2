//! Runs the program on a small index.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn run(packages: &[&str], wanted: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_debian-lock"))
        .arg("--packages")
        .args(packages.iter().map(|name| data(name)))
        .arg("--sources")
        .arg(data("Sources"))
        .arg("--wanted")
        .arg(data(wanted))
        .args(["--snapshot", "20261123T000000Z"])
        .output()
        .expect("the program starts")
}

fn refusal(packages: &[&str], wanted: &str) -> String {
    let output = run(packages, wanted);
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn writes_the_lock() {
    let output = run(&["Packages", "Packages.security"], "wanted.json");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let expected = std::fs::read_to_string(data("lock.json")).expect("there");
    let found = String::from_utf8(output.stdout).expect("text");
    assert_eq!(found, expected);
}

#[test]
fn the_second_index_matters() {
    // Without the second index the dependency on the fixed library version fails.
    let message = refusal(&["Packages"], "wanted.json");
    assert!(message.contains("libkettle1 (>= 1.0-1+fix1)"), "{message}");
    assert!(
        message.contains("libkettle1 is at version 1.0-1"),
        "{message}"
    );
}

#[test]
fn refuses_bad_input() {
    let message = refusal(&["Packages"], "missing.json");
    assert!(message.contains("missing.json"), "{message}");
    let message = refusal(&["wanted.json"], "wanted.json");
    assert!(message.contains("wanted.json, line 1"), "{message}");
    let message = refusal(&["Packages"], "Packages");
    assert!(message.contains("cannot parse"), "{message}");
}

#[test]
fn a_source_package_needs_an_index() {
    let output = Command::new(env!("CARGO_BIN_EXE_debian-lock"))
        .arg("--packages")
        .args(["Packages", "Packages.security"].map(data))
        .arg("--wanted")
        .arg(data("wanted.json"))
        .args(["--snapshot", "20261123T000000Z"])
        .output()
        .expect("the program starts");
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let message = String::from_utf8(output.stderr).expect("text");
    assert!(message.contains("source package teapot"), "{message}");
    assert!(message.contains("--sources"), "{message}");
}
