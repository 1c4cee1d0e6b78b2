//! Reports that run to their end.

use crate::stage::{Stage, errors, names};

const FILES: [&str; 6] = [
    "a-b-c-d.svg",
    "overview.svg",
    "report.json",
    "report.md",
    "single-thread-os-entropy.svg",
    "single-thread.svg",
];

#[test]
fn a_report_of_two_variants() {
    let stage = Stage::new()
        .variant("plain", "MEDIAN=2000000")
        .variant("fast", "MEDIAN=1000000.0");
    let strace = stage.script("strace", include_str!("fake/strace.sh"));
    let strace = strace.to_str().expect("UTF-8");
    let output = stage.run(&["--rounds", "3", "--strace", strace]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    assert_eq!(names(&stage.path("out")), FILES);

    let report = stage.report();
    assert_eq!(report["complete"], true);
    let rows = report["sections"][0]["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 3);
    for row in rows {
        let readings = &row["cells"][1]["readings"];
        let time = &readings["time"];
        assert_eq!(time["values"].as_array().map(Vec::len), Some(3));
        assert_eq!(readings["deviation"]["values"][2]["value"], 1.5);
        assert_eq!(time["summary"]["median"], 1_000_000.0);
        assert_eq!(time["ratios"][0]["median"], 0.5);
        assert_eq!(readings["system_calls"]["summary"]["median"], 3.0);
        assert_eq!(readings["system_calls"]["parts"]["getrandom"], 3.0);
        let faults = &readings["page_faults"]["summary"]["median"];
        assert!(faults.is_number(), "{readings}");
        let peak = &readings["peak_rss"]["summary"]["median"];
        assert!(peak.as_f64() > Some(100_000.0), "{readings}");
    }

    let text = stage.read("out/report.md");
    let row = "| single thread | 2.00 (2.00–2.00) 1.00x | 1.00 (1.00–1.00) 0.50x |";
    assert!(text.contains(row), "{text}");
    assert!(
        text.contains("| glibc 2.41 | jemalloc 5.3.1-0 | 1, t | 0.00 | 0.00 |"),
        "{text}"
    );
    assert!(
        !text.contains("ncomplete") && !text.contains("failed"),
        "{text}"
    );
    for name in FILES.iter().filter(|name| !name.starts_with("report.")) {
        assert!(text.contains(&format!("]({name})")), "{name}");
        roxmltree::Document::parse(&stage.read(&format!("out/{name}"))).expect(name);
    }
    let progress = errors(&output);
    assert!(
        progress.contains("[2/30] round 1 of 3: single thread, fast ("),
        "{progress}"
    );
    assert!(
        progress.contains("round 2 of 3: single thread, fast"),
        "{progress}"
    );
}

#[test]
fn a_crash_leaves_the_results_of_others() {
    let stage = Stage::new()
        .variant("plain", "MEDIAN=2000000")
        .variant("bad", "MEDIAN=1000000 CRASH='single thread'");
    let output = stage.run(&["--quick", "--groups", "single thread", "a/b: <c> & \"d\""]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert!(errors(&output).contains("1 of 4 measurements failed"));
    let report = stage.report();
    assert_eq!(report["complete"], true);
    let rows = &report["sections"][0]["rows"];
    let cells = &rows[0]["cells"];
    let median = |cell: &serde_json::Value| cell["readings"]["time"]["summary"]["median"].as_f64();
    assert_eq!(median(&cells[0]), Some(2_000_000.0));
    assert_eq!(cells[1]["failure"], "killed by SIGSEGV: out of cheese");
    assert_eq!(median(&cells[1]), None);
    assert!(cells[1]["readings"]["peak_rss"].is_null());
    assert_eq!(median(&rows[1]["cells"][1]), Some(1_000_000.0));
    let text = stage.read("out/report.md");
    assert!(
        text.contains("| failed: killed by SIGSEGV: out of cheese |"),
        "{text}"
    );
    let plot = stage.read("out/single-thread.svg");
    assert!(
        plot.contains("failed: killed by SIGSEGV: out of cheese"),
        "{plot}"
    );
}

#[test]
fn a_missing_executable_is_a_crash_too() {
    let stage = Stage::new()
        .variant("gone", "MEDIAN=1000000")
        .variant("plain", "MEDIAN=2000000");
    std::fs::remove_file(stage.path("gone-allocations")).expect("it was there");
    let output = stage.run(&["--quick", "--groups", "single thread"]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    let cells = &stage.report()["sections"][0]["rows"][0]["cells"];
    let failure = cells[0]["failure"].as_str().expect("a reason");
    assert!(failure.starts_with("cannot start"), "{failure}");
    let time = &cells[1]["readings"]["time"];
    assert_eq!(time["summary"]["median"], 2_000_000.0);
    assert!(time["ratios"][0].is_null());
}
