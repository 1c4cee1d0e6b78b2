//! Ctrl-C during a measurement.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::stage::{Stage, errors, names};
use rustix::process::{Pid, Signal, kill_process};

const PATIENCE: Duration = Duration::from_mins(1);

/// Starts the program, and sends the signal once a benchmark hangs.
fn interrupted(stage: &Stage, mut command: Command, signal: Signal) -> Output {
    let mark = stage.path("stuck-allocations.pid");
    let child = command
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let text = wait_for(|| {
        fs::read_to_string(&mark)
            .ok()
            .filter(|text| text.ends_with('\n'))
    });
    kill_process(Pid::from_child(&child), signal).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    let stuck = Path::new("/proc").join(text.trim());
    wait_for(|| (!stuck.exists()).then_some(()));
    fs::remove_file(mark).expect("it was there");
    output
}

fn wait_for<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain");
        sleep(Duration::from_millis(5));
    }
}

fn stage() -> Stage {
    Stage::new()
        .variant("plain", "MEDIAN=2000000")
        .variant("stuck", "MEDIAN=1000000 HANG='single thread, OS entropy'")
}

#[test]
fn what_was_measured_is_written() {
    let stage = stage();
    let output = interrupted(&stage, stage.command(&["--quick"]), Signal::INT);
    assert_eq!(output.status.code(), Some(130), "{}", errors(&output));
    assert!(errors(&output).contains("stopped early"));
    let report = stage.report();
    assert_eq!(report["complete"], false);
    let rows = &report["sections"][0]["rows"];
    let first = &rows[0]["cells"];
    assert_eq!(
        first[0]["readings"]["time"]["summary"]["median"],
        2_000_000.0
    );
    assert_eq!(
        first[1]["readings"]["time"]["summary"]["median"],
        1_000_000.0
    );
    assert!(first[0]["readings"]["peak_rss"].is_null());
    let last = &rows[2];
    assert!(last["plot"].is_null() && last["cells"][0]["readings"]["time"].is_null());
    let text = stage.read("out/report.md");
    assert!(text.contains("**Incomplete:"), "{text}");
    assert!(text.contains(r"\[1 of 2 rounds\]"), "{text}");
    assert!(text.contains("| not measured |"), "{text}");
    assert!(stage.read("out/single-thread.svg").contains("(INCOMPLETE)"));
}

#[test]
fn a_complete_report_is_kept() {
    let stage = stage();
    let output = stage.run(&["--quick", "--groups", "single thread"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let before = stage.read("out/report.md");
    let output = interrupted(&stage, stage.command(&["--quick"]), Signal::TERM);
    assert_eq!(output.status.code(), Some(143), "{}", errors(&output));
    assert_eq!(stage.read("out/report.md"), before);
    assert!(
        stage
            .read("out/incomplete/report.md")
            .contains("**Incomplete:")
    );
    let expected = [
        "incomplete",
        "overview.svg",
        "report.json",
        "report.md",
        "single-thread.svg",
    ];
    assert_eq!(names(&stage.path("out")), expected);
}
