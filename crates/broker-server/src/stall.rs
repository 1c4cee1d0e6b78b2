//! When a publisher has to wait for a slower subscriber.
//!
//! nats-server calls it a stall. A stalled connection is not read from for a while, so
//! that its sender is slowed by TCP, and a subscriber that takes what it can is not
//! lost to a faster publisher.

use std::time::Duration;

/// What may wait for a connection, in bytes, before its publishers are stalled: more
/// would not come to it any sooner, and would cost memory.
const HIGH_WATER: usize = 256 * 1024;

/// How long a publisher is stalled once more than the high-water mark waits. The more
/// there is in excess, the longer: many may publish to the same subscriber.
const STEP: Duration = Duration::from_millis(1);

/// How many steps that can be, at most.
const MOST_STEPS: u32 = 20;

/// A subscriber that has taken something within this time is worth such short stalls.
const BRISK: Duration = Duration::from_millis(50);

/// How long a publisher is stalled when its subscriber is behind. With a chunk read in
/// between, it goes on at 13 MB/s.
const BEHIND: Duration = Duration::from_millis(5);

/// The same when the subscriber is far behind: 1.3 MB/s.
const FAR_BEHIND: Duration = Duration::from_millis(50);

/// A subscriber that has taken something within this time takes what it can. Nobody is
/// stalled for long by one that takes nothing.
const ALIVE: Duration = Duration::from_secs(1);

/// The bounds on what may wait for a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes from which on publishers may be stalled.
    pub(crate) high_water: usize,
    /// Bytes from which on the connection is a slow consumer.
    pub(crate) max_pending: usize,
    /// How long a byte may wait before the connection is a slow consumer.
    pub(crate) write_deadline: Duration,
}

impl Bounds {
    pub(crate) fn new(max_pending: usize, write_deadline: Duration) -> Self {
        Self {
            high_water: HIGH_WATER.min(max_pending / 2),
            max_pending,
            write_deadline,
        }
    }
}

/// What waits for a connection after all was written that the system takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backlog {
    /// Bytes.
    pub(crate) pending: usize,
    /// How long the oldest of them has waited.
    pub(crate) oldest: Duration,
    /// How long the system has taken nothing.
    pub(crate) idle: Duration,
}

/// How long who publishes to this connection is stalled, if at all.
pub(crate) fn stall(backlog: Backlog, bounds: &Bounds) -> Option<Duration> {
    let Backlog {
        pending,
        oldest,
        idle,
    } = backlog;
    let late = oldest > bounds.write_deadline / 2;
    if (pending > bounds.max_pending / 4 * 3 || late) && idle < ALIVE {
        Some(FAR_BEHIND)
    } else if pending > bounds.max_pending / 2 {
        Some(BEHIND)
    } else if pending > bounds.high_water && idle < BRISK {
        let steps = u32::try_from(pending / bounds.high_water.max(1)).unwrap_or(MOST_STEPS);
        Some(STEP * steps.min(MOST_STEPS))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn the_further_behind_a_subscriber_is_the_longer_is_the_stall() {
        let bounds = Bounds::new(64 * MIB, Duration::from_secs(10));
        let ms = Duration::from_millis;
        for (pending, oldest, idle, expected) in [
            // Below the high-water mark nobody waits.
            (0, ms(0), ms(0), None),
            (HIGH_WATER, ms(40), ms(40), None),
            // Above it for one that is brisk, in steps.
            (HIGH_WATER + 1, ms(0), ms(0), Some(ms(1))),
            (3 * HIGH_WATER, ms(10), ms(49), Some(ms(3))),
            (20 * MIB, ms(10), ms(10), Some(ms(20))),
            (20 * MIB, ms(90), ms(50), None),
            // Half of what may wait.
            (33 * MIB, ms(90), ms(90), Some(ms(5))),
            (33 * MIB, ms(4000), ms(4000), Some(ms(5))),
            // Three quarters, for one that takes something and for one that does not.
            (49 * MIB, ms(900), ms(900), Some(ms(50))),
            (49 * MIB, ms(1000), ms(1000), Some(ms(5))),
            // Half of the time that a byte may wait.
            (MIB, ms(5001), ms(100), Some(ms(50))),
            (MIB, ms(5001), ms(5001), None),
        ] {
            let backlog = Backlog {
                pending,
                oldest,
                idle,
            };
            assert_eq!(stall(backlog, &bounds), expected, "{backlog:?}");
        }
    }

    #[test]
    fn the_high_water_mark_is_below_any_bound() {
        let bounds = Bounds::new(1024, Duration::from_secs(1));
        assert_eq!(bounds.high_water, 512);
        let bounds = Bounds::new(1 << 30, Duration::from_secs(1));
        assert_eq!(bounds.high_water, HIGH_WATER);
    }
}
