//! Where and with what it was measured.

use serde_json::Value;

use super::text::{escape, line, table};
use crate::results::{Report, VariantReport};

pub(super) fn machine(text: &mut String, report: &Report) {
    let system = &report.system;
    let or_unknown = |value: &Option<String>| value.clone().unwrap_or("unknown".to_owned());
    let number =
        |value: Option<f64>, show: fn(f64) -> String| value.map_or("unknown".to_owned(), show);
    line(text, "## System\n");
    for (name, value) in [
        ("Kernel", or_unknown(&system.kernel)),
        ("CPU", or_unknown(&system.cpu)),
        ("CPUs", system.cpus.to_string()),
        (
            "Memory",
            number(system.memory_bytes, |bytes| {
                format!("{:.1} GiB", bytes / 2_f64.powi(30))
            }),
        ),
        (
            "Frequency governor",
            system
                .governor
                .clone()
                .unwrap_or("none to be seen, as in most virtual machines".to_owned()),
        ),
        (
            "1-minute load at the start",
            number(system.load.minute, |load| format!("{load:.2}")),
        ),
        (
            "CPU use by others at the start",
            number(system.load.busy, |busy| format!("{:.0} %", busy * 100.0)),
        ),
        (
            "Measured",
            format!("{} to {}", report.started, report.finished),
        ),
    ] {
        line(text, &format!("- {name}: {}", escape(&value)));
    }
    line(text, "\n### Builds\n");
    let rows = report.variants.iter().map(|variant| {
        let mut row = vec![escape(&variant.name), escape(&variant.label)];
        row.extend(origin(variant));
        row
    });
    let titles = ["name", "build", "C library", "allocator", "program"].map(str::to_owned);
    table(text, &titles, rows);
}

/// C library, allocator and version, as the program tells them.
fn origin(variant: &VariantReport) -> [String; 3] {
    let Some(info) = &variant.info else {
        let why = variant.info_note.as_deref().unwrap_or("unknown");
        return [escape(why), "–".to_owned(), "–".to_owned()];
    };
    let text = |path: &str| info.pointer(path).and_then(Value::as_str);
    let versioned = |name: &str| {
        let version = text(&format!("{name}/version")).unwrap_or("(version unknown)");
        // jemalloc adds the commit it was made of, which JSON keeps.
        let version = version.split_once("-g").map_or(version, |(short, _)| short);
        let name = text(&format!("{name}/name")).unwrap_or("unknown");
        escape(&format!("{name} {version}"))
    };
    let target = text("/target").unwrap_or("target unknown");
    let version = text("/version").unwrap_or("version unknown");
    [
        versioned("/libc"),
        versioned("/allocator"),
        escape(&format!("{version}, {target}")),
    ]
}
