//! The servers under load.

use super::text::{escape, line, table};
use crate::format;
use crate::program::results::{IdleCell, LoadCell, LoadReport, ProgramReport};
use crate::statistics::Summary;

pub(super) fn program(text: &mut String, report: &ProgramReport) {
    line(
        text,
        &format!(
            "## Broker under load\n\nEach measurement starts a server afresh and puts it under load \
             for {} s, after a warm-up, over the loopback interface, from `broker bench` on the same \
             machine. Medians of {} interleaved rounds, in parentheses their range{}.\n",
            report.seconds,
            report.rounds,
            ratios(report)
        ),
    );
    if let Some(file) = &report.plot {
        line(text, &format!("![Broker under load, relative]({file})\n"));
    }
    let header = |title: &str| -> Vec<String> {
        let labels = report.servers.iter().map(|server| escape(&server.label));
        std::iter::once(title.to_owned()).chain(labels).collect()
    };
    if report.loads.iter().any(|load| !load.latency) {
        let title = "### Throughput\n\nDeliveries (of requests: answers) per second in thousands; \
                     more is better.\n";
        line(text, title);
        let rows = rows(report, false, thousands);
        table(text, &header("load"), rows);
    }
    if report.loads.iter().any(|load| load.latency) {
        let of = report.nats.or(report.baseline).unwrap_or_default();
        let of = report.servers.get(of).map_or("", |server| &server.label);
        let title = format!(
            "### Latency\n\n99 % of messages took at most this many microseconds, from the time at \
             which each was to be sent, at half of the messages that {} stands; less is better.\n",
            escape(of)
        );
        line(text, &title);
        table(text, &header("load"), rows(report, true, microseconds));
    }
    let title = "### Memory, start, processors\n\nMedians, in parentheses the range. *Start*: from \
                 starting the process to its first PONG. *RSS*: memory after the start, with 1,000 \
                 idle clients, and the most (VmHWM) under each load. *Processors*: how many the \
                 server kept busy, then how many the load generator did.\n";
    line(text, title);
    table(text, &header("measure"), resources(report));
}

/// What each cell is compared with, in the order of its ratios.
fn ratios(report: &ProgramReport) -> String {
    let places = [report.nats, report.baseline, report.least].into_iter();
    let labels = places
        .flatten()
        .filter_map(|place| report.servers.get(place));
    let ratios: Vec<_> = labels
        .map(|server| format!("the ratio to {}", escape(&server.label)))
        .collect();
    let least = match report.least {
        Some(_) => {
            " where it was measured: it has one route from one client to one, checks nothing \
                     and bounds nothing"
        }
        None => "",
    };
    match ratios.split_last() {
        None => String::new(),
        Some((one, [])) => format!(", then {one}{least}"),
        Some((one, others)) => format!(", then {} and {one}{least}", others.join(", ")),
    }
}

fn rows(
    report: &ProgramReport,
    latency: bool,
    show: fn(f64) -> String,
) -> impl Iterator<Item = Vec<String>> {
    let loads = report
        .loads
        .iter()
        .filter(move |load| load.latency == latency);
    loads.map(move |load| {
        let mut row = vec![title(load)];
        row.extend(
            load.cells
                .iter()
                .map(|cell| value(cell, report.rounds, show)),
        );
        row
    })
}

fn title(load: &LoadReport) -> String {
    let name = escape(&load.name);
    match load.rate {
        Some(rate) => {
            let rate = format::count(crate::strace::as_number(rate));
            format!("{name} ({rate} messages/s)")
        }
        None => name,
    }
}

fn value(cell: &LoadCell, rounds: u32, show: fn(f64) -> String) -> String {
    let mut parts = Vec::new();
    if let Some(summary) = cell.summary {
        parts.push(with_range(summary, show));
        let ratios = [cell.to_nats, cell.to_baseline, cell.to_least];
        let ratios: Vec<_> = ratios.into_iter().flatten().map(format::ratio).collect();
        parts.push(ratios.join(" / "));
        if cell.rounds.len() < rounds as usize {
            parts.push(format!("\\[{} of {rounds} rounds\\]", cell.rounds.len()));
        }
    }
    match &cell.failure {
        Some(why) => parts.push(format!("failed: {}", escape(why))),
        None if parts.is_empty() && !cell.left_out => parts.push("not measured".to_owned()),
        None => {}
    }
    parts.join(" ")
}

fn resources(report: &ProgramReport) -> Vec<Vec<String>> {
    let idle = |title: &str, values: fn(&IdleCell) -> &Vec<f64>, show: fn(f64) -> String| {
        let mut row = vec![title.to_owned()];
        row.extend(report.idle.iter().map(|cell| {
            match (Summary::of(values(cell).iter().copied()), &cell.failure) {
                (Some(summary), _) => with_range(summary, show),
                (None, Some(why)) => format!("failed: {}", escape(why)),
                (None, None) if cell.left_out => String::new(),
                (None, None) => "not measured".to_owned(),
            }
        }));
        row
    };
    let mut rows = vec![
        idle(
            "start (ms)",
            |cell| &cell.starts,
            |seconds| format!("{:.2}", seconds * 1e3),
        ),
        idle(
            "RSS after the start (MiB)",
            |cell| &cell.rss,
            format::mebibytes,
        ),
        idle(
            "RSS with 1,000 idle clients (MiB)",
            |cell| &cell.rss_connected,
            format::mebibytes,
        ),
    ];
    for load in &report.loads {
        let row = |what: &str, show: &dyn Fn(&LoadCell) -> Option<String>| {
            let title = format!("{}, {what}", escape(&load.name));
            let cells = load.cells.iter();
            let missing = |cell: &LoadCell| if cell.left_out { "" } else { "–" };
            let cells = cells.map(|cell| show(cell).unwrap_or_else(|| missing(cell).to_owned()));
            std::iter::once(title).chain(cells).collect::<Vec<_>>()
        };
        rows.push(row("peak RSS (MiB)", &|cell| {
            Some(with_range(cell.peak_rss_bytes?, format::mebibytes))
        }));
        rows.push(row("processors", &|cell| {
            let [server, generator] =
                [cell.server_cpus?, cell.generator_cpus?].map(|summary| summary.median);
            Some(format!("{server:.2} + {generator:.2}"))
        }));
    }
    rows
}

fn with_range(summary: Summary, show: fn(f64) -> String) -> String {
    let [median, minimum, maximum] = [summary.median, summary.minimum, summary.maximum].map(show);
    format!("{median} ({minimum}–{maximum})")
}

fn thousands(number: f64) -> String {
    format::count(number / 1e3)
}

fn microseconds(number: f64) -> String {
    format::count(number)
}
