//! Runs `broker serve` and does to it what clients and networks do in bad times.
//!
//! Each fault is done beside bystanders, which must lose nothing by it.

#![cfg(unix)]

#[cfg(feature = "tls")]
#[path = "../common/certificates.rs"]
mod certificates;
#[path = "../common/client.rs"]
mod client;
mod corpus;
mod drain;
mod faults;
#[path = "../common/http.rs"]
mod http;
mod limits;
mod log;
mod monitor;
mod protocol;
mod secrets;
#[path = "../common/server.rs"]
mod server;
mod signals;
mod startup;
#[cfg(feature = "tls")]
mod tls;
