//! The part of a load that is measured.

use super::Plan;
use super::clock::nanoseconds;
use super::counters::{Counters, Sample};

/// From the end of the warm-up until enough messages were sent or enough time
/// has passed. The sending thread calls it with the current time, and it
/// samples the counters at both ends.
#[derive(Debug)]
pub(super) struct Window {
    warm_up: u64,
    end: u64,
    messages: Option<u64>,
    /// The counters when the warm-up ended.
    first: Option<Sample>,
    /// The counters when sending was told to end.
    last: Option<Sample>,
}

/// The counters at both ends of a window.
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

    /// Returns whether sending should end.
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

    /// Returns the total number of messages, once it is known.
    pub(super) fn messages(&self) -> Option<u64> {
        let first = self.first?;
        Some(first.published.saturating_add(self.messages?))
    }

    /// Returns the samples. `now` is when the server had processed everything; it
    /// is the end of a run with a fixed number of messages.
    pub(super) fn measured(self, now: u64, counters: &Counters) -> Measured {
        let last = self.last.unwrap_or_else(|| counters.sample(now));
        Measured {
            // If the load ended during the warm-up, the window is the whole run.
            first: self.first.unwrap_or_default(),
            last,
        }
    }
}
