//! The survey of the C library, which a script stands in for.

use std::path::Path;

use crate::stage::{Stage, errors, names};

/// As the survey prints it.
const COMPARISON: &str = r#"{"builds":{
    "glibc":{"kind":"glibc","version":"2.41"},
    "stock_musl":{"kind":"stock-musl","version":null},
    "fast_musl":{"kind":"fast-musl","version":null}},
  "rounds":2,"quick":true,"rows":[{
    "name":"math: fma",
    "nanoseconds":{"glibc":1.0,"stock_musl":30.0,"fast_musl":20.0},
    "stock_to_glibc":{"median":30.0,"minimum":29.0,"maximum":31.0},
    "fast_to_glibc":{"median":20.0,"minimum":19.0,"maximum":21.0},
    "fast_to_stock":{"median":0.66,"minimum":0.6,"maximum":0.7},
    "above":true}]}"#;

fn stage() -> Stage {
    Stage::new().variant("plain", "MEDIAN=2000000")
}

#[test]
fn what_the_survey_finds_is_in_the_report() {
    let stage = stage();
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = '--json --rounds 2 --quick /other' ] || exit 9\ncat <<'END'\n{COMPARISON}\nEND\n"
    );
    let survey = stage.script("survey", &script);
    let output = stage.surveyed(&[&survey, Path::new("/other")], &["--quick"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let files = ["libc.svg", "report.json", "report.md"];
    assert_eq!(names(&stage.path("out")), files);
    let report = stage.report();
    assert_eq!(
        report["library"]["comparison"]["rows"][0]["name"],
        "math: fma"
    );
    let text = stage.read("out/report.md");
    for part in [
        "1 of 1 rows with fast musl",
        "20.00x (19.00-21.00)",
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
        let failure = stage.report()["library"]["failure"].to_string();
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
    assert!(stage.report()["library"].is_null());
}
