//! When publishers send: as fast as the server takes it, each message at its
//! time, or each request when an answer comes.

mod even;
mod flood;
mod outstanding;

pub(super) use flood::Release;

use std::time::Duration;

use super::counters::Counters;
use super::publish::Publisher;
use super::window::Window;
use super::{LoadError, Pattern, Plan};

/// How long to wait for events when there is nothing to do.
const IDLE: Duration = Duration::from_millis(20);

/// Decides when publishers send, and when all is sent.
pub(super) trait Pacing {
    /// Sends what is to be sent now: from all publishers, or from the one that
    /// has just received answers.
    fn turn(&mut self, publishers: &mut [Publisher], moment: Moment<'_>)
    -> Result<Then, LoadError>;

    /// Bytes that are to be written at once, if it writes blocks of frames.
    fn block(&self) -> usize {
        0
    }
}

/// What follows a turn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Then {
    /// The next turn.
    Again,
    /// A wait for events, at most that long.
    Wait(Duration),
    /// A sleep until that time, more exactly than events can be waited for.
    Sleep(u64),
    /// Nothing: all is sent.
    Done,
}

/// What is known at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a> {
    now: u64,
    /// Whether sending is to end.
    over: bool,
    /// How many messages there are to be in all, once that is known.
    all: Option<u64>,
    counters: &'a Counters,
}

impl<'a> Moment<'a> {
    pub(super) fn new(window: &mut Window, now: u64, counters: &'a Counters) -> Self {
        Self {
            now,
            over: window.over(now, counters),
            all: window.messages(),
            counters,
        }
    }
}

/// The pacing of a plan, for the calling thread.
pub(super) fn of(plan: &Plan) -> Box<dyn Pacing> {
    match (plan.rate, plan.pattern) {
        (Some(rate), _) => Box::new(even::Even::new(rate)),
        (None, Pattern::Publish) => Box::new(flood::Flood::new(plan)),
        (None, Pattern::Request) => Box::new(outstanding::Outstanding::new(plan)),
    }
}
