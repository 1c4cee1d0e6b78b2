//! Send times and latencies of messages.
//!
//! Senders and receivers are threads of one process and share one monotonic
//! clock, so a time in a payload means the same to both. With a rate, that time
//! is when the message *should* have been sent: if the server stalls the
//! sender, the delay counts for every message that waits, as it would for real
//! clients (this avoids "coordinated omission").

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Bytes at the start of a payload that hold its time.
pub(super) const STAMP: usize = 8;

/// The longest latency recorded, in nanoseconds. Longer ones count as this.
const LONGEST: u64 = 60_000_000_000;

/// Nanoseconds since the load began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Instant);

impl Clock {
    /// Starts the clock.
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the nanoseconds since the load began.
    pub(super) fn now(self) -> u64 {
        nanoseconds(self.0.elapsed())
    }
}

/// Converts to nanoseconds; saturates at 584 years.
pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A constant message rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    rate: u64,
}

impl Schedule {
    /// Creates a schedule of `rate` messages per second, at least one.
    pub(super) fn new(rate: u64) -> Self {
        Self { rate: rate.max(1) }
    }

    /// Returns when a message, counted from 0, should be sent.
    pub(super) fn intended(self, message: u64) -> u64 {
        let (seconds, rest) = (message / self.rate, message % self.rate);
        let part = (u128::from(rest) * 1_000_000_000).div_ceil(u128::from(self.rate));
        seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(u64::try_from(part).unwrap_or(u64::MAX))
    }

    /// Returns how many messages should have been sent before `time`.
    pub(super) fn before(self, time: u64) -> u64 {
        time.checked_sub(1).map_or(0, |last| self.due(last))
    }

    /// Returns how many messages should have been sent by `now`.
    pub(super) fn due(self, now: u64) -> u64 {
        let whole = u128::from(now) * u128::from(self.rate) / 1_000_000_000;
        u64::try_from(whole).map_or(u64::MAX, |whole| whole.saturating_add(1))
    }
}

/// A histogram of latencies.
#[derive(Debug)]
pub(super) struct Latencies {
    histogram: Histogram<u64>,
    /// Messages with an earlier time are not counted.
    from: u64,
}

impl Latencies {
    /// Counts messages whose time is `from` or later.
    pub(super) fn new(from: u64) -> Self {
        // Three digits: a reported value is within 0.1 % of the measured one.
        let histogram = Histogram::new_with_bounds(1, LONGEST, 3);
        Self {
            histogram: histogram.expect("constant bounds in order"),
            from,
        }
    }

    /// Counts a message that arrived at `now`, by the time in its payload.
    #[inline]
    pub(super) fn count(&mut self, now: u64, payload: &[u8]) {
        if let Some(stamp) = payload.first_chunk::<STAMP>() {
            let sent = u64::from_le_bytes(*stamp);
            if sent >= self.from {
                self.histogram.saturating_record(now.saturating_sub(sent));
            }
        }
    }

    /// Returns the histogram.
    pub(super) fn into_histogram(self) -> Histogram<u64> {
        self.histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_due_from_their_intended_time_on() {
        for rate in [1, 3, 7, 1000, 999_983, 3_000_000] {
            let schedule = Schedule::new(rate);
            assert_eq!(schedule.intended(0), 0);
            assert_eq!(schedule.intended(rate * 5), 5_000_000_000);
            for message in [0, 1, 2, 10, rate - 1, rate, rate + 1, 123_456_789] {
                let time = schedule.intended(message);
                assert_eq!(schedule.due(time), message + 1, "{rate} {message}");
                if time > 0 {
                    assert_eq!(schedule.due(time - 1), message, "{rate} {message}");
                }
                assert_eq!(schedule.before(time), message, "{rate} {message}");
                assert_eq!(schedule.before(time + 1), message + 1, "{rate} {message}");
            }
        }
    }

    #[test]
    fn schedules_do_not_overflow() {
        let schedule = Schedule::new(u64::MAX / 2);
        assert!(schedule.due(u64::MAX) > 0);
        assert_eq!(Schedule::new(1).intended(u64::MAX), u64::MAX);
        assert_eq!(Schedule::new(0).intended(2), 2_000_000_000);
    }

    #[test]
    fn a_stall_counts_for_every_message_that_waited() {
        // 1,000 a second. The sender is stalled for 100 ms, then sends
        // everything at once, and it arrives immediately.
        let schedule = Schedule::new(1000);
        let mut latencies = Latencies::new(0);
        let stalled = 100_000_000;
        for message in 0..schedule.due(stalled) {
            latencies.count(stalled, &schedule.intended(message).to_le_bytes());
        }
        let histogram = latencies.into_histogram();
        assert_eq!(histogram.len(), 101);
        let near = |value: u64, expected: u64| value.abs_diff(expected) <= expected / 500;
        assert!(near(histogram.value_at_quantile(0.5), 50_000_000));
        assert!(near(histogram.max(), stalled));
    }

    #[test]
    fn the_warm_up_and_short_payloads_do_not_count() {
        let mut latencies = Latencies::new(1000);
        latencies.count(5000, &999_u64.to_le_bytes());
        latencies.count(5000, &[0xff; 7]);
        assert_eq!(latencies.histogram.len(), 0);
        let mut payload = 1000_u64.to_le_bytes().to_vec();
        payload.extend([7; 100]);
        latencies.count(5000, &payload);
        assert_eq!(
            latencies.histogram.max(),
            4001.max(latencies.histogram.max())
        );
        // The clock does not go backwards, but a broken payload may hold a later time.
        latencies.count(5000, &u64::MAX.to_le_bytes());
        assert_eq!(latencies.histogram.len(), 2);
    }
}
