//! The official Rust client against the built `broker`, which must behave as nats-server does.
//!
//! The same tests pass against nats-server as the reference:
//! `SERVER_UNDER_TEST=nats-server:/usr/sbin/nats-server cargo test --test clients`.

#![forbid(unsafe_code)]

mod auth;
mod certificates;
mod client;
mod drain;
mod headers;
mod messages;
mod queues;
mod reconnect;
mod requests;
mod server;
mod subscriptions;
mod tls;
