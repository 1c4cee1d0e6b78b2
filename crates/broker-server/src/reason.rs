//! The reasons for closing connections.

use broker_protocol::ProtocolError;

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The client disconnected.
    Gone,
    /// Reading from the client failed.
    Unreadable,
    /// Writing to it failed.
    Unwritable,
    /// The client made an error, and is sent -ERR.
    Error(ProtocolError),
    /// The server is shutting down.
    Shutdown,
}
