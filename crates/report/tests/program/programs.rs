//! Well-known programs, replaced by scripts.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::stage::{Stage, errors, names};

/// A program that prints its input after some time, and fails if it inherits the caller's environment.
fn build(stage: &Stage, name: &str, text: &str) -> PathBuf {
    stage.script(
        name,
        &format!("#!/bin/sh\n[ -z \"$RUST_LOG\" ] || exit 9\n{text}\n"),
    )
}

fn stage() -> Stage {
    let stage = Stage::new().variant("plain", "MEDIAN=2000000");
    fs::write(stage.path("input"), "some words\n".repeat(1000)).expect("written");
    stage
}

fn program(stage: &Stage, name: &str, arguments: &[&str], builds: &Value) -> Value {
    json!({"name": name, "arguments": arguments, "input": stage.path("input"), "builds": builds})
}

#[test]
fn builds_of_programs_are_compared() {
    let stage = stage();
    let slow = build(&stage, "slow", "sleep 0.4; exec cat \"$1\"");
    let fast = build(&stage, "fast", "sleep 0.05; exec cat \"$1\"");
    let builds = json!([
        {"name": "glibc", "label": "glibc"},
        {"name": "musl", "label": "stock musl"},
        {"name": "static", "label": "fast musl, jemalloc", "shipped": true},
    ]);
    let both = program(
        &stage,
        "print",
        &[],
        &json!({"glibc": slow, "static": fast}),
    );
    let all = program(
        &stage,
        "again",
        &["{input}", "x"],
        &json!({"glibc": slow, "musl": slow, "static": fast}),
    );
    let output = stage.programs(&json!([both, all]), &builds, &["--rounds", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let files = ["programs.svg", "report.json", "report.md"];
    assert_eq!(names(&stage.path("out")), files);
    let progress = errors(&output);
    assert!(
        progress.contains("[1/15] warm-up: print, glibc\n"),
        "{progress}"
    );
    assert!(
        progress.contains("round 2 of 2: again, static ("),
        "{progress}"
    );

    let report = stage.report();
    let rows = &report["sections"][0]["rows"];
    assert_eq!(rows[0]["cells"][1]["left_out"], true);
    let readings = &rows[0]["cells"][2]["readings"];
    let ratio = readings["wall"]["ratios"][0]["median"]
        .as_f64()
        .expect("a ratio");
    assert!((0.05..0.9).contains(&ratio), "{ratio}");
    assert_eq!(readings["wall"]["values"].as_array().map(Vec::len), Some(2));
    let size = fs::metadata(stage.path("fast")).expect("it is there").len();
    let expected = u32::try_from(size).expect("it is small");
    assert_eq!(readings["size"]["summary"]["median"], f64::from(expected));
    assert!(readings["peak_rss"]["summary"]["median"].as_f64() > Some(100_000.0));
    let cpu = readings["cpu"]["summary"]["median"]
        .as_f64()
        .expect("measured");
    assert!(cpu < 0.05, "it slept: {cpu}");

    let text = stage.read("out/report.md");
    for part in [
        "| program | glibc | stock musl | **static** (fast musl, jemalloc) |",
        "| again, peak RSS (MiB) |",
        "\n- again: `{input} x`\n",
        "](programs.svg)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let picture = stage.read("out/programs.svg");
    roxmltree::Document::parse(&picture).expect("well-formed XML");
    assert!(picture.contains(r#"class="shipped""#), "{picture}");
}

#[test]
fn what_prints_something_else_or_fails_is_told() {
    let stage = stage();
    let good = build(&stage, "good", "exec cat \"$2\"");
    let other = build(&stage, "other", "sed 's/^some/same/' \"$2\"");
    let bad = build(&stage, "bad", "echo no such option >&2; exit 2");
    let builds = json!({"glibc": good, "bad": bad, "other": other});
    let all = program(&stage, "print", &["-n"], &builds);
    let output = stage.programs(&json!([all]), &json!([]), &["--quick"]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert!(errors(&output).contains("2 of 3 measurements failed"));
    let report = stage.report();
    let cells = &report["sections"][0]["rows"][0]["cells"];
    assert_eq!(cells[1]["failure"], "exit code 2: no such option");
    let why = "its output differs from that of glibc (11000 bytes against 11000)";
    assert_eq!(cells[2]["failure"], why);
    assert!(cells[2]["readings"]["wall"].is_null());
    let text = stage.read("out/report.md");
    assert!(text.contains(&format!("failed: {why}")), "{text}");
}

#[test]
fn without_an_input_nothing_is_run() {
    let stage = stage();
    let good = build(&stage, "good", "echo ran >\"$0.ran\"");
    fs::remove_file(stage.path("input")).expect("it was there");
    let one = program(&stage, "print", &[], &json!({"glibc": good}));
    let output = stage.programs(&json!([one]), &json!([]), &["--quick"]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    let failure = stage.report()["sections"][0]["rows"][0]["cells"][0]["failure"].to_string();
    assert!(
        failure.contains("there is no input") && failure.contains("check the matrix"),
        "{failure}"
    );
    assert!(!stage.path("good.ran").exists());
}

#[test]
fn programs_are_chosen_by_name() {
    let stage = stage();
    let good = build(&stage, "good", "exec cat \"$1\"");
    let programs = ["a", "b"].map(|name| program(&stage, name, &[], &json!({"glibc": good})));
    let output = stage.programs(
        &json!(programs),
        &json!([]),
        &["--quick", "--programs", "c"],
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains(r#"there is no program "c"; valid are: a; b"#));
    let output = stage.programs(
        &json!(programs),
        &json!([]),
        &["--quick", "--programs", "b"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let rows = stage.report()["sections"][0]["rows"].clone();
    assert_eq!(
        (rows.as_array().map(Vec::len), &rows[0]["name"]),
        (Some(1), &json!("b"))
    );
}
