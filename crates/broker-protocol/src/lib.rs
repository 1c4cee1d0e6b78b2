//! The NATS client protocol, without I/O.
//!
//! Where nats-server and its documentation differ, this crate follows the server.

#![forbid(unsafe_code)]

// The tests run with the program's memory routines.
#[cfg(test)]
use broker_runtime as _;

mod address;
mod connect;
mod error;
mod info;
mod leaf;
mod message;
mod parser;
mod subject;

pub use address::{Address, BadUrl, Login, Url, parse_url};
pub use connect::Connect;
pub use error::{ProtocolError, SYSTEM_QUEUE, Violation};
pub use info::{GO, PROTOCOL_VERSION, ServerInfo};
pub use leaf::{
    HubInfo, LeafConnect, LeafFrame, LeafMessage, LeafProof, ParsedLeaf, Permission, Shown,
    parse_leaf, push_head, push_interest,
};
pub use message::{Message, SHARE_FROM, Span, no_responders};
pub use parser::{Frame, Limits, Parsed, Publish, parse};
pub use subject::{
    covers, is_literal, is_reserved, is_reserved_reply, is_valid, matches, overlap, tokens,
};
