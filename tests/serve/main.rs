//! Runs `broker serve` and simulates faults of clients and networks.
//!
//! Bystanders are connected during each fault, and must lose nothing.

#![cfg(unix)]

mod beside;
#[cfg(feature = "tls")]
#[path = "../common/certificates.rs"]
mod certificates;
#[path = "../common/client.rs"]
mod client;
mod closed;
mod connz;
mod corpus;
mod drain;
mod faults;
#[path = "../common/http.rs"]
mod http;
mod lame_duck;
mod limits;
mod log;
mod monitor;
mod nats_flags;
mod nats_server;
mod protocol;
mod secrets;
#[path = "../common/seeds.rs"]
mod seeds;
#[path = "../common/server.rs"]
mod server;
mod signal_flag;
mod signals;
mod startup;
mod subsz;
#[cfg(feature = "tls")]
mod tls;
