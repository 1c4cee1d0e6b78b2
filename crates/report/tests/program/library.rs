//! The survey of the C library, replaced by a script.

use std::path::Path;

use crate::stage::{Stage, errors, names};

/// The survey's output.
const COMPARISON: &str = r#"{"builds":{
    "glibc":{"kind":"glibc","version":"2.41"},
    "stock_musl":{"kind":"stock-musl","version":null},
    "fast_musl":{"kind":"fast-musl","version":null}},
  "rounds":1,"quick":true,"rows":[{
    "name":"math: fma",
    "nanoseconds":{"glibc":1.0,"stock_musl":30.0,"fast_musl":20.0},
    "stock_to_glibc":{"median":30.0,"minimum":29.0,"maximum":31.0},
    "fast_to_glibc":{"median":20.0,"minimum":19.0,"maximum":21.0},
    "fast_to_stock":{"median":0.66,"minimum":0.6,"maximum":0.7},
    "above":true}]}"#;

/// A survey that expects one round at a time and reports 20 ns for fast musl in the first, 10 ns in the second.
fn script() -> String {
    let second = COMPARISON.replace("20.0", "10.0");
    format!(
        r#"#!/bin/sh
case "$*" in
'--json --rounds 1 --first-round 1 --quick /other') cat <<'END' ;;
{COMPARISON}
END
'--json --rounds 1 --first-round 2 --quick /other') cat <<'END' ;;
{second}
END
*) exit 9 ;;
esac
"#
    )
}

fn stage() -> Stage {
    Stage::new().variant("plain", "MEDIAN=2000000")
}

#[test]
fn what_the_survey_finds_is_in_the_report() {
    let stage = stage();
    let survey = stage.script("survey", &script());
    let output = stage.surveyed(&[&survey, Path::new("/other")], &["--quick"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let files = ["libc.svg", "report.json", "report.md"];
    assert_eq!(names(&stage.path("out")), files);
    let report = stage.report();
    let row = &report["sections"][0]["rows"][0];
    assert_eq!(row["name"], "math: fma");
    let fast = &row["cells"][2]["readings"]["time"];
    assert_eq!(fast["values"][1]["value"], 10.0);
    assert_eq!(fast["ratios"][0]["median"], 15.0);
    assert!(
        errors(&output).contains("[2/2] round 2 of 2: libc ("),
        "{}",
        errors(&output)
    );
    let text = stage.read("out/report.md");
    for part in [
        "1 of 1 rows with fast musl",
        "15.00x (10.00-20.00)",
        "of 2 interleaved rounds",
        "](libc.svg)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let plot = stage.read("out/libc.svg");
    roxmltree::Document::parse(&plot).expect("well-formed XML");
    assert!(plot.contains("math: fma"), "{plot}");
}

#[test]
fn a_survey_that_fails_is_told() {
    for (script, said) in [
        (
            "echo no such build >&2; exit 2",
            "exit code 2: no such build",
        ),
        ("echo something else", "the survey printed no results: "),
    ] {
        let stage = stage();
        let survey = stage.script("survey", &format!("#!/bin/sh\n{script}\n"));
        let output = stage.surveyed(&[&survey], &["--quick"]);
        assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
        assert!(errors(&output).contains("1 of 1 measurements failed"));
        let failure = stage.report()["sections"][0]["failure"].to_string();
        assert!(failure.contains(said), "{failure}");
        let text = stage.read("out/report.md");
        assert!(text.contains(&format!("failed: {said}")), "{text}");
    }
}

#[test]
fn without_surveys_there_is_a_warning() {
    let stage = stage();
    let output = stage.surveyed(&[], &[]);
    assert!(
        errors(&output).contains("the matrix names no surveys"),
        "{}",
        errors(&output)
    );
    assert_eq!(stage.report()["sections"].as_array().map(Vec::len), Some(0));
}
