//! Members of a queue group, and plain responders, leave while messages are on their
//! way to them. Nobody else may lose a message by it.
//!
//! A message goes to a member that was chosen when it was published. With two
//! workers the message is on its way for a moment, and the member may be gone when
//! the message arrives. It has to go to another member then, and a request that finds
//! nobody has to be answered by a 503.
//!
//! Each test leaves a few times, so that all of them take seconds. `LEAVING_ROUNDS`
//! has them leave more often, `LEAVING_SECONDS` has them drain under load for longer.

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

/// How often a test has somebody leave.
fn rounds() -> u64 {
    from_environment("LEAVING_ROUNDS", 50)
}
