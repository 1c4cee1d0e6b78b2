//! The machine and the builds of a report.

use serde_json::Value;

use crate::format;
use crate::report::{Report, VariantReport};
use crate::statistics::as_number;
use crate::text::{escape, line, table};

pub(super) fn machine(text: &mut String, report: &Report) {
    let system = &report.system;
    let gibibytes = |bytes: f64| format!("{:.1} GiB", bytes / 2_f64.powi(30));
    let governor = "none visible, as in most virtual machines".to_owned();
    let load = system.load.minute.map(|load| format!("{load:.2}"));
    let busy = system
        .load
        .busy
        .map(|busy| format!("{:.0} %", busy * 100.0));
    let measured = format!("{} to {}", report.started, report.finished);
    for (name, value) in [
        ("Kernel", system.kernel.clone()),
        ("CPU", system.cpu.clone()),
        ("CPUs", Some(system.cpus.to_string())),
        ("Memory", system.memory_bytes.map(gibibytes)),
        (
            "Frequency governor",
            Some(system.governor.clone().unwrap_or(governor)),
        ),
        ("1-minute load at the start", load),
        ("CPU use by others at the start", busy),
        ("Measured", Some(measured)),
    ] {
        let value = value.unwrap_or("unknown".to_owned());
        line(text, &format!("- {name}: {}", escape(&value)));
    }
    line(text, "\n### Builds\n");
    let rows = report.variants.iter().map(|variant| {
        let mut row = vec![
            escape(&variant.variant.name),
            escape(&variant.variant.label),
        ];
        row.extend(origin(variant));
        let size = |bytes: u64| format::mebibytes(as_number(bytes));
        let sizes = [variant.program_bytes, variant.allocations_bytes];
        row.extend(sizes.map(|bytes| bytes.map_or("–".to_owned(), size)));
        row
    });
    let titles = [
        "name",
        "build",
        "C library",
        "allocator",
        "program",
        "program size (MiB)",
        "benchmarks size (MiB)",
    ];
    let titles = titles.map(str::to_owned);
    table(text, &titles, rows);
}

/// C library, allocator and version, as the program reports them.
fn origin(variant: &VariantReport) -> [String; 3] {
    let Some(info) = &variant.info else {
        let why = variant.info_note.as_deref().unwrap_or("unknown");
        return [escape(why), "–".to_owned(), "–".to_owned()];
    };
    let text = |path: &str| info.pointer(path).and_then(Value::as_str);
    let versioned = |name: &str| {
        let version = text(&format!("{name}/version")).unwrap_or("(version unknown)");
        // jemalloc's version includes its commit, which JSON keeps.
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
