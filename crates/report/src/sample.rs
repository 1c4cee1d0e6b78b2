//! A made-up report, for tests.

use crate::criterion::Sampling;
use crate::library::LibraryReport;
use crate::load::Load;
use crate::program::results::{IdleCell, Latency, LoadCell, LoadReport, LoadRound};
use crate::program::results::{ProgramReport, ServerReport};
use crate::results::{Cell, GroupReport, Reading, Report, Round, Settings, VariantReport};
use crate::system::System;
use serde_json::json;

/// Two groups of three variants, of which one failed. Names and reasons hold
/// what Markdown and XML give a meaning.
pub(crate) fn report() -> Report {
    let names = ["plain", "b", "c"];
    let group = |name: &str, times: [&[f64]; 3]| GroupReport {
        name: name.to_owned(),
        plot: None,
        cells: names
            .iter()
            .zip(times)
            .map(|(variant, times)| cell(variant, times))
            .collect(),
    };
    let mut groups = vec![
        group("one", [&[2e6, 4e6], &[1e6, 1.2e6], &[30e6, 20e6]]),
        group("two <&> \"|\"", [&[5e6, 5e6], &[], &[5e6]]),
    ];
    groups[1].cells[1].failure = Some("killed by SIGSEGV: a <b> | & c\u{1b}[0m".to_owned());
    for group in &mut groups {
        group.summarise(Some(0));
    }
    Report {
        complete: false,
        started: "then".to_owned(),
        finished: "now".to_owned(),
        settings: Settings {
            rounds: 2,
            sampling: Sampling::counted(10),
        },
        baseline: Some("plain".to_owned()),
        warnings: vec!["it was loud | here".to_owned()],
        system: System::describe(Load {
            minute: None,
            busy: Some(0.25),
        }),
        variants: names.iter().map(|name| variant(name)).collect(),
        groups,
        program: None,
        library: None,
    }
}

/// A row of the C library that is slow, one that was, one that never was, and the
/// control.
pub(crate) fn library() -> LibraryReport {
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
        "rounds": 2,
        "quick": false,
        "rows": [
            row("math: <slow>", 900.0, 3.0),
            row("control: mmap and munmap", 1.0, 1.0),
            row("memory: cured", 4.0, 0.9),
            row("sort: never slow", 0.5, 0.4),
        ],
    });
    LibraryReport {
        comparison: Some(serde_json::from_value(comparison).expect("of that form")),
        failure: None,
        plot: Some("libc.svg".to_owned()),
    }
}

fn cell(variant: &str, times: &[f64]) -> Cell {
    let mut cell = Cell::new(variant);
    cell.rounds = (1..)
        .zip(times)
        .map(|(number, &median_ns)| Round {
            number,
            median_ns,
            deviation_ns: 1.0,
        })
        .collect();
    cell
}

fn variant(name: &str) -> VariantReport {
    VariantReport {
        name: name.to_owned(),
        label: format!("the {name} | build, <with> \"more\" & a long label to cut at the end"),
        allocations: name.into(),
        program: None,
        allocations_bytes: Reading::of(1_048_576.0),
        program_bytes: Reading::none("no program"),
        info: None,
        info_note: Some("no program".to_owned()),
    }
}

/// A throughput and a latency of four servers, of which one does not start and one
/// can take the first load alone.
pub(crate) fn program() -> ProgramReport {
    let server = |name: &str| ServerReport {
        name: name.to_owned(),
        label: format!("the {name} | <server>"),
        program: name.into(),
    };
    let cell = |rates: &[f64]| LoadCell {
        rounds: (1..)
            .zip(rates)
            .map(|(number, &rate)| round(number, rate))
            .collect(),
        ..LoadCell::default()
    };
    let failed = LoadCell {
        failure: Some("cannot start: no | such <file>".to_owned()),
        ..LoadCell::default()
    };
    let left_out = LoadCell {
        left_out: true,
        ..LoadCell::default()
    };
    let load = |name: &str, latency, rate| LoadReport {
        name: name.to_owned(),
        arguments: Vec::new(),
        latency,
        rate,
        cells: vec![
            cell(&[2e6, 4e6]),
            failed.clone(),
            cell(&[1e6]),
            if latency {
                left_out.clone()
            } else {
                cell(&[6e6, 6e6])
            },
        ],
    };
    let idle = |failure: Option<&str>| IdleCell {
        starts: vec![0.002; usize::from(failure.is_none())],
        failure: failure.map(str::to_owned),
        ..IdleCell::default()
    };
    let mut report = ProgramReport {
        generator: "broker".into(),
        rounds: 2,
        seconds: 1.0,
        servers: ["a", "b", "nats", "least"].map(server).into(),
        baseline: Some(0),
        nats: Some(2),
        least: Some(3),
        loads: vec![
            load("1 to 1 <&>", false, None),
            load("1 to 1, half load", true, Some(1_234_567)),
        ],
        idle: vec![
            idle(None),
            idle(Some("cannot start")),
            idle(None),
            IdleCell {
                left_out: true,
                ..IdleCell::default()
            },
        ],
        plot: Some("broker.svg".to_owned()),
    };
    report.summarise();
    report
}

fn round(number: u32, rate: f64) -> LoadRound {
    LoadRound {
        number,
        messages_per_second: rate,
        latency: Some(Latency {
            p50_us: rate / 1e5,
            p99_us: rate / 1e4,
            p999_us: rate / 1e3,
            max_us: rate / 1e2,
        }),
        rss_bytes: 1_048_576.0,
        peak_rss_bytes: 2_097_152.0,
        server_cpus: 1.5,
        generator_cpus: 0.25,
    }
}
