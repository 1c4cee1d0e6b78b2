//! The NATS client protocol, without any input or output.
//!
//! Where nats-server and its documentation differ, this follows the server.

#![forbid(unsafe_code)]

mod connect;
mod error;
mod info;
mod message;
mod parser;
mod subject;

pub use connect::Connect;
pub use error::{ProtocolError, SYSTEM_QUEUE, Violation};
pub use info::{GO, PROTOCOL_VERSION, ServerInfo};
pub use message::{Message, SHARE_FROM, Span, no_responders};
pub use parser::{Frame, Limits, Parsed, Publish, parse};
pub use subject::{is_literal, is_reserved, is_reserved_reply, is_valid, tokens};
