//! A connection's counters.

use std::time::Instant;

/// A connection's counters: plain integers, because only the owner of the connection writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Messages that the client published.
    pub(crate) in_msgs: u64,
    /// Bytes of their headers and payloads.
    pub(crate) in_bytes: u64,
    /// Messages delivered to it.
    pub(crate) out_msgs: u64,
    /// Bytes of their headers and payloads.
    pub(crate) out_bytes: u64,
    /// When the last message was delivered to it, or when it connected.
    pub(crate) last_out: Instant,
}

impl Tally {
    /// Returns the counters of a connection that begins at `now`.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            in_msgs: 0,
            in_bytes: 0,
            out_msgs: 0,
            out_bytes: 0,
            last_out: now,
        }
    }

    /// Counts a delivered message.
    #[inline]
    pub(crate) fn count_out(&mut self, bytes: usize, now: Instant) {
        self.out_msgs += 1;
        self.out_bytes += bytes as u64;
        self.last_out = now;
    }
}
