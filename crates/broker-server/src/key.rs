//! Keys of connections and subscriptions, valid on every worker.
//!
//! Keys are plain numbers: only the owning worker looks up what they refer to, so nothing is shared
//! or reference-counted.

/// The key of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionKey {
    /// The worker that owns it.
    pub(crate) worker: u32,
    /// The slot in which the worker keeps it.
    pub(crate) slot: u32,
    /// The lower half of the connection's number, because slots are reused.
    pub(crate) id: u32,
}

impl ConnectionKey {
    /// Returns the key of the connection with the number `id`.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "workers and slots are far fewer than four billion, and half of the id is enough"
    )]
    pub(crate) fn new(worker: usize, slot: usize, id: u64) -> Self {
        Self {
            worker: worker as u32,
            slot: slot as u32,
            id: id as u32,
        }
    }

    /// Returns the slot.
    pub(crate) fn slot(self) -> usize {
        self.slot as usize
    }

    /// Returns the worker.
    pub(crate) fn worker(self) -> usize {
        self.worker as usize
    }
}

/// The key of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    /// The connection that owns it.
    pub(crate) connection: ConnectionKey,
    /// The place in which the connection keeps it.
    pub(crate) place: u32,
    /// Its number within the connection, because places are reused. [`LINK`] is set for a hub's
    /// subscriptions.
    pub(crate) serial: u32,
}

/// The bit in the serial numbers of a hub's subscriptions.
pub(crate) const LINK: u32 = 1 << 31;

impl Target {
    /// Returns the target for a hub as a whole, which gets each message once.
    pub(crate) fn hub(connection: ConnectionKey) -> Self {
        Self {
            connection,
            place: 0,
            serial: LINK,
        }
    }

    /// Returns whether it belongs to a hub.
    #[inline]
    pub(crate) fn is_link(self) -> bool {
        self.serial & LINK != 0
    }
}
