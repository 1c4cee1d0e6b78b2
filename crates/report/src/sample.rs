//! Made-up results for tests. Names and reasons contain characters that are special in Markdown and XML.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use survey::compare::Comparison;

use crate::interrupt::Interrupt;
use crate::load::Load;
use crate::matrix::{Foreign, Variant};
use crate::report::{Report, VariantReport};
use crate::section::{Column, Section};
use crate::sections::criterion::Sampling;
use crate::sections::{allocations, broker, libc, programs};
use crate::session::Session;
use crate::system::System;

/// Returns an incomplete report with these sections.
pub(crate) fn report(sections: Vec<Section>) -> Report {
    let described = |variant: Variant| VariantReport {
        variant,
        allocations_bytes: None,
        program_bytes: Some(1_048_576),
        info: None,
        info_note: Some("no program".to_owned()),
    };
    Report {
        complete: false,
        started: "then".to_owned(),
        finished: "now".to_owned(),
        quick: false,
        baseline: Some("plain".to_owned()),
        warnings: vec!["it was loud | here".to_owned()],
        system: System::describe(Load {
            minute: None,
            busy: Some(0.25),
        }),
        variants: variants().map(described).into(),
        sections,
    }
}

fn variants() -> [Variant; 3] {
    let labels = [
        ("plain", "the plain | build"),
        ("b", "the b | build"),
        (
            "c",
            "the c | build, <with> \"more\" & a long label that is not cut",
        ),
    ];
    labels.map(variant)
}

fn variant((name, label): (&str, &str)) -> Variant {
    Variant {
        name: name.to_owned(),
        label: label.to_owned(),
        allocations: name.into(),
        program: None,
        shipped: name == "b",
    }
}

/// Returns a session of two rounds, with the first variant as baseline.
fn session(variants: &[Variant]) -> Session<'_> {
    Session {
        variants,
        baseline: Some(0),
        rounds: 2,
        quick: false,
        own: "report".into(),
        interrupt: Interrupt::never(),
    }
}

fn fill(section: &mut Section, row: usize, column: usize, measure: &'static str, values: &[f64]) {
    for (round, &value) in (1..).zip(values) {
        section.rows[row].cells[column].push(measure, round, value);
    }
}

/// Two groups of three variants, one of which failed.
pub(crate) fn allocations() -> Section {
    let groups = ["one", "two <&> \"|\""].map(str::to_owned);
    let mut section = allocations::section(&session(&variants()), &groups, Sampling::counted(10));
    for (row, column, times) in [
        (0, 0, &[2e6, 4e6][..]),
        (0, 1, &[1e6, 1.2e6]),
        (0, 2, &[30e6, 20e6]),
        (1, 0, &[5e6, 5e6]),
        (1, 2, &[5e6]),
    ] {
        fill(&mut section, row, column, "time", times);
    }
    section.rows[1].cells[1].failure = Some("killed by SIGSEGV: a <b> | & c\u{1b}[0m".to_owned());
    section.summarise();
    section
}

/// Throughput and latency of four servers. One does not start, and one supports
/// only the first load.
pub(crate) fn broker() -> Section {
    let server = |(name, kind): (&str, broker::ServerKind)| broker::Program {
        column: Column::new(name, &format!("the {name} | <server>"), false),
        path: name.into(),
        kind,
    };
    let kinds = [
        broker::ServerKind::Broker,
        broker::ServerKind::Broker,
        broker::ServerKind::Nats,
        broker::ServerKind::Least,
    ];
    let servers: Vec<_> = ["a", "b", "nats", "least"]
        .into_iter()
        .zip(kinds)
        .map(server)
        .collect();
    let load = |name, arguments, at_half_load| broker::Scenario {
        name,
        arguments,
        at_half_load,
        route: broker::Route::Local,
    };
    let loads = [
        load("1 to 1 <&>", "--size 16", false),
        load("1 to 1, half load", "--request", true),
    ];
    let variants = [variant(("a", "A"))];
    let mut section = broker::section(&broker::Loads {
        session: &session(&variants),
        programs: servers,
        generator: Path::new("broker"),
        scenarios: loads.into(),
        seconds: 1.0,
        rates: BTreeMap::new(),
    });
    section.rows[1].note = Some("1,234,567 messages/s".to_owned());
    for (row, column, values) in [
        (0, 0, &[2e6, 4e6][..]),
        (0, 2, &[1e6]),
        (0, 3, &[6e6, 6e6]),
        (1, 0, &[2e6, 4e6]),
        (1, 2, &[1e6]),
    ] {
        fill(&mut section, row, column, "rate", values);
        let latencies: Vec<f64> = values.iter().map(|rate| rate / 1e4).collect();
        fill(&mut section, row, column, "p99", &latencies);
        for (measure, value) in [
            ("peak_rss", 2_097_152.0),
            ("server_cpus", 1.5),
            ("generator_cpus", 0.25),
        ] {
            fill(
                &mut section,
                row,
                column,
                measure,
                &vec![value; values.len()],
            );
        }
    }
    for row in 0..2 {
        section.rows[row].cells[1].failure = Some("cannot start: no | such <file>".to_owned());
    }
    section.rows[2].cells[1].failure = Some("cannot start".to_owned());
    for column in [0, 2] {
        fill(&mut section, 2, column, "start", &[0.002; 2]);
    }
    section.summarise();
    section
}

/// A row of the C library that is slow, one that no longer is, one that never
/// was, and the control.
pub(crate) fn libc() -> Section {
    let row = |name: &str, stock: f64, fast: f64| {
        let ratio =
            |median: f64| json!({"median": median, "minimum": 0.5 * median, "maximum": median});
        json!({
            "name": name,
            "nanoseconds": {"glibc": 10.0, "stock_musl": 10.0 * stock, "fast_musl": 10.0 * fast},
            "stock_to_glibc": ratio(stock),
            "fast_to_glibc": ratio(fast),
            "fast_to_stock": ratio(fast / stock),
            "above": fast > 1.2,
        })
    };
    let build = |kind: &str| json!({"kind": kind, "version": null});
    let comparison = json!({
        "builds": {
            "glibc": build("glibc"),
            "stock_musl": build("stock-musl"),
            "fast_musl": build("fast-musl"),
        },
        "rounds": 1,
        "quick": false,
        "rows": [
            row("math: <slow>", 900.0, 3.0),
            row("control: mmap and munmap", 1.0, 1.0),
            row("memory: cured", 4.0, 0.9),
            row("sort: never slow", 0.5, 0.4),
        ],
    });
    let comparison: Comparison = serde_json::from_value(comparison).expect("of that form");
    let mut section = libc::section(&[], 2);
    libc::show(&mut section, &[comparison.clone(), comparison]);
    section.summarise();
    section
}

/// Two programs with two builds, one of which prints something else.
pub(crate) fn programs() -> Section {
    let program = |name: &str| Foreign {
        name: name.to_owned(),
        about: "1.0 over <some> files".to_owned(),
        arguments: vec!["-n".to_owned(), r"\w+_\w+".to_owned()],
        input: None,
        builds: ["glibc", "static"]
            .map(|build| (build.to_owned(), "/nowhere".into()))
            .into(),
    };
    let columns = vec![
        Column::new("glibc", "glibc", false),
        Column::new("static", "static build", true),
    ];
    let mut section = programs::section(&[program("search"), program("count")], columns, 3);
    for (column, scale) in [(0, 1.0), (1, 0.5)] {
        for (measure, value) in [("wall", 0.1), ("cpu", 0.2), ("peak_rss", 8_388_608.0)] {
            fill(
                &mut section,
                0,
                column,
                measure,
                &[0.9, 1.0, 1.1].map(|round| round * value * scale),
            );
        }
        section.rows[0].cells[column].readings.remove("size");
        fill(&mut section, 0, column, "size", &[4_194_304.0 * scale]);
    }
    section.rows[1].cells[1].failure = Some("its output differs".to_owned());
    section.summarise();
    section
}
