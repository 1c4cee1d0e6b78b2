//! When publishers send: as fast as the server reads, each message at its own
//! time, or each request when an answer arrives.

mod even;
mod flood;
mod outstanding;

pub(super) use flood::Release;

use std::time::Duration;

use super::counters::Counters;
use super::publisher::Publisher;
use super::window::Window;
use super::{LoadError, Pattern, Plan};

/// How long to wait for events when there is nothing to do.
const IDLE: Duration = Duration::from_millis(20);

/// Decides when publishers send and when everything has been sent.
pub(super) trait Pacing {
    /// Sends what is due: from all publishers, or from the one that has just
    /// received answers.
    fn turn(&mut self, publishers: &mut [Publisher], moment: Moment<'_>)
    -> Result<Then, LoadError>;

    /// The size of a block in bytes, if this pacing writes blocks of frames.
    fn block(&self) -> usize {
        0
    }
}

/// What to do after a turn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Then {
    /// Take the next turn.
    Again,
    /// Wait for events, at most this long.
    Wait(Duration),
    /// Sleep until this time, more precisely than a wait for events.
    Sleep(u64),
    /// Stop: everything has been sent.
    Done,
}

/// The state at one point in time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a> {
    now: u64,
    /// Whether sending should end.
    over: bool,
    /// The total number of messages, once it is known.
    all: Option<u64>,
    /// The number of messages that are due before the end, with a rate.
    due: u64,
    counters: &'a Counters,
}

impl<'a> Moment<'a> {
    pub(super) fn new(window: &mut Window, now: u64, counters: &'a Counters) -> Self {
        Self {
            now,
            over: window.over(now, counters),
            all: window.messages(),
            due: window.due(),
            counters,
        }
    }
}

/// Returns the pacing of a plan, for the calling thread.
pub(super) fn of(plan: &Plan) -> Box<dyn Pacing> {
    match (plan.rate, plan.pattern) {
        (Some(rate), _) => Box::new(even::Even::new(rate)),
        (None, Pattern::Publish) => Box::new(flood::Flood::new(plan)),
        (None, Pattern::Request) => Box::new(outstanding::Outstanding::new(plan)),
    }
}
