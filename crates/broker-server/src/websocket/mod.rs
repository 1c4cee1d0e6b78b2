//! WebSocket (RFC 6455): NATS's bytes in frames, for clients in web browsers.
//!
//! Nothing here reads or writes a socket: [`WebSocket`] is given what came and has what
//! is to go, which `layers.rs` moves.

mod close;
mod deflate;
mod frames;
mod outgoing;
mod port;
mod session;
mod upgrade;

pub(crate) use port::{Port, Rules};
pub(crate) use session::{READ, WebSocket};
