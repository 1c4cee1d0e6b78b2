//! The expected result for each file.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::load;

/// Returns the files in the order of their names.
pub(super) fn files() -> Vec<PathBuf> {
    // Cargo runs tests in the package's folder.
    let folder = std::fs::read_dir("../../fuzz/corpus/config").expect("it is there");
    let mut files: Vec<_> = folder
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    files.sort();
    assert!(files.len() > 100, "{}", files.len());
    files
}

/// Returns the expected result that the file's name states.
fn kind(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str());
    let kind = name.and_then(|name| name.split_once('-'));
    kind.expect("it has a kind").0
}

#[test]
fn broker_gives_the_expected_results() {
    for path in files() {
        let expected = kind(&path);
        let shown = path.display();
        match load(&path, &[]) {
            Ok(loaded) => match expected {
                "accepted" => assert_eq!(loaded.warnings, [], "{shown}"),
                "warned" => assert!(!loaded.warnings.is_empty(), "{shown}"),
                _ => assert_eq!(expected, "milder", "{shown}"),
            },
            Err(problems) => assert!(
                matches!(expected, "refused" | "stricter"),
                "{shown}: {problems}"
            ),
        }
    }
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn nats_server_gives_the_expected_results() {
    let program = std::env::var_os("HUB").expect("HUB names nats-server's executable file");
    for path in files() {
        let mut command = Command::new(&program);
        command.arg("-t").arg("-c").arg(&path);
        let output = command.output().expect("it runs");
        let expected = matches!(kind(&path), "accepted" | "warned" | "stricter");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.success(),
            expected,
            "{}: {said}",
            path.display()
        );
    }
}
