//! Stalls: when a publisher must wait for a slower subscriber.
//!
//! The term is nats-server's. A stalled connection is not read from for a while, so TCP slows down
//! the sender. This keeps a subscriber that reads steadily from being closed because of a faster
//! publisher.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::chunks::CHUNK;
use super::key::ConnectionKey;

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

/// Shorter stalls are left to add up, since a worker ends stalls once in this time.
const SHORTEST: Duration = Duration::from_millis(1);

/// The most for each chunk of a hub, 32 MB/s: its messages are for many clients, which must not all
/// wait for the slowest. nats-server stalls only clients.
const HUB: Duration = Duration::from_millis(2);

#[allow(clippy::cast_possible_truncation, reason = "a chunk is far smaller")]
const CHUNK_BYTES: u32 = CHUNK as u32;

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

/// How publishers to a connection are slowed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A stall of this length.
    Once(Duration),
    /// A stall of this length for each chunk, in addition to other stalls.
    PerChunk(Duration),
}

impl Pace {
    /// Returns the pace if the publisher is a hub.
    pub(crate) fn of_hub(self) -> Self {
        let (Self::Once(time) | Self::PerChunk(time)) = self;
        Self::PerChunk(time.min(HUB))
    }
}

/// The stalls that the connections of one worker cause, by publisher.
///
/// Stalls per chunk must add up: a publisher on another worker learns of a stall only after it has
/// sent some more, for which it must wait too.
#[derive(Debug, Default)]
pub(crate) struct Stalls {
    owed: HashMap<ConnectionKey, Owed>,
    /// The number of the turn or batch.
    turn: u64,
}

/// What a publisher owes.
#[derive(Debug)]
struct Owed {
    /// The end of its stall.
    end: Instant,
    /// The turn and address of its last message: a message to several connections counts once.
    last: (u64, usize),
    /// The stall for its last message.
    for_last: Duration,
}

impl Stalls {
    /// Begins a turn or batch: buffers of earlier ones may have been used again.
    pub(crate) fn begin(&mut self) {
        self.turn += 1;
    }

    /// Adds the stall for a message. Returns when the publisher may be read from again, unless that
    /// is too soon for a stall.
    pub(crate) fn add(
        &mut self,
        publisher: ConnectionKey,
        pace: Pace,
        message: &[u8],
        now: Instant,
    ) -> Option<Instant> {
        let per_chunk = match pace {
            Pace::Once(time) => return Some(now + time),
            Pace::PerChunk(time) => time,
        };
        let last = (self.turn, message.as_ptr().addr());
        let owed = self.owed.entry(publisher).or_insert(Owed {
            end: now,
            last,
            for_last: Duration::ZERO,
        });
        if owed.last != last {
            owed.last = last;
            owed.for_last = Duration::ZERO;
        }
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let stall = per_chunk.saturating_mul(length) / CHUNK_BYTES;
        let more = stall.saturating_sub(owed.for_last);
        owed.for_last += more;
        owed.end = (owed.end.max(now) + more.min(LONGEST)).min(now + LONGEST);
        (owed.end >= now + SHORTEST).then_some(owed.end)
    }

    /// Forgets the stalls that are over.
    pub(crate) fn forget(&mut self, now: Instant) {
        self.owed.retain(|_, owed| owed.end > now);
    }
}

/// Returns the pace of publishers to this connection, if they must be slowed down.
pub(crate) fn stall(backlog: Backlog, bounds: &Bounds) -> Option<Pace> {
    let Backlog {
        pending,
        oldest,
        idle,
    } = backlog;
    let late = oldest > bounds.write_deadline / 2;
    if (pending > bounds.max_pending / 4 * 3 || late) && idle < ALIVE {
        Some(Pace::PerChunk(FAR_BEHIND))
    } else if pending > bounds.max_pending / 2 {
        Some(Pace::PerChunk(BEHIND))
    } else if pending > bounds.high_water && idle < RECENT {
        let steps = u32::try_from(pending / bounds.high_water.max(1)).unwrap_or(MOST_STEPS);
        Some(Pace::Once(STEP * steps.min(MOST_STEPS)))
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
        let once = |n| Some(Pace::Once(ms(n)));
        let per_chunk = |n| Some(Pace::PerChunk(ms(n)));
        for (pending, oldest, idle, expected) in [
            // Below the high-water mark there is no stall.
            (0, ms(0), ms(0), None),
            (HIGH_WATER, ms(40), ms(40), None),
            // Above it, in steps, for a subscriber that has just read something.
            (HIGH_WATER + 1, ms(0), ms(0), once(1)),
            (3 * HIGH_WATER, ms(10), ms(49), once(3)),
            (20 * MIB, ms(10), ms(10), once(20)),
            (20 * MIB, ms(90), ms(50), None),
            // Half of `max_pending`.
            (33 * MIB, ms(90), ms(90), per_chunk(5)),
            (33 * MIB, ms(4000), ms(4000), per_chunk(5)),
            // Three quarters, for a subscriber that reads and for one that does not.
            (49 * MIB, ms(900), ms(900), per_chunk(50)),
            (49 * MIB, ms(1000), ms(1000), per_chunk(5)),
            // Half of the write deadline.
            (MIB, ms(5001), ms(100), per_chunk(50)),
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
    fn a_hub_is_slowed_down_little() {
        let ms = Duration::from_millis;
        for (pace, expected) in [
            (Pace::Once(ms(1)), ms(1)),
            (Pace::Once(ms(20)), HUB),
            (Pace::PerChunk(ms(5)), HUB),
            (Pace::PerChunk(ms(50)), HUB),
        ] {
            assert_eq!(pace.of_hub(), Pace::PerChunk(expected), "{pace:?}");
        }
    }

    #[test]
    fn stalls_per_chunk_add_up() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let at = |n| start + ms(n);
        let (once, per_chunk) = (|n| Pace::Once(ms(n)), |n| Pace::PerChunk(ms(n)));
        let data = vec![0; 100 * CHUNK];
        let (first, second) = (ConnectionKey::new(0, 1, 1), ConnectionKey::new(0, 2, 2));
        let mut stalls = Stalls::default();
        // The publisher, pace, message in chunks, time, and the expected end of the stall.
        for (publisher, pace, message, now, expected) in [
            (first, once(3), 0..1, 0, Some(3)),
            (first, once(3), 1..2, 0, Some(3)),
            (first, per_chunk(50), 2..3, 0, Some(50)),
            (first, per_chunk(50), 3..5, 10, Some(150)),
            (second, per_chunk(5), 5..6, 20, Some(25)),
            (first, per_chunk(5), 6..7, 20, Some(155)),
            // The same message to other connections, one of which is further behind.
            (first, per_chunk(5), 6..7, 20, Some(155)),
            (first, per_chunk(50), 6..7, 20, Some(200)),
            (first, per_chunk(5), 6..7, 20, Some(200)),
            // A stall that is over.
            (second, per_chunk(5), 7..8, 30, Some(35)),
            // However long a message is.
            (first, per_chunk(50), 0..100, 30, Some(1030)),
            (first, per_chunk(50), 1..100, 40, Some(1040)),
        ] {
            let message = &data[message.start * CHUNK..message.end * CHUNK];
            let end = stalls.add(publisher, pace, message, at(now));
            assert_eq!(end, expected.map(at), "{pace:?} at {now}");
        }
        stalls.forget(at(35));
        assert!(stalls.owed.keys().eq([&first]), "{stalls:?}");
    }

    #[test]
    fn a_buffer_that_is_used_again_holds_another_message() {
        let start = Instant::now();
        let data = vec![0; CHUNK];
        let publisher = ConnectionKey::new(0, 1, 1);
        let mut stalls = Stalls::default();
        let pace = Pace::PerChunk(Duration::from_millis(50));
        for expected in [50, 100, 150] {
            stalls.begin();
            for _ in 0..2 {
                let end = stalls.add(publisher, pace, &data, start);
                assert_eq!(end, Some(start + Duration::from_millis(expected)));
            }
        }
    }

    #[test]
    fn small_messages_wait_for_as_long_as_large_ones() {
        let start = Instant::now();
        let data = vec![0; CHUNK];
        let publisher = ConnectionKey::new(0, 1, 1);
        let mut stalls = Stalls::default();
        let pace = Pace::PerChunk(Duration::from_millis(64));
        let mut ends = data
            .chunks(CHUNK / 256)
            .map(|message| stalls.add(publisher, pace, message, start));
        // A quarter of a millisecond each.
        assert!(ends.by_ref().take(3).all(|end| end.is_none()));
        assert_eq!(ends.next(), Some(Some(start + SHORTEST)));
        assert_eq!(ends.last(), Some(Some(start + Duration::from_millis(64))));
    }

    #[test]
    fn the_high_water_mark_is_below_any_bound() {
        let bounds = Bounds::new(1024, Duration::from_secs(1));
        assert_eq!(bounds.high_water, 512);
        let bounds = Bounds::new(1 << 30, Duration::from_secs(1));
        assert_eq!(bounds.high_water, HIGH_WATER);
    }
}
