//! Clients that mean harm, without credentials, beside bystanders on every worker.
//!
//! Each attack has a server of its own and makes three promises true or false: the
//! bystanders are answered in time, the server's memory stays below what it states,
//! and the bystanders lose nothing. After the attack the server still answers, and it
//! is idle soon.
//!
//! The attacks run one at a time, whatever `--test-threads` says: they measure
//! latency, and an attack would measure its neighbour.
//!
//! `ADVERSARY_P99_MS` sets the bound on the latency. `SERVER_UNDER_TEST=broker:PATH`
//! names another server. `--nocapture` shows the figures of those that pass.

#![cfg(target_os = "linux")]

mod arena;
mod attacker;
mod bystander;
#[cfg(feature = "tls")]
#[path = "../common/certificates.rs"]
mod certificates;
#[path = "../common/client.rs"]
mod client;
mod connections;
mod floods;
#[path = "../common/http.rs"]
mod http;
mod log;
mod memory;
#[path = "../common/server.rs"]
mod server;
mod subscriptions;
#[cfg(feature = "tls")]
mod tls;
mod unread;
