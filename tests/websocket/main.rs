//! WebSocket clients next to TCP clients: their messages and their errors.

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
