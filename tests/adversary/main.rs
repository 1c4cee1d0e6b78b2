//! Malicious clients without credentials, with bystanders on every worker.
//!
//! Each attack has its own server and checks three promises: the bystanders get timely answers, the
//! server's memory stays below the stated limit, and the bystanders lose nothing. After the attack
//! the server still answers, and soon becomes idle.
//!
//! The attacks run one at a time, whatever `--test-threads` says, because they measure latency and
//! would disturb each other.
//!
//! `ADVERSARY_P99_MS` sets the latency limit. `SERVER_UNDER_TEST=broker:PATH` selects another
//! server. `--nocapture` shows the measurements of passing attacks.

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
