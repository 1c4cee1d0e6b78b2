//! Markdown, as little of it as the report needs.

use std::fmt::Write;

use crate::results::Report;

pub(super) fn header(report: &Report, first: &[&str]) -> Vec<String> {
    let labels = report.variants.iter().map(|variant| escape(&variant.label));
    first
        .iter()
        .map(|&title| title.to_owned())
        .chain(labels)
        .collect()
}

pub(super) fn table(
    text: &mut String,
    header: &[String],
    rows: impl IntoIterator<Item = Vec<String>>,
) {
    line(text, &format!("| {} |", header.join(" | ")));
    line(text, &format!("|{}", "---|".repeat(header.len())));
    for row in rows {
        line(text, &format!("| {} |", row.join(" | ")));
    }
    text.push('\n');
}

pub(super) fn line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

/// Text that says what it says, also in a table.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '~' | '<' | '&' | '[' | ']' | '`' | '\\' => escaped.extend(['\\', c]),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
