//! WebSocket (RFC 6455): the NATS protocol in frames, for clients in web browsers.
//!
//! This module does not access sockets: [`WebSocket`] converts bytes, and `layers.rs` reads and
//! writes them.

mod close;
mod deflate;
mod frames;
#[cfg(any(test, fuzzing))]
mod fuzz;
mod outgoing;
mod port;
mod session;
mod upgrade;

#[cfg(fuzzing)]
pub(crate) use fuzz::check as fuzz;
pub(crate) use port::{Rules, Terms};
pub(crate) use session::{READ, WebSocket};
