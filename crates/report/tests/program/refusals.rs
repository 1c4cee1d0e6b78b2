//! Errors before anything is measured.

use std::fs;

use crate::stage::{Stage, errors, names};

fn stage() -> Stage {
    Stage::new()
        .variant("plain", "MEDIAN=2000000")
        .variant("fast", "MEDIAN=1000000")
}

#[test]
fn unknown_names_list_the_valid_ones() {
    let stage = stage();
    for (arguments, expected) in [
        (
            ["--variants", "fast,slow"],
            r#"there is no variant "slow"; valid are: plain; fast"#,
        ),
        (
            ["--groups", "single thread,churn"],
            r#"there is no group "single thread,churn"; valid are: single thread; single thread, OS entropy; "#,
        ),
        (["--baseline", "x"], "valid are: plain; fast"),
        (["--strace", "/nowhere"], "--strace"),
    ] {
        let output = stage.run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let errors = errors(&output);
        assert!(errors.contains(expected), "{errors}");
        assert!(!errors.contains("round 1"), "{errors}");
    }
    assert!(!stage.path("out").exists(), "nothing was to be written");
}

#[test]
fn a_baseline_that_is_left_out_is_refused() {
    let output = stage().run(&["--variants", "fast", "--baseline", "plain"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("add it to --variants"));
}

#[test]
fn a_folder_that_cannot_be_written_fails_before_measuring() {
    let stage = stage();
    fs::write(stage.path("out"), "a file").expect("written");
    let output = stage.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let text = errors(&output);
    assert!(text.contains("cannot create the folder"), "{text}");
    assert!(!text.contains("round 1"), "{text}");
}

#[test]
fn a_folder_of_another_kind_fails_before_measuring() {
    let stage = stage();
    std::os::unix::fs::symlink("/proc/sys/kernel", stage.path("out")).expect("a link");
    let output = stage.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let text = errors(&output);
    assert!(text.contains("cannot write to"), "{text}");
    assert!(!text.contains("round 1"), "{text}");
}

#[test]
fn a_matrix_of_another_form_is_refused() {
    let stage = stage();
    let mut command = stage.command(&[]);
    fs::write(stage.path("matrix.json"), "{}").expect("written");
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("matrix.json: cannot parse the matrix"));
    assert_eq!(
        names(&stage.path("."))
            .iter()
            .filter(|n| *n == "out")
            .count(),
        0
    );
}
