//! Table-driven tests of options.

mod judged;
mod lacking;
mod leaf;
mod listeners;
mod users;

use super::Options;
use crate::{Loaded, Problems, parse};

const NKEY: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";

fn read(text: &str) -> Result<Loaded, Problems> {
    parse(text.as_bytes(), "a.conf")
}

/// Returns the options that a text without errors and warnings sets.
fn options(text: &str) -> Options {
    let loaded = read(text).unwrap_or_else(|problems| panic!("{text}: {problems}"));
    assert_eq!(loaded.warnings, [], "{text}");
    loaded.options
}

/// Returns the errors of a text, one per line.
fn errors(text: &str) -> String {
    read(text).expect_err(text).to_string()
}

/// Returns the warnings of a text without errors, one per line.
fn warnings(text: &str) -> String {
    let loaded = read(text).unwrap_or_else(|problems| panic!("{text}: {problems}"));
    let lines: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Asserts that each text has one error, which starts with the given text.
fn all_are_refused(table: &[(&str, &str)]) {
    for (text, expected) in table {
        let found = errors(text);
        assert!(
            found.starts_with(&format!("a.conf:{expected}")),
            "{text}: {found}"
        );
        assert_eq!(found.lines().count(), 1, "{text}: {found}");
    }
}

/// Asserts that each text has one warning, which starts with the given text.
fn all_are_warned_of(table: &[(&str, &str)]) {
    for (text, expected) in table {
        let found = warnings(text);
        assert!(
            found.starts_with(&format!("a.conf{expected}")),
            "{text}: {found}"
        );
        assert_eq!(found.lines().count(), 1, "{text}: {found}");
    }
}
