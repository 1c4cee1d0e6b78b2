//! The monitor's own state.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use super::time::Clock;

/// What pages show of the monitor itself.
#[derive(Debug)]
pub(super) struct State {
    /// The address of monitoring.
    pub(super) address: SocketAddr,
    pub(super) started: Instant,
    pub(super) start: SystemTime,
    pub(super) clock: Clock,
    /// Requests by path.
    pub(super) requests: BTreeMap<&'static str, u64>,
}

impl State {
    pub(super) fn new(address: SocketAddr) -> Self {
        let clock = Clock::new();
        Self {
            address,
            started: clock.instant,
            start: clock.time,
            clock,
            requests: BTreeMap::new(),
        }
    }
}
