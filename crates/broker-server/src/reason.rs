//! Why connections end.

use broker_protocol::ProtocolError;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The client left.
    Gone,
    /// Reading from the client failed.
    Unreadable,
    /// Writing to it failed.
    Unwritable,
    /// The client did something wrong; it is told.
    Error(ProtocolError),
    /// The server ends.
    Shutdown,
}
