//! Runs the executable and compares its output with what the test knows.

#[path = "common/process.rs"]
mod process;

use std::process::{Command, Output, Stdio};

use process::Program;
use serde_json::Value;

fn broker(arguments: &[&str]) -> Output {
    Command::new(Program::broker())
        .args(arguments)
        .output()
        .expect("the executable starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("output is UTF-8")
}

fn info() -> Value {
    let output = broker(&["info", "--json"]);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("output is JSON")
}

#[cfg(target_os = "linux")]
fn noted(info: &Value, key: &str) -> bool {
    info["notes"]
        .as_array()
        .expect("notes are an array")
        .iter()
        .any(|note| note.as_str().is_some_and(|note| note.contains(key)))
}

#[test]
fn the_keys_are_those_promised() {
    let info = info();
    let keys = |value: &Value| -> Vec<String> {
        let object = value.as_object().expect("an object");
        object.keys().cloned().collect()
    };
    let mut top = keys(&info);
    top.sort();
    assert_eq!(
        top,
        [
            "allocator",
            "cpus",
            "kernel",
            "libc",
            "notes",
            "page_size",
            "pie",
            "static_linked",
            "target",
            "version",
        ]
    );
    assert_eq!(keys(&info["libc"]).len(), 2);
    assert_eq!(keys(&info["allocator"]).len(), 3);
    assert!(info["allocator"]["options"].is_object());
}

#[test]
fn version_and_target_are_those_of_the_build() {
    let info = info();
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    let target = info["target"].as_str().expect("a target triple");
    let libc = info["libc"]["name"].as_str().expect("a name");
    let environment = match libc {
        "glibc" => "gnu",
        other => other,
    };
    assert!(target.contains(environment), "{target}, {libc}");
}

/// For other builds, the check that builds them knows the expected values.
#[cfg(target_os = "linux")]
#[test]
fn the_build_matches_the_compiler_s_settings() {
    if !Program::is_own() {
        return;
    }
    let info = info();
    let libc = if cfg!(target_env = "musl") {
        "musl"
    } else {
        "glibc"
    };
    let allocator = if cfg!(feature = "jemalloc") {
        "jemalloc"
    } else {
        libc
    };
    let target = info["target"].as_str().expect("a target triple");
    assert!(target.starts_with(std::env::consts::ARCH), "{target}");
    assert_eq!(info["libc"]["name"], libc);
    assert_eq!(info["allocator"]["name"], allocator);
    assert_eq!(info["static_linked"], cfg!(target_feature = "crt-static"));
    assert!(info["pie"].is_boolean());
}

#[cfg(target_os = "linux")]
#[test]
fn the_c_library_s_version_is_shown_where_known() {
    let info = info();
    let libc = &info["libc"];
    // musl has no version at run time, and a statically linked glibc is not asked for its own.
    if libc["name"] == "musl" || info["static_linked"] == true {
        assert_eq!(libc["version"], Value::Null);
        assert!(noted(&info, "libc.version"));
        return;
    }
    let version = libc["version"].as_str().expect("a version");
    let (major, minor) = version.split_once('.').expect("a dot");
    assert_eq!(major, "2");
    assert!(minor.starts_with(|c: char| c.is_ascii_digit()), "{version}");
    assert!(!noted(&info, "libc.version"));
}

#[cfg(target_os = "linux")]
#[test]
fn an_allocators_options_are_those_in_force() {
    let output = Command::new(Program::broker())
        .args(["info", "--json"])
        // The name depends on whether the target's jemalloc is prefixed.
        .env("_RJEM_MALLOC_CONF", "narenas:3,dirty_decay_ms:1234")
        .env("MALLOC_CONF", "narenas:3,dirty_decay_ms:1234")
        .output()
        .expect("the executable starts");
    let info: Value = serde_json::from_slice(&output.stdout).expect("output is JSON");
    let allocator = &info["allocator"];
    let options = &allocator["options"];
    if allocator["name"] == "jemalloc" {
        assert!(allocator["version"].is_string());
        assert!(options["tcache"].is_boolean());
        assert_eq!(options["narenas"], 3);
        assert_eq!(options["dirty_decay_ms"], 1234);
    } else {
        assert_eq!(allocator["name"], info["libc"]["name"]);
        assert_eq!(allocator["version"], info["libc"]["version"]);
        assert!(noted(&info, "allocator.options"));
    }
}

#[cfg(unix)]
#[test]
fn the_machine_is_the_one_the_test_runs_on() {
    let info = info();
    assert_eq!(info["page_size"], rustix::param::page_size());
    let cpus = std::thread::available_parallelism().expect("CPUs can be counted");
    assert_eq!(info["cpus"], cpus.get());
    let uname = rustix::system::uname();
    for (key, value) in [
        ("sysname", uname.sysname()),
        ("release", uname.release()),
        ("machine", uname.machine()),
    ] {
        assert_eq!(info["kernel"][key], *value.to_string_lossy(), "{key}");
    }
}

#[test]
fn text_output_has_the_same_content_in_aligned_lines() {
    let output = broker(&["info"]);
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    let column = |line: &str| {
        let colon = line.find(": ").expect("a key");
        let value = &line[colon + 1..];
        colon + 1 + value.len() - value.trim_start().len()
    };
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["version:", env!("CARGO_PKG_VERSION")]
    );
    for line in &lines {
        assert_eq!(column(line), column(lines[0]), "{line}");
    }
    let target = info()["target"].as_str().expect("a target").to_owned();
    let told = lines.iter().find(|line| line.starts_with("target:"));
    assert!(
        told.is_some_and(|line| line.ends_with(&target)),
        "{lines:?}"
    );
}

#[test]
fn bad_arguments_exit_with_2_and_are_named() {
    let output = broker(&["info", "--jsno"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).contains("--jsno"), "{output:?}");
}

#[test]
fn without_a_subcommand_there_is_help_and_exit_code_2() {
    let output = broker(&[]);
    assert_eq!(output.status.code(), Some(2));
    let help = text(&output.stderr);
    assert!(help.contains("Usage:") && help.contains("info"), "{help}");
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    for arguments in [&["info"][..], &["info", "--json"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = Command::new(Program::broker())
            .args(arguments)
            .stdout(Stdio::from(writer))
            .stderr(Stdio::piped())
            .output()
            .expect("the executable starts");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn failed_output_is_an_error() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full exists");
    let output = Command::new(Program::broker())
        .arg("info")
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .expect("the executable starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("standard output"),
        "{output:?}"
    );
}
