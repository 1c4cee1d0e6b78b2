//! Runs `broker serve` and does to it what clients and networks do in bad times.
//!
//! Each fault is done beside bystanders, which must lose nothing by it.

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
#[path = "../common/server.rs"]
mod server;
mod signal_flag;
mod signals;
mod startup;
mod subsz;
#[cfg(feature = "tls")]
mod tls;
