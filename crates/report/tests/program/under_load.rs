//! Servers under load. There is no server here, so these are failures.

use crate::stage::{Stage, errors, names};

#[test]
fn a_program_that_does_not_serve_says_so() {
    let stage = Stage::new()
        .variant("plain", "MEDIAN=1")
        .variant("other", "MEDIAN=1");
    // It ends at once, and so does the load.
    let generator = stage.path("plain-program");
    let output = stage.under_load(&generator, &["--quick", "--scenarios", "1 to 1, 16 B"]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert!(errors(&output).contains("4 of 4 measurements failed"));
    assert_eq!(names(&stage.path("out")), ["report.json", "report.md"]);
    let report = stage.report();
    assert_eq!(report["complete"], true);
    assert_eq!(report["sections"].as_array().map(Vec::len), Some(1));
    let section = &report["sections"][0];
    assert_eq!(section["columns"].as_array().map(Vec::len), Some(2));
    for cell in [
        &section["rows"][0]["cells"][0],
        &section["rows"][0]["cells"][1],
        &section["rows"][1]["cells"][0],
    ] {
        let failure = cell["failure"].as_str().expect("a reason");
        assert!(failure.contains("has ended"), "{failure}");
    }
    let text = stage.read("out/report.md");
    assert!(
        text.contains("| 1 to 1, 16 B | failed: the server has ended"),
        "{text}"
    );
    assert!(!text.contains("### Time"), "{text}");
}

#[test]
fn wrong_names_and_files_are_refused() {
    let stage = Stage::new().variant("plain", "MEDIAN=1");
    let generator = stage.path("plain-program");
    for (arguments, expected) in [
        (["--scenarios", "x, y"], "valid are: 1 to 1, 16 B; "),
        (["--scenarios", "x, y"], "--scenarios once for each"),
        (["--nats-server", "/nowhere"], "check --nats-server"),
    ] {
        let output = stage.under_load(&generator, &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(errors(&output).contains(expected), "{}", errors(&output));
    }
}

#[test]
fn without_a_generator_there_is_a_warning() {
    let stage = Stage::new().variant("plain", "MEDIAN=1");
    let output = stage.run(&["--section", "broker"]);
    assert!(errors(&output).contains("names no load generator"));
    assert_eq!(stage.report()["sections"].as_array().map(Vec::len), Some(0));
}

#[test]
fn without_nats_server_no_leaf_node_is_measured() {
    let stage = Stage::new().variant("plain", "MEDIAN=1");
    let generator = stage.path("plain-program");
    let leaf = "leaf node to hub, 128 B";
    let output = stage.under_load(&generator, &["--quick", "--scenarios", leaf]);
    assert!(errors(&output).contains("no leaf node is put under load"));
    assert!(!stage.read("out/report.md").contains(leaf));
}
