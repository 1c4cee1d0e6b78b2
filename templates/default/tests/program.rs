//! Tests of the built program.

use std::process::Command;

fn words() -> Command {
    Command::new(env!("CARGO_BIN_EXE_words"))
}

#[test]
fn it_counts_the_words_of_a_file() {
    let output = words().arg(file!()).output().expect("start words");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("read its output");
    assert!(
        text.lines()
            .any(|line| line.ends_with("\tstd::process::command;")),
        "{text}"
    );
}

#[test]
fn a_missing_file_is_an_error() {
    let output = words().arg("no such file").output().expect("start words");
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).expect("read its message");
    assert!(message.starts_with("words: no such file: "), "{message}");
}
