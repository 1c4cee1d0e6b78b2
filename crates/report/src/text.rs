//! The subset of Markdown that the report needs.

use std::fmt::Write;

/// Appends a table and an empty line.
pub(crate) fn table(
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

/// Appends a line.
pub(crate) fn line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

/// Escapes text for Markdown, also within tables.
pub(crate) fn escape(text: &str) -> String {
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
