//! `/metrics`: statistics for Prometheus.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::super::shared::Shared;
use super::process;
use super::state::State;

pub(super) fn metrics(state: &State, shared: &Shared) -> String {
    let counters = shared.counters();
    let mut text = String::new();
    let mut add = |name: &str, kind: &str, help: &str, value: f64| {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "# HELP broker_{name} {help}\n# TYPE broker_{name} {kind}\nbroker_{name} {value}"
        );
    };
    #[allow(clippy::cast_precision_loss, reason = "Prometheus values are floats")]
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
            "Connections closed as slow consumers.",
            counters.slow_consumers,
        ),
        (
            "counter",
            "stalls_total",
            "Times a publisher was stalled by a slower subscriber.",
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
            "Memory held for clients, which --max-memory limits.",
            shared.held() as u64,
        ),
        (
            "gauge",
            "resident_bytes",
            "Resident memory of the process.",
            process::resident(),
        ),
    ];
    for (kind, name, help, value) in all {
        count(kind, name, help, value);
    }
    for (kind, name, help, value) in of_hub(shared) {
        count(kind, name, help, value);
    }
    for (name, value) in (shared.config.allocator.figures)() {
        let help = "Memory figure of the allocator.";
        count("gauge", &format!("allocator_{name}_bytes"), help, value);
    }
    add(
        "cpu_seconds_total",
        "counter",
        "CPU time used.",
        process::cpu_seconds(),
    );
    let uptime = state.started.elapsed().as_secs_f64();
    add("uptime_seconds", "gauge", "Time since the start.", uptime);
    text
}

/// Returns the statistics of the link to a hub, if one is configured.
fn of_hub(shared: &Shared) -> Vec<(&'static str, &'static str, &'static str, u64)> {
    let Some(hub) = &shared.hub else {
        return Vec::new();
    };
    let counter = |name, help, value: &AtomicU64| ("counter", name, help, value.load(Relaxed));
    let up = u64::from(hub.link().is_some());
    vec![
        ("gauge", "leafnodes", "Leaf node connections to a hub.", up),
        counter(
            "leafnode_links_total",
            "Leaf node connections since the start.",
            &hub.links,
        ),
        counter(
            "leafnode_in_messages_total",
            "Messages from the hub.",
            &hub.in_msgs,
        ),
        counter(
            "leafnode_in_bytes_total",
            "Bytes from the hub.",
            &hub.in_bytes,
        ),
        counter(
            "leafnode_out_messages_total",
            "Messages to the hub.",
            &hub.out_msgs,
        ),
        counter(
            "leafnode_out_bytes_total",
            "Bytes to the hub.",
            &hub.out_bytes,
        ),
    ]
}
