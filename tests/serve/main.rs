//! Runs `broker serve` and does to it what clients and networks do in bad times.
//!
//! Each fault is done beside bystanders, which must lose nothing by it.

#![cfg(unix)]

mod client;
mod corpus;
mod drain;
mod faults;
mod limits;
mod log;
mod monitor;
mod protocol;
mod secrets;
mod server;
mod signals;
mod startup;
#[cfg(feature = "tls")]
mod tls;
