//! Broker as a leaf node of a scripted hub, and of nats-server, which the variable `HUB` names:
//! `HUB=/usr/sbin/nats-server cargo test --test leaf -- --include-ignored`.

#![cfg(unix)]
#![forbid(unsafe_code)]

#[cfg(feature = "tls")]
#[path = "../common/certificates.rs"]
mod certificates;
#[path = "../common/client.rs"]
mod client;
mod cluster;
mod corpus;
mod faults;
#[path = "../common/http.rs"]
mod http;
mod hub;
mod jetstream;
mod lame_duck;
mod load;
#[cfg(feature = "tls")]
mod security;
#[path = "../common/seeds.rs"]
mod seeds;
#[path = "../common/server.rs"]
mod server;
mod stage;
mod stores;
mod traffic;
