//! What the allocator of the program needs every now and then.

use std::time::{Duration, Instant};

use super::shared::Shared;

/// How often the allocator is looked after.
const INTERVAL: Duration = Duration::from_secs(1);

/// When the allocator is looked after next.
#[derive(Debug)]
pub(crate) struct Upkeep {
    next: Instant,
}

impl Upkeep {
    /// It is due at once.
    pub(crate) fn new() -> Self {
        Self {
            next: Instant::now(),
        }
    }

    /// Looks after the allocator if it is time. Returns how long not to wait longer than
    /// before the next call, if it needs one.
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
