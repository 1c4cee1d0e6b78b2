//! Reports that come to their end.

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
    assert_eq!(report["groups"].as_array().map(Vec::len), Some(3));
    for group in report["groups"].as_array().expect("groups") {
        let cell = &group["cells"][1];
        assert_eq!(cell["rounds"].as_array().map(Vec::len), Some(3));
        assert_eq!(cell["rounds"][2]["deviation_ns"], 1.5);
        assert_eq!(cell["summary_ns"]["median"], 1_000_000.0);
        assert_eq!(cell["ratio"], 0.5);
        assert_eq!(cell["system_calls"]["value"], 3.0);
        assert_eq!(cell["system_calls_by_name"]["getrandom"], 3.0);
        assert!(cell["page_faults"]["value"].is_number(), "{cell}");
        assert!(cell["peak_rss_bytes"]["value"].as_f64() > Some(100_000.0));
    }

    let text = stage.read("out/report.md");
    let row = "| single thread | 2.00 (2.00–2.00) 1.00x | 1.00 (1.00–1.00) 0.50x |";
    assert!(text.contains(row), "{text}");
    assert!(
        text.contains("| glibc 2.41 | jemalloc 5.3.1-0 | 1, t |"),
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
    let cells = &report["groups"][0]["cells"];
    assert_eq!(cells[0]["summary_ns"]["median"], 2_000_000.0);
    assert_eq!(cells[1]["failure"], "killed by SIGSEGV: out of cheese");
    assert!(cells[1]["summary_ns"].is_null() && cells[1]["peak_rss_bytes"]["value"].is_null());
    assert_eq!(
        report["groups"][1]["cells"][1]["summary_ns"]["median"],
        1_000_000.0
    );
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
    let cells = &stage.report()["groups"][0]["cells"];
    let failure = cells[0]["failure"].as_str().expect("a reason");
    assert!(failure.starts_with("cannot start"), "{failure}");
    assert_eq!(cells[1]["summary_ns"]["median"], 2_000_000.0);
    assert!(cells[1]["ratio"].is_null());
}
