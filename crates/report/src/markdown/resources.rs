//! The second table: all but times.

use super::text::{escape, header, line, table};
use crate::format;
use crate::results::{Cell, Reading, Report, VariantReport};
use crate::session::{AT_MOST, FIRST_ITERATION};

/// A row of the second table for each benchmark.
struct Measure {
    title: &'static str,
    of: fn(&Cell) -> &Reading,
    show: fn(f64) -> String,
}

const MEASURES: [Measure; 3] = [
    Measure {
        title: "peak RSS (MiB)",
        of: |cell| &cell.peak_rss_bytes,
        show: format::mebibytes,
    },
    Measure {
        title: "page faults",
        of: |cell| &cell.page_faults,
        show: format::count,
    },
    Measure {
        title: "system calls",
        of: |cell| &cell.system_calls,
        show: format::count,
    },
];

type Size = fn(&VariantReport) -> &Reading;

const SIZES: [(&str, Size); 2] = [
    ("program", |variant| &variant.program_bytes),
    ("benchmarks", |variant| &variant.allocations_bytes),
];

pub(super) fn resources(text: &mut String, report: &Report) {
    line(
        text,
        "## Memory, page faults, system calls, size\n\n\
         - *Peak RSS*: the most memory (VmHWM, which the kernel hands over as ru_maxrss) of a \
         process that runs the benchmark once; median of 3 processes. \"≤\" where it cannot be told \
         from that of the process that started it.\n\
         - *Page faults*: those without input, of one iteration. Two processes differ in nothing \
         but their number of iterations; so does what they used.\n\
         - *System calls*: the same, as counted by strace. Numbers with a star are of the first \
         iteration of a process, less what a process does that runs none: more would take too long \
         under strace, which also slows threads down, so that they meet at locks in other ways.\n",
    );
    let mut notes: Vec<String> = Vec::new();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for group in &report.groups {
        for measure in MEASURES {
            let mut row = vec![escape(&group.name), measure.title.to_owned()];
            for cell in &group.cells {
                row.push(reading((measure.of)(cell), measure.show, &mut notes));
            }
            rows.push(row);
        }
    }
    for (title, of) in SIZES {
        let mut row = vec![title.to_owned(), "size (MiB)".to_owned()];
        for variant in &report.variants {
            row.push(reading(of(variant), format::mebibytes, &mut notes));
        }
        rows.push(row);
    }
    table(text, &header(report, &["benchmark", "measure"]), rows);
    for (place, note) in notes.iter().enumerate() {
        line(text, &format!("\\[{}\\] {}\n", place + 1, escape(note)));
    }
}

/// A value, with the number of its note if it has one.
fn reading(reading: &Reading, show: fn(f64) -> String, notes: &mut Vec<String>) -> String {
    let value = reading.value.map_or("–".to_owned(), show);
    let Some(note) = &reading.note else {
        return value;
    };
    if note == FIRST_ITERATION {
        return value + "\\*";
    }
    if note == AT_MOST {
        return format!("≤ {value}");
    }
    let place = notes.iter().position(|other| other == note);
    let place = place.unwrap_or_else(|| {
        notes.push(note.clone());
        notes.len() - 1
    });
    format!("{value} \\[{}\\]", place + 1)
}
