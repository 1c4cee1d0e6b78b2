//! The builds of `broker serve` under load, and nats-server beside them.
//!
//! Each step starts a server afresh, has the load generator (`broker bench`)
//! put it under one load, and reads from `/proc` what that took. All servers
//! take each load in turn, as the benchmarks do.

pub mod results;
mod scenario;
mod server;
mod session;

pub use scenario::{SCENARIOS, Scenario, select};
pub use server::{Kind, Program, find_nats_server};
pub use session::Session;
