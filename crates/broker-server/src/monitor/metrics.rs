//! `/metrics`: the figures for Prometheus.

use std::fmt::Write as _;

use super::super::shared::Shared;
use super::pages::Pages;
use super::process;

pub(super) fn metrics(pages: &Pages, shared: &Shared) -> String {
    let counters = shared.counters();
    let mut text = String::new();
    let mut add = |name: &str, kind: &str, help: &str, value: f64| {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "# HELP broker_{name} {help}\n# TYPE broker_{name} {kind}\nbroker_{name} {value}"
        );
    };
    #[allow(clippy::cast_precision_loss, reason = "Prometheus has nothing else")]
    let mut count = |kind, name: &str, help: &str, value: u64| add(name, kind, help, value as f64);
    let all = [
        (
            "counter",
            "in_messages_total",
            "Messages published.",
            counters.in_msgs,
        ),
        (
            "counter",
            "in_bytes_total",
            "Bytes published.",
            counters.in_bytes,
        ),
        (
            "counter",
            "out_messages_total",
            "Messages delivered.",
            counters.out_msgs,
        ),
        (
            "counter",
            "out_bytes_total",
            "Bytes delivered.",
            counters.out_bytes,
        ),
        (
            "counter",
            "slow_consumers_total",
            "Connections ended for taking messages too slowly.",
            counters.slow_consumers,
        ),
        (
            "counter",
            "stalls_total",
            "Times a publisher had to wait for a subscriber.",
            counters.stalls,
        ),
        (
            "counter",
            "connections_total",
            "Connections accepted.",
            counters.total_connections,
        ),
        (
            "gauge",
            "connections",
            "Connections.",
            shared.connections() as u64,
        ),
        (
            "gauge",
            "subscriptions",
            "Subscriptions.",
            counters.subscriptions,
        ),
        (
            "gauge",
            "memory_bytes",
            "Memory held for clients, of --max-memory.",
            shared.held() as u64,
        ),
        (
            "gauge",
            "resident_bytes",
            "Memory of the process in RAM.",
            process::resident(),
        ),
    ];
    for (kind, name, help, value) in all {
        count(kind, name, help, value);
    }
    for (name, value) in (shared.config.allocator.figures)() {
        let help = "What the allocator says of itself.";
        count("gauge", &format!("allocator_{name}_bytes"), help, value);
    }
    add(
        "cpu_seconds_total",
        "counter",
        "CPU time used.",
        process::cpu_seconds(),
    );
    let uptime = pages.started.elapsed().as_secs_f64();
    add("uptime_seconds", "gauge", "Time since the start.", uptime);
    text
}
