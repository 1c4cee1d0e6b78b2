//! Stalls: when a publisher must wait for a slower subscriber.
//!
//! The term is nats-server's. A stalled connection is not read from for a while, so TCP slows down
//! the sender. This keeps a subscriber that reads steadily from being closed because of a faster
//! publisher.

use std::time::{Duration, Instant};

use super::chunks::CHUNK;

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

/// The stall for each chunk when the subscriber is behind: the publisher reaches 13 MB/s.
const BEHIND: Duration = Duration::from_millis(5);

/// The same when the subscriber is far behind: 1.3 MB/s.
const FAR_BEHIND: Duration = Duration::from_millis(50);

/// A subscriber that has read something within this time makes progress; any other one is not
/// waited for like one that is far behind.
const ALIVE: Duration = Duration::from_secs(1);

/// The longest wait of a publisher: the subscriber may have caught up meanwhile.
const LONGEST: Duration = Duration::from_secs(1);

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

/// The longest stall of a hub, whose messages are for many clients, which must not all wait for the
/// slowest: 32 MB/s. nats-server stalls only clients.
const HUB: Duration = Duration::from_millis(2);

/// A stall of a publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stall {
    /// The publisher waits at least this long.
    Short(Duration),
    /// The publisher waits this long in addition to other stalls. One on another worker learns of a
    /// stall only after it has sent some more, for which it must wait too.
    Long(Duration),
}

impl Stall {
    /// Returns the stall if the publisher is a hub.
    pub(crate) fn of_hub(self) -> Self {
        let (Self::Short(time) | Self::Long(time)) = self;
        Self::Short(time.min(HUB))
    }

    /// Returns when a publisher is read from again that is stalled until `current`.
    pub(crate) fn end(self, now: Instant, current: Option<Instant>) -> Instant {
        let current = current.map_or(now, |current| current.max(now));
        match self {
            Self::Short(time) => current.max(now + time),
            Self::Long(time) => (current + time).min(now + LONGEST),
        }
    }
}

/// The stalls that the messages of one publisher have caused in one turn or batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caused {
    stall: Stall,
    /// Bytes of the messages.
    bytes: usize,
    /// The address of the last message, which counts once for all its subscribers.
    last: usize,
}

impl Caused {
    /// Begins with the stall that this message has caused.
    pub(crate) fn new(stall: Stall, message: &[u8]) -> Self {
        Self {
            stall,
            bytes: message.len(),
            last: message.as_ptr().addr(),
        }
    }

    /// Adds the stall that this message has caused.
    pub(crate) fn add(&mut self, stall: Stall, message: &[u8]) {
        self.stall = match (self.stall, stall) {
            (Stall::Short(one), Stall::Short(other)) => Stall::Short(one.max(other)),
            (Stall::Long(one), Stall::Long(other)) => Stall::Long(one.max(other)),
            (long @ Stall::Long(_), _) | (_, long) => long,
        };
        let address = message.as_ptr().addr();
        if address != self.last {
            self.bytes += message.len();
            self.last = address;
        }
    }

    /// Returns the stall for all the messages: a long one for each chunk that has begun.
    pub(crate) fn total(self) -> Stall {
        match self.stall {
            Stall::Long(time) => {
                let chunks = u32::try_from(self.bytes.div_ceil(CHUNK)).unwrap_or(u32::MAX);
                Stall::Long(time.saturating_mul(chunks).min(LONGEST))
            }
            short @ Stall::Short(_) => short,
        }
    }
}

/// Returns the stall of publishers to this connection, if there is one.
pub(crate) fn stall(backlog: Backlog, bounds: &Bounds) -> Option<Stall> {
    let Backlog {
        pending,
        oldest,
        idle,
    } = backlog;
    let late = oldest > bounds.write_deadline / 2;
    if (pending > bounds.max_pending / 4 * 3 || late) && idle < ALIVE {
        Some(Stall::Long(FAR_BEHIND))
    } else if pending > bounds.max_pending / 2 {
        Some(Stall::Long(BEHIND))
    } else if pending > bounds.high_water && idle < RECENT {
        let steps = u32::try_from(pending / bounds.high_water.max(1)).unwrap_or(MOST_STEPS);
        Some(Stall::Short(STEP * steps.min(MOST_STEPS)))
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
        let (short, long) = (|n| Some(Stall::Short(ms(n))), |n| Some(Stall::Long(ms(n))));
        for (pending, oldest, idle, expected) in [
            // Below the high-water mark there is no stall.
            (0, ms(0), ms(0), None),
            (HIGH_WATER, ms(40), ms(40), None),
            // Above it, in steps, for a subscriber that has just read something.
            (HIGH_WATER + 1, ms(0), ms(0), short(1)),
            (3 * HIGH_WATER, ms(10), ms(49), short(3)),
            (20 * MIB, ms(10), ms(10), short(20)),
            (20 * MIB, ms(90), ms(50), None),
            // Half of `max_pending`.
            (33 * MIB, ms(90), ms(90), long(5)),
            (33 * MIB, ms(4000), ms(4000), long(5)),
            // Three quarters, for a subscriber that reads and for one that does not.
            (49 * MIB, ms(900), ms(900), long(50)),
            (49 * MIB, ms(1000), ms(1000), long(5)),
            // Half of the write deadline.
            (MIB, ms(5001), ms(100), long(50)),
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
    fn a_hub_is_stalled_for_a_short_time_only() {
        let ms = Duration::from_millis;
        for (stall, expected) in [
            (Stall::Short(ms(1)), ms(1)),
            (Stall::Short(ms(20)), HUB),
            (Stall::Long(ms(5)), HUB),
            (Stall::Long(ms(50)), HUB),
        ] {
            assert_eq!(stall.of_hub(), Stall::Short(expected), "{stall:?}");
        }
    }

    #[test]
    fn long_stalls_add_up_and_short_ones_do_not() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let (short, long) = (|n| Stall::Short(ms(n)), |n| Stall::Long(ms(n)));
        for (stall, now, current, expected) in [
            (short(3), 0, None, 3),
            (short(3), 10, Some(11), 13),
            (short(3), 10, Some(20), 20),
            (long(50), 0, None, 50),
            (long(50), 10, Some(4), 60),
            (long(50), 10, Some(20), 70),
            (long(50), 10, Some(1000), 1010),
        ] {
            let at = |n| start + ms(n);
            let end = stall.end(at(now), current.map(at));
            assert_eq!(end, at(expected), "{stall:?} at {now}, {current:?}");
        }
    }

    #[test]
    fn a_long_stall_is_for_each_chunk_of_a_publisher() {
        let ms = Duration::from_millis;
        let (short, long) = (|n| Stall::Short(ms(n)), |n| Stall::Long(ms(n)));
        let data = vec![0; 100 * CHUNK];
        let half = CHUNK / 2;
        // Stalls, each with the message that caused it: the half chunk with this number.
        let cases: [(&[(Stall, usize)], Stall); 8] = [
            (&[(short(2), 0), (short(3), 1), (short(1), 2)], short(3)),
            (&[(long(5), 0)], long(5)),
            (&[(long(5), 0), (long(50), 1)], long(50)),
            (
                &[(short(9), 0), (long(5), 1), (short(9), 2), (short(9), 3)],
                long(10),
            ),
            (
                &[(long(5), 0), (long(5), 1), (long(5), 2), (long(5), 3)],
                long(10),
            ),
            (&[(long(5), 0), (long(5), 1), (long(5), 2)], long(10)),
            // Several subscribers of a message.
            (
                &[(long(5), 0), (long(5), 0), (long(5), 0), (long(5), 1)],
                long(5),
            ),
            (
                &[(long(50), 0), (long(50), 0), (long(50), 1), (long(50), 1)],
                long(50),
            ),
        ];
        for (stalls, expected) in cases {
            let message = |number: usize| &data[number * half..][..half];
            let mut caused = Caused::new(stalls[0].0, message(stalls[0].1));
            for &(stall, number) in &stalls[1..] {
                caused.add(stall, message(number));
            }
            assert_eq!(caused.total(), expected, "{stalls:?}");
        }
        // However long the message is.
        assert_eq!(Caused::new(long(50), &data).total(), Stall::Long(LONGEST));
    }

    #[test]
    fn the_high_water_mark_is_below_any_bound() {
        let bounds = Bounds::new(1024, Duration::from_secs(1));
        assert_eq!(bounds.high_water, 512);
        let bounds = Bounds::new(1 << 30, Duration::from_secs(1));
        assert_eq!(bounds.high_water, HIGH_WATER);
    }
}
