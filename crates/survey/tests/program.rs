//! The built program, run from the command line.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use survey::compare::Comparison;
use survey::kind::{Kind, Listed, Measured};

const SURVEY: &str = env!("CARGO_BIN_EXE_survey");

fn run(arguments: &[&str]) -> Output {
    Command::new(SURVEY)
        .args(arguments)
        .output()
        .expect("it starts")
}

#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

/// Returns the error message and the exit code.
fn refusal(arguments: &[&str]) -> (String, Option<i32>) {
    let output = run(arguments);
    assert!(output.stdout.is_empty());
    (
        String::from_utf8(output.stderr).expect("text"),
        output.status.code(),
    )
}

#[test]
fn every_row_has_a_time() {
    let listed: Listed = serde_json::from_str(&printed(&["--list", "--json"])).expect("JSON");
    let measured: Measured = serde_json::from_str(&printed(&["--quick", "--json"])).expect("JSON");
    assert_eq!(measured.build.kind, Kind::this());
    let names: Vec<_> = measured.rows.iter().map(|row| &row.name).collect();
    assert_eq!(names, listed.rows.iter().collect::<Vec<_>>());
    for row in &measured.rows {
        // A call through a pointer takes more than a tenth of a nanosecond.
        assert!(
            row.nanoseconds.is_finite() && row.nanoseconds > 0.1,
            "{row:?}"
        );
    }
}

/// A call that the compiler removed takes as long for a large size as for a small one.
#[test]
fn a_large_size_takes_longer_than_a_small_one() {
    let arguments = [
        "--quick",
        "--json",
        "--filter",
        "memory: ",
        "--filter",
        "strings: ",
    ];
    let measured: Measured = serde_json::from_str(&printed(&arguments)).expect("JSON");
    let mut routines = BTreeMap::<_, BTreeMap<_, _>>::new();
    for row in &measured.rows {
        let (routine, size) = row.name.split_once(", ").expect("a size");
        routines
            .entry(routine)
            .or_default()
            .insert(size, row.nanoseconds);
    }
    assert_eq!(routines.len(), 20);
    for (routine, times) in routines {
        let (small, large) = (times["8 B"], times["64 KiB"]);
        assert!(large > 5.0 * small, "{routine}: {large} and {small} ns");
    }
}

#[test]
fn a_row_is_a_line() {
    let text = printed(&["--quick", "--filter", "math: sin"]);
    let names: Vec<_> = text
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .collect();
    assert_eq!(names.len(), 2, "{text}");
    assert!(
        names[0].0.starts_with("math: sin ") && names[1].0.starts_with("math: sinf "),
        "{text}"
    );
    assert!(
        names.iter().all(|(_, time)| time.parse::<f64>().is_ok()),
        "{text}"
    );
}

/// Returns a stand-in for a build of another kind, or of none: one script with several names.
fn stand_in(name: &str) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/build.sh");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Another test may have created it already.
    let _ = std::os::unix::fs::symlink(script, &path);
    path.to_str().expect("UTF-8").to_owned()
}

/// Returns stand-ins for the two kinds that this build is not.
fn others() -> [String; 2] {
    match Kind::this() {
        Kind::Glibc => ["stock-musl", "fast-musl"],
        Kind::StockMusl => ["glibc", "fast-musl"],
        Kind::FastMusl => ["glibc", "stock-musl"],
    }
    .map(stand_in)
}

#[test]
fn builds_are_compared() {
    let [first, second] = others();
    let rows = [
        "--quick",
        "--rounds",
        "3",
        "--first-round",
        "4",
        "--row",
        "math: sin",
        "--row",
        "math: cos",
    ];
    let compare = |more: &[&str]| printed(&[&rows[..], &[&first, &second], more].concat());
    let comparison: Comparison = serde_json::from_str(&compare(&["--json"])).expect("JSON");
    assert_eq!(comparison.rounds, 3);
    assert_eq!(comparison.rows.len(), 2);
    for row in &comparison.rows {
        let times = row.nanoseconds;
        let times = [times.glibc, times.stock_musl, times.fast_musl];
        let stands_in = times.map(|time| (time - 1000.0).abs() < 1e-9);
        assert_eq!(stands_in.iter().filter(|&&is| is).count(), 2, "{row:?}");
        assert!(
            times.iter().all(|&time| (1.0..=1000.0).contains(&time)),
            "{row:?}"
        );
    }
    let text = compare(&[]);
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("| math: "))
            .count(),
        2,
        "{text}"
    );
}

#[test]
fn bad_input_is_named() {
    let [first, second] = others();
    let (foreign, missing) = (stand_in("foreign"), "/nonexistent/survey");
    let harness = std::env::current_exe().expect("a path");
    let harness = harness.to_str().expect("UTF-8");
    for (arguments, said, expected) in [
        (
            &["--row", "nonsense"][..],
            "there is no row \"nonsense\"; --list",
            2,
        ),
        (
            &["--filter", "nonsense"],
            "no row has \"nonsense\" in its name",
            2,
        ),
        (&[missing], "cannot start /nonexistent/survey: ", 2),
        (&["--row", "math: sin", &first], "there is no build for ", 2),
        (
            &["--row", "math: sin", &first, &second, &first],
            "are both builds for ",
            2,
        ),
        (
            &["--row", "math: tan", &first, &second],
            "has no row \"math: tan\"",
            2,
        ),
        (
            &["--row", "math: sin", &foreign],
            "foreign is not a build of this program",
            2,
        ),
        // The test harness does not accept these arguments.
        (&["--row", "math: sin", harness], ": exit status: ", 1),
    ] {
        let (text, code) = refusal(arguments);
        assert!(
            text.starts_with("survey: ") && text.contains(said),
            "{arguments:?}: {text}"
        );
        assert_eq!(code, Some(expected), "{text}");
    }
}
