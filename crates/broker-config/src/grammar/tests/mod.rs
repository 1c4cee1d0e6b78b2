//! Table-driven tests of the grammar.

mod bounds;
mod outside;
mod syntax;

use super::{Kind, Map, Value, parse};
use crate::problem::Problem;
use crate::sources::Sources;
use std::collections::HashMap;
use std::io;
use std::path::Path;

/// Reads `main.conf` from the given files and environment.
fn read(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Map, Problem> {
    let files: HashMap<_, _> = files.iter().copied().collect();
    let read = |path: &Path| {
        let text = path.to_str().and_then(|path| files.get(path));
        let text = text.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(text.as_bytes().to_vec())
    };
    let variable = |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| (*text).to_owned())
    };
    let sources = Sources {
        read: &read,
        variable: &variable,
    };
    parse(Path::new("main.conf"), &sources)
}

/// Formats the tree in a way that shows the types.
fn shown(map: &Map) -> String {
    let entries = map.entries().iter();
    let entries: Vec<_> = entries
        .map(|entry| format!("{}={}", entry.key, value(&entry.value)))
        .collect();
    entries.join(" ")
}

fn value(value: &Value) -> String {
    match &value.kind {
        Kind::Text(text) => format!("{text:?}"),
        Kind::Integer(number) => number.to_string(),
        Kind::Float(number) => format!("{number:?}f"),
        Kind::Boolean(value) => value.to_string(),
        Kind::Date(text) => format!("@{text}"),
        Kind::List(values) => {
            let values: Vec<_> = values.iter().map(self::value).collect();
            format!("[{}]", values.join(" "))
        }
        Kind::Map(map) => format!("{{{}}}", shown(map)),
    }
}

/// Returns the formatted tree of a text; an error begins with `!`.
fn meaning(text: &str) -> String {
    match read(&[("main.conf", text)], &[]) {
        Ok(map) => shown(&map),
        Err(problem) => format!("!{problem}"),
    }
}

fn all_mean(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(&meaning(text), expected, "{text:?}");
    }
}

/// Asserts that each text fails at the place, with an error that contains the words.
fn all_are_refused(table: &[(&str, &str, &str)]) {
    for (text, place, words) in table {
        let found = meaning(text);
        let start = format!("!main.conf{place}: ");
        assert!(found.starts_with(&start), "{text:?}: {found}");
        assert!(found.contains(words), "{text:?}: {found}");
    }
}
