//! The description as text: one "key: value" per line.

use std::fmt::{self, Display, Formatter};

use serde_json::Value;

use super::Info;

const UNKNOWN: &str = "unknown";

impl Display for Info {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rows = rows(self);
        let width = rows.iter().map(|(key, _)| key.len()).max().unwrap_or(0) + 1;
        for (key, value) in rows {
            writeln!(f, "{:width$} {value}", format!("{key}:"))?;
        }
        Ok(())
    }
}

fn rows(info: &Info) -> Vec<(String, String)> {
    let mut rows =
        vec![
            ("version", info.version.to_owned()),
            ("target", info.target.to_owned()),
            (
                "libc",
                named(
                    info.libc.name.unwrap_or(UNKNOWN),
                    info.libc.version.as_ref(),
                ),
            ),
            ("static linked", or_unknown(info.static_linked.map(yes_no))),
            ("pie", or_unknown(info.pie.map(yes_no))),
            (
                "allocator",
                named(info.allocator.name, info.allocator.version.as_ref()),
            ),
            ("page size", or_unknown(info.page_size)),
            ("cpus", or_unknown(info.cpus)),
            (
                "kernel",
                or_unknown(info.kernel.as_ref().map(|kernel| {
                    format!("{} {} {}", kernel.sysname, kernel.release, kernel.machine)
                })),
            ),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect::<Vec<_>>();
    for (name, value) in &info.allocator.options {
        // Strings without JSON's quotes.
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        rows.push((format!("{} {name}", info.allocator.name), value));
    }
    for note in &info.notes {
        rows.push(("note".to_owned(), note.clone()));
    }
    rows
}

fn named(name: &str, version: Option<&String>) -> String {
    let version = version.map_or("(version unknown)", String::as_str);
    format!("{name} {version}")
}

fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn or_unknown(value: Option<impl Display>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::{Allocator, Kernel, Libc};
    use super::*;

    #[test]
    fn values_are_aligned_and_missing_ones_unknown() {
        let info = Info {
            version: "1.2.3",
            target: "x",
            libc: Libc {
                name: Some("musl"),
                version: None,
            },
            static_linked: Some(true),
            pie: None,
            allocator: Allocator {
                name: "jemalloc",
                version: Some("5.3".to_owned()),
                options: [("thp".to_owned(), Value::from("default"))].into(),
            },
            page_size: Some(4096),
            cpus: None,
            kernel: Some(Kernel {
                sysname: "Linux".to_owned(),
                release: "6.1".to_owned(),
                machine: "m".to_owned(),
            }),
            notes: vec!["cpus: no".to_owned()],
        };
        let expected = "\
version:       1.2.3
target:        x
libc:          musl (version unknown)
static linked: yes
pie:           unknown
allocator:     jemalloc 5.3
page size:     4096
cpus:          unknown
kernel:        Linux 6.1 m
jemalloc thp:  default
note:          cpus: no
";
        assert_eq!(info.to_string(), expected);
    }
}
