//! As fast as the server reads, within a limit of deliveries in flight.
//!
//! All messages are alike, so each publisher writes the same block of whole
//! frames over and over, as much at once as the operating system accepts.

use std::time::Duration;

use mio::Waker;

use super::{IDLE, Moment, Pacing, Publisher, Then};
use crate::clock::nanoseconds;
use crate::counters::Counters;
use crate::publisher::PATIENCE;
use crate::{LoadError, Plan, frames};

/// The approximate size of a block in bytes: large enough that a system call
/// costs little beside the copy, small enough to stay in the processor's cache.
const BLOCK: usize = 64 * 1024;
/// After this long without a delivery, publishers no longer wait for any.
const LOST: u64 = 2_000_000_000;

pub(super) struct Flood {
    /// How many deliveries may be in flight.
    allowed: u64,
    /// The number of deliveries at its last increase, and the time of that increase.
    progress: (u64, u64),
    /// How many messages each publisher sends, once the total is known.
    limits: Vec<u64>,
    /// When sending was told to end.
    ended: Option<u64>,
}

impl Flood {
    pub(super) fn new(plan: &Plan) -> Self {
        let receivers = match &plan.queue {
            Some(_) => plan.subjects.min(plan.subscribers),
            None => plan.subscribers,
        };
        let allowed = match plan.in_flight {
            Some(bytes) if receivers > 0 => (receivers * (bytes / frame(plan)).max(1)) as u64,
            _ => u64::MAX,
        };
        Self {
            allowed,
            progress: (0, 0),
            limits: vec![u64::MAX; plan.publishers],
            ended: None,
        }
    }

    /// Returns whether publishers wait for deliveries.
    fn held(&mut self, now: u64, counters: &Counters) -> bool {
        let held = counters.in_flight() > self.allowed;
        let delivered = counters.sample(now).delivered;
        if !held || delivered != self.progress.0 {
            self.progress = (delivered, now);
        } else if now.saturating_sub(self.progress.1) > LOST {
            // They are lost and will never arrive.
            self.allowed = u64::MAX;
        }
        held
    }

    /// Returns how long to wait for deliveries; `Release` may end the wait earlier.
    fn hold(&self, counters: &Counters) -> Duration {
        counters.set_waiting(true);
        if counters.in_flight() <= self.allowed {
            Duration::ZERO
        } else {
            // In case the receiver checked just before this.
            Duration::from_millis(2)
        }
    }

    /// Splits the total among publishers, once.
    fn share(&mut self, publishers: &[Publisher], messages: u64) {
        let count = publishers.len() as u64;
        for (place, (limit, publisher)) in (0..).zip(self.limits.iter_mut().zip(publishers)) {
            let part = messages / count + u64::from(place < messages % count);
            // A publisher may have sent more than its share during the warm-up.
            *limit = (*limit).min(part.max(publisher.begun()));
        }
    }
}

impl Pacing for Flood {
    fn turn(
        &mut self,
        publishers: &mut [Publisher],
        moment: Moment<'_>,
    ) -> Result<Then, LoadError> {
        let Moment {
            now,
            over,
            all,
            counters,
            ..
        } = moment;
        if over {
            // Frames begun are completed.
            self.share(publishers, 0);
        } else if let Some(messages) = all {
            self.share(publishers, messages);
        }
        let held = !over && self.held(now, counters);
        let (mut idle, mut left) = (true, None);
        for (publisher, &limit) in publishers.iter_mut().zip(&self.limits) {
            if publisher.sent < limit {
                if !held && publisher.writable {
                    publisher.write(limit, counters)?;
                    idle = false;
                }
                left.get_or_insert(&publisher.wire);
            }
        }
        let Some(left) = left else {
            return Ok(Then::Done);
        };
        if over && now - *self.ended.get_or_insert(now) > nanoseconds(PATIENCE) {
            return Err(LoadError::stuck(&left.who, PATIENCE));
        }
        Ok(match (idle, held) {
            (false, _) => Then::Again,
            (true, true) => Then::Wait(self.hold(counters)),
            (true, false) => Then::Wait(IDLE),
        })
    }

    fn block(&self) -> usize {
        BLOCK
    }
}

/// The receiver's side of the limit: wakes publishers when half of the
/// deliveries allowed in flight have arrived.
pub(crate) struct Release {
    waker: Waker,
    below: u64,
}

impl Release {
    pub(crate) fn new(waker: Waker, plan: &Plan) -> Self {
        let bytes = plan.in_flight.unwrap_or_default();
        let receivers = plan.subscribers.max(1);
        Self {
            waker,
            below: (receivers * (bytes / frame(plan) / 2)) as u64,
        }
    }

    pub(crate) fn consider(&self, counters: &Counters) {
        if counters.waiting() && counters.in_flight() <= self.below {
            counters.set_waiting(false);
            // The publisher checks again after 2 ms in any case.
            let _ = self.waker.wake();
        }
    }
}

/// Returns the bytes of a message to the server, the same in every run.
fn frame(plan: &Plan) -> usize {
    frames::publish(&frames::subject("0000", 0), "", plan.size).len()
}
