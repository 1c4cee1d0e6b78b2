//! Clients by WebSocket, beside clients by TCP: what they exchange, and what they can do
//! wrong.

#![cfg(all(unix, feature = "tls"))]
#![forbid(unsafe_code)]

#[path = "../common/certificates.rs"]
mod certificates;
#[path = "../common/client.rs"]
mod client;
mod faults;
#[path = "../common/http.rs"]
mod http;
mod page;
#[path = "../common/server.rs"]
mod server;
mod tls;
mod traffic;
mod upgrade;
