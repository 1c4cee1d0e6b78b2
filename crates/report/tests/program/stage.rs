//! A folder with executables that replace the benchmarks.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The folder, removed at the end of the test.
pub(crate) struct Stage {
    folder: TempDir,
    variants: Vec<Value>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            folder,
            variants: Vec::new(),
        }
    }

    /// Adds a variant; `settings` are assignments for the script.
    pub(crate) fn variant(mut self, name: &str, settings: &str) -> Self {
        let script = include_str!("fake/allocations.sh");
        let text = format!("#!/bin/sh\n{settings}\n{script}");
        let program = r#"{"version":"1","target":"t","libc":{"name":"glibc","version":"2.41"},
            "allocator":{"name":"jemalloc","version":"5.3.1-0-g81034ce1"}}"#;
        let program = format!("#!/bin/sh\ncat <<'END'\n{program}\nEND\n");
        self.variants.push(json!({
            "name": name,
            "label": format!("the {name} | build"),
            "allocations": self.script(&format!("{name}-allocations"), &text),
            "program": self.script(&format!("{name}-program"), &program),
        }));
        self
    }

    /// Adds an executable to the folder.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect(name)
    }

    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&self.read("out/report.json")).expect("JSON")
    }

    /// Runs the program for its variants under load.
    pub(crate) fn under_load(&self, generator: &Path, arguments: &[&str]) -> Output {
        let mut command = self.command(&["--section", "broker"]);
        self.add_to_matrix("generator", &json!(generator));
        // An installed nats-server must not be measured.
        command.env("PATH", self.folder.path()).args(arguments);
        command.output().expect("it starts")
    }

    /// Runs the program for the C library with these builds of the survey.
    pub(crate) fn surveyed(&self, surveys: &[&Path], arguments: &[&str]) -> Output {
        let mut command = self.command(&["--section", "libc"]);
        self.add_to_matrix("surveys", &json!(surveys));
        command.args(arguments).output().expect("it starts")
    }

    /// Runs the program for these well-known programs.
    pub(crate) fn programs(&self, programs: &Value, builds: &Value, arguments: &[&str]) -> Output {
        let mut command = self.command(&["--section", "programs"]);
        self.add_to_matrix("programs", programs);
        self.add_to_matrix("builds", builds);
        // The programs must not inherit this.
        command.env("RUST_LOG", "x").args(arguments);
        command.output().expect("it starts")
    }

    fn add_to_matrix(&self, name: &str, value: &Value) {
        let text = self.read("matrix.json");
        let mut matrix: Value = serde_json::from_str(&text).expect("JSON");
        matrix[name] = value.clone();
        fs::write(self.path("matrix.json"), matrix.to_string()).expect("written");
    }

    /// Returns the command of the program, which writes to the folder `out`. The
    /// first variant is the baseline.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let matrix = json!({"baseline": self.variants[0]["name"], "variants": self.variants});
        fs::write(self.path("matrix.json"), matrix.to_string()).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_report"));
        command
            .arg("--matrix")
            .arg(self.path("matrix.json"))
            .arg("--output")
            .arg(self.path("out"))
            .args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it starts")
    }
}

pub(crate) fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Returns all names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("readable").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
