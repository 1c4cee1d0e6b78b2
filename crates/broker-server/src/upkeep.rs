//! Regular upkeep of the program's allocator.

use std::time::{Duration, Instant};

use super::shared::Shared;

/// Interval of the upkeep.
const INTERVAL: Duration = Duration::from_secs(1);

/// The time of the next upkeep.
#[derive(Debug)]
pub(crate) struct Upkeep {
    next: Instant,
}

impl Upkeep {
    /// Returns an upkeep that is due at once.
    pub(crate) fn new() -> Self {
        Self {
            next: Instant::now(),
        }
    }

    /// Calls the upkeep if it is due. Returns the time until the next one, if the allocator needs
    /// upkeep.
    pub(crate) fn look_after(&mut self, shared: &Shared) -> Option<Duration> {
        let look_after = shared.config.allocator.upkeep?;
        let now = Instant::now();
        if self.next <= now {
            look_after();
            self.next = now + INTERVAL;
        }
        Some(self.next.saturating_duration_since(now))
    }
}
