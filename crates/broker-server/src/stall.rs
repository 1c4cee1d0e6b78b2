//! Stalls: when a publisher must wait for a slower subscriber.
//!
//! The term is nats-server's. A stalled connection is not read from for a while, so TCP slows down
//! the sender. This keeps a subscriber that reads steadily from being closed because of a faster
//! publisher.

use std::time::Duration;

/// The high-water mark: pending output of a connection in bytes above which its publishers are
/// stalled. More output would not arrive sooner, and would cost memory.
const HIGH_WATER: usize = 256 * 1024;

/// The stall above the high-water mark, once for each multiple of it that is pending: many
/// publishers may send to the same subscriber.
const STEP: Duration = Duration::from_millis(1);

/// Most steps of such a stall.
const MOST_STEPS: u32 = 20;

/// Only a subscriber that has read something within this time causes such short stalls.
const RECENT: Duration = Duration::from_millis(50);

/// The stall when the subscriber is behind. With one chunk read between two stalls, the publisher
/// reaches 13 MB/s.
const BEHIND: Duration = Duration::from_millis(5);

/// The stall when the subscriber is far behind: 1.3 MB/s.
const FAR_BEHIND: Duration = Duration::from_millis(50);

/// A subscriber that has read something within this time makes progress; any other one causes no
/// long stalls.
const ALIVE: Duration = Duration::from_secs(1);

/// The limits on a connection's pending output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Pending bytes above which publishers may be stalled.
    pub(crate) high_water: usize,
    /// Pending bytes above which the connection is a slow consumer.
    pub(crate) max_pending: usize,
    /// Age of the oldest pending byte above which the connection is a slow consumer.
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

/// The pending output of a connection after a write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backlog {
    /// Bytes.
    pub(crate) pending: usize,
    /// Age of the oldest pending byte.
    pub(crate) oldest: Duration,
    /// Time since the socket last accepted output.
    pub(crate) idle: Duration,
}

/// Returns the stall of publishers to this connection, if there is one.
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
    } else if pending > bounds.high_water && idle < RECENT {
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
            // Below the high-water mark there is no stall.
            (0, ms(0), ms(0), None),
            (HIGH_WATER, ms(40), ms(40), None),
            // Above it, in steps, for a subscriber that has just read something.
            (HIGH_WATER + 1, ms(0), ms(0), Some(ms(1))),
            (3 * HIGH_WATER, ms(10), ms(49), Some(ms(3))),
            (20 * MIB, ms(10), ms(10), Some(ms(20))),
            (20 * MIB, ms(90), ms(50), None),
            // Half of `max_pending`.
            (33 * MIB, ms(90), ms(90), Some(ms(5))),
            (33 * MIB, ms(4000), ms(4000), Some(ms(5))),
            // Three quarters, for a subscriber that reads and for one that does not.
            (49 * MIB, ms(900), ms(900), Some(ms(50))),
            (49 * MIB, ms(1000), ms(1000), Some(ms(5))),
            // Half of the write deadline.
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
