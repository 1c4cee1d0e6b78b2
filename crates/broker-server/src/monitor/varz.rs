//! `/varz`: statistics with nats-server's field names.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::super::shared::Shared;
use super::process;
use super::state::State;
use super::time::{duration, timestamp};

/// Returns the fields of nats-server 2.10 that exist here, and some that nats-server does not have:
/// `broker_version`, `max_memory`, `memory` (the memory held, which `max_memory` limits), `workers`
/// and `stalled_clients`.
pub(super) fn varz(state: &State, shared: &Shared) -> Value {
    let mut all = settings(state, shared);
    for more in [process(state, shared), traffic(state, shared)] {
        if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
            all.extend(more);
        }
    }
    all
}

/// Returns the configuration.
fn settings(state: &State, shared: &Shared) -> Value {
    let (settings, config) = (shared.settings(), &shared.config);
    let (info, intervals) = (&settings.info, &settings.intervals);
    object! {
        "server_id": info.server_id.as_str(),
        "server_name": info.server_name.as_str(),
        "version": info.protocol_version,
        "broker_version": env!("CARGO_PKG_VERSION"),
        "proto": info.proto,
        "addr": info.host.as_str(),
        "host": info.host.as_str(),
        "port": info.port,
        "http_host": state.address.ip().to_string(),
        "http_port": state.address.port(),
        "http_base_path": config.http_base_path.as_str(),
        "https_port": 0,
        "auth_required": info.auth_required,
        "tls_required": info.tls_required,
        "tls_verify": info.tls_verify,
        // Without a limit it is -1, as in nats-server.
        "max_connections": i64::try_from(settings.max_connections).unwrap_or(-1),
        "max_subscriptions": settings.max_subscriptions,
        "max_payload": settings.limits.max_payload,
        "max_control_line": settings.limits.max_control_line,
        "max_pending": config.max_pending,
        "max_memory": config.max_memory,
        "ping_interval": nanoseconds(intervals.ping_interval),
        "ping_max": intervals.max_pings_out,
        "auth_timeout": settings.auth_timeout.as_secs_f64(),
        "tls_timeout": settings.tls_timeout.as_secs_f64(),
        "write_deadline": nanoseconds(intervals.write_deadline),
    }
}

/// Returns the process's properties and resource usage.
fn process(state: &State, shared: &Shared) -> Value {
    let uptime = state.started.elapsed();
    object! {
        "start": timestamp(state.start),
        "config_load_time": timestamp(shared.reloaded().unwrap_or(state.start)),
        "now": timestamp(SystemTime::now()),
        "uptime": duration(uptime),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        // nats-server's number of threads that run at a time.
        "gomaxprocs": shared.config.workers,
        "workers": shared.config.workers,
        "cpu": process::cpu_seconds() / uptime.as_secs_f64() * 100.0,
        "mem": process::resident(),
        "memory": shared.held(),
    }
}

/// Returns the clients and their traffic.
fn traffic(state: &State, shared: &Shared) -> Value {
    let counters = shared.counters();
    object! {
        "connections": shared.connections(),
        "total_connections": counters.total_connections,
        // There are no other servers.
        "routes": 0,
        "remotes": 0,
        "leafnodes": u8::from(shared.hub.as_ref().is_some_and(|hub| hub.link().is_some())),
        "subscriptions": counters.subscriptions,
        "slow_consumers": counters.slow_consumers,
        "slow_consumer_stats": object! {
            "clients": counters.slow_consumers,
            "routes": 0,
            "gateways": 0,
            "leafs": 0,
        },
        "stalled_clients": counters.stalls,
        "in_msgs": counters.in_msgs,
        "out_msgs": counters.out_msgs,
        "in_bytes": counters.in_bytes,
        "out_bytes": counters.out_bytes,
        "http_req_stats": json!(state.requests),
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
