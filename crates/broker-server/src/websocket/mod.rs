//! WebSocket (RFC 6455): the NATS protocol in frames, for clients in web browsers.
//!
//! This module does not access sockets: [`WebSocket`] converts bytes, and `layers.rs` reads and
//! writes them.

mod close;
mod deflate;
mod frames;
mod outgoing;
mod port;
mod session;
mod upgrade;

pub(crate) use port::{Port, Rules};
pub(crate) use session::{READ, WebSocket};
