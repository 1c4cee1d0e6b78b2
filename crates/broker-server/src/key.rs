//! Names for connections and subscriptions that every worker understands.
//!
//! All of it is plain numbers: only the worker that owns a connection looks up what
//! they stand for, so that nothing is shared and nothing is counted.

/// A connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionKey {
    /// The worker that owns it.
    pub(crate) worker: u32,
    /// Where that worker keeps it.
    pub(crate) slot: u32,
    /// The lower half of its number: slots are used again.
    pub(crate) id: u32,
}

impl ConnectionKey {
    /// The key of the connection with the number `id`.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "neither workers nor connections are counted in billions, and half of the number is enough"
    )]
    pub(crate) fn new(worker: usize, slot: usize, id: u64) -> Self {
        Self {
            worker: worker as u32,
            slot: slot as u32,
            id: id as u32,
        }
    }

    /// Where its worker keeps it.
    pub(crate) fn slot(self) -> usize {
        self.slot as usize
    }

    /// The worker that owns it.
    pub(crate) fn worker(self) -> usize {
        self.worker as usize
    }
}

/// A subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    /// The connection that it belongs to.
    pub(crate) connection: ConnectionKey,
    /// Where the connection keeps it.
    pub(crate) place: u32,
    /// Its number within the connection: places are used again. [`LINK`] is set in
    /// those of a hub.
    pub(crate) serial: u32,
}

/// Set in the numbers of what a hub wants to which this server is a leaf node.
pub(crate) const LINK: u32 = 1 << 31;

impl Target {
    /// A hub as a whole: it gets each message once, whatever it wants it for.
    pub(crate) fn hub(connection: ConnectionKey) -> Self {
        Self {
            connection,
            place: 0,
            serial: LINK,
        }
    }

    /// Whether it belongs to a hub.
    #[inline]
    pub(crate) fn is_link(self) -> bool {
        self.serial & LINK != 0
    }
}
