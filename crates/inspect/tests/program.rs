//! The program: what it prints, and its exit codes.

mod common;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use common::Made;
use object::elf;
use tempfile::TempDir;

/// Returns a folder with a good static program and one that needs a library.
fn files() -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let good = folder.path().join("good");
    std::fs::write(&good, Made::good(&[0xc3]).finish()).expect("written");
    let mut made = Made::good(&[0xc3]);
    made.dynamic_text(elf::DT_NEEDED, "libz.so.1");
    let dynamic = folder.path().join("dynamic");
    std::fs::write(&dynamic, made.finish()).expect("written");
    (folder, good, dynamic)
}

fn inspect() -> Command {
    Command::new(env!("CARGO_BIN_EXE_inspect"))
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn a_report_has_a_line_for_each_trait() {
    let (_folder, good, dynamic) = files();
    let (code, out, errors) = run(inspect().args([&good, &dynamic]));
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(out.starts_with(&format!("{}\n", good.display())), "{out}");
    assert!(out.contains(&format!("\n{}\n", dynamic.display())), "{out}");
    for line in [
        "  kind          a static PIE program for x86_64, 64 bits, little-endian\n",
        "  libc          unknown\n",
        "  hardening     PIE, NX, full RELRO, stack protector unknown, no CET or BTI\n",
        "  stripped      yes\n",
        "  needs         libz.so.1\n",
        "  store paths   none\n",
        "  build paths   none\n",
    ] {
        assert!(out.contains(line), "{line}{out}");
    }
}

#[test]
fn json_is_an_object_for_each_file() {
    let (_folder, good, dynamic) = files();
    let (code, out, errors) = run(inspect().arg("--json").args([&good, &dynamic]));
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let objects: Vec<serde_json::Value> = serde_json::Deserializer::from_str(&out)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("JSON");
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0]["file"], good.display().to_string());
    assert_eq!(objects[0]["linkage"]["kind"], "static-pie");
    assert_eq!(objects[1]["linkage"]["needed"][0], "libz.so.1");
    assert_eq!(objects[0]["hardening"]["relro"], "full");
}

#[test]
fn a_check_that_is_met_prints_nothing() {
    let (_folder, good, _) = files();
    let (code, out, errors) = run(inspect()
        .args(["--expect", "static,pie", "--expect", "nx"])
        .arg(&good));
    assert_eq!((code, out.as_str(), errors.as_str()), (Some(0), "", ""));
}

#[test]
fn each_unmet_requirement_is_a_line() {
    let (_folder, good, dynamic) = files();
    let (code, out, errors) = run(inspect()
        .args(["--expect", "static,malloc=jemalloc,pie"])
        .args([&dynamic, &good]));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 3, "{errors}");
    let start = format!(
        "inspect: {}: expected static, but it needs libz.so.1; usual cause: ",
        dynamic.display()
    );
    assert!(lines[0].starts_with(&start), "{errors}");
    assert!(
        lines[1].contains("dynamic: expected malloc=jemalloc"),
        "{errors}"
    );
    assert!(
        lines[2].contains("good: expected malloc=jemalloc"),
        "{errors}"
    );
}

#[test]
fn a_file_that_is_none_is_said_and_the_others_are_read() {
    let (folder, good, _) = files();
    let text = folder.path().join("text");
    std::fs::write(&text, "#!/bin/sh\n").expect("written");
    let missing = folder.path().join("missing");
    let cut = folder.path().join("cut");
    let whole = std::fs::read(&good).expect("read");
    std::fs::write(&cut, &whole[..whole.len() / 2]).expect("written");
    let (code, out, errors) = run(inspect()
        .args([&text, &missing, &cut])
        .arg(folder.path())
        .arg(&good));
    assert_eq!(code, Some(1));
    assert!(out.starts_with(&format!("{}\n", good.display())), "{out}");
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 4, "{errors}");
    assert!(lines[0].contains("text: not an ELF file"), "{errors}");
    assert!(lines[1].contains("missing: cannot read"), "{errors}");
    assert!(lines[2].contains("truncated or damaged"), "{errors}");
    assert!(lines[3].contains("not a regular file"), "{errors}");
}

#[test]
fn a_wrong_command_line_is_told_apart() {
    let (_folder, good, _) = files();
    let (code, _, errors) = run(inspect().args(["--expect", "fast"]).arg(&good));
    assert_eq!(code, Some(2));
    assert!(errors.contains("unknown requirement \"fast\""), "{errors}");
    assert_eq!(run(&mut inspect()).0, Some(2));
    assert_eq!(run(inspect().arg("--nothing").arg(&good)).0, Some(2));
    let (code, out, _) = run(inspect().arg("--help"));
    assert_eq!(code, Some(0));
    assert!(out.contains("routines=fast-musl"), "{out}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_panic() {
    let (_folder, good, _) = files();
    let mut child = inspect()
        .args(vec![&good; 2000])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty(), "{output:?}");
}
