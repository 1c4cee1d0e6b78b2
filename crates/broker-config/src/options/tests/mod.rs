//! Options in tables.

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

/// What a string that has neither errors nor warnings sets.
fn options(text: &str) -> Options {
    let loaded = read(text).unwrap_or_else(|problems| panic!("{text}: {problems}"));
    assert_eq!(loaded.warnings, [], "{text}");
    loaded.options
}

/// The errors of a string, a line each.
fn errors(text: &str) -> String {
    read(text).expect_err(text).to_string()
}

/// The warnings of a string without errors, a line each.
fn warnings(text: &str) -> String {
    let loaded = read(text).unwrap_or_else(|problems| panic!("{text}: {problems}"));
    let lines: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Each text has one error, which begins so.
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

/// Each text has one warning, which begins so.
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
