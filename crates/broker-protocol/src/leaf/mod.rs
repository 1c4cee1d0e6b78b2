//! The leaf node protocol, for the side that connects.
//!
//! nats-server's source is its only documentation (`server/leafnode.go`, `server/parser.go`), which
//! this module follows. The hub sends INFO and the leaf node answers with CONNECT. After the next
//! INFO each side announces its subscriptions by LS+ and LS-, and sends messages for the other
//! side's subscriptions by LMSG and HMSG.

mod connect;
mod frames;
mod info;

pub use connect::{LeafConnect, LeafProof};
pub use frames::{LeafFrame, LeafMessage, ParsedLeaf, Shown, parse_leaf, push_head, push_interest};
pub use info::{HubInfo, Permission};
