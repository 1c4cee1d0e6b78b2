//! Members of a queue group, and plain responders, leave while messages are on their way to them.
//! No other client may lose a message because of that.
//!
//! A message goes to the member that was chosen when it was published. With two workers, delivery
//! takes a moment, and the member may have left when the message arrives. The message must then go
//! to another member, and a request without any responder must get status 503.
//!
//! Each test runs a few rounds and takes seconds. `LEAVING_ROUNDS` sets the number of rounds,
//! `LEAVING_SECONDS` the duration of the drains under load.

#![cfg(unix)]

#[path = "../common/client.rs"]
mod client;
#[path = "../common/http.rs"]
mod http;
mod ledger;
mod load;
mod reproductions;
#[path = "../common/server.rs"]
mod server;
mod ways;
mod workers;

use server::from_environment;

/// Rounds of each test.
fn rounds() -> u64 {
    from_environment("LEAVING_ROUNDS", 50)
}
