//! Which part of a load is measured.

use super::Plan;
use super::clock::nanoseconds;
use super::counters::{Counters, Sample};

/// From the end of the warm-up until enough was sent or enough time is over.
/// The sending thread asks it what time it is, and it takes note of the
/// counters in passing.
#[derive(Debug)]
pub(super) struct Window {
    warm_up: u64,
    end: u64,
    messages: Option<u64>,
    /// The counters when the warm-up ended.
    first: Option<Sample>,
    /// The counters when sending was to end.
    last: Option<Sample>,
}

/// What a window was in the end.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measured {
    pub(super) first: Sample,
    pub(super) last: Sample,
}

impl Window {
    pub(super) fn new(plan: &Plan) -> Self {
        let warm_up = nanoseconds(plan.warm_up);
        let end = plan.duration.map_or(u64::MAX, nanoseconds);
        Self {
            warm_up,
            end: warm_up.saturating_add(end),
            messages: plan.messages,
            first: None,
            last: None,
        }
    }

    /// Whether sending is to end.
    pub(super) fn over(&mut self, now: u64, counters: &Counters) -> bool {
        if now >= self.warm_up && self.first.is_none() {
            self.first = Some(counters.sample(now));
        }
        let over = now >= self.end || counters.stopped();
        if over && self.last.is_none() {
            self.last = Some(counters.sample(now));
        }
        over
    }

    /// How many messages there are to be in all, once that is known.
    pub(super) fn messages(&self) -> Option<u64> {
        let first = self.first?;
        Some(first.published.saturating_add(self.messages?))
    }

    /// What was measured. `now` is when the server had dealt with everything,
    /// which counts if messages were to be sent and not time to pass.
    pub(super) fn measured(self, now: u64, counters: &Counters) -> Measured {
        let last = self.last.unwrap_or_else(|| counters.sample(now));
        Measured {
            // Ended before it was warm: better all of it than nothing.
            first: self.first.unwrap_or_default(),
            last,
        }
    }
}
